"""Shapes as triangles, their normals and curvatures."""
