"""Reads and writes tensors and responses as bytes, for server and client."""
