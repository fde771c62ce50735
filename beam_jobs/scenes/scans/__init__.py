"""Buildings that come from mesh files."""
