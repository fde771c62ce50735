"""Shapes as triangles."""
