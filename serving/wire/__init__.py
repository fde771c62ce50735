"""Tensors and responses as bytes, for server and client."""
