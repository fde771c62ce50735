"""Compares our data with real and published data."""
