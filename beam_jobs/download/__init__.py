"""The published files, fetched."""
