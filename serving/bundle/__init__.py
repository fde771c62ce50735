"""The bundle that is served: one SavedModel of many networks, and what lies beside its graph."""
