"""Beam jobs that make, fetch, check, encode and compare views, and turn them into examples."""
