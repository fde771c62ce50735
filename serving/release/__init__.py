"""Release of a bundle: the gate, versions, rollback."""
