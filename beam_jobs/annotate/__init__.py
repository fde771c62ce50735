"""Makes data sets in the published layout, of procedural buildings or of mesh files."""
