"""Buildings that come from mesh files: their readers, and what cameras see of them."""
