"""May a bundle go out? The gate, versions, rollback."""
