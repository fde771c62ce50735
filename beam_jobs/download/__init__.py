"""Fetches the published data set."""
