"""The model server: one data plane, and a thin door for each protocol."""
