"""Surfaces that a camera sees, and their light."""
