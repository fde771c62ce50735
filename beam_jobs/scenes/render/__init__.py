"""Renders the surfaces that a camera sees, and their light."""
