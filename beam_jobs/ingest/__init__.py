"""Turns a folder in the published layout into sharded examples."""
