"""Seeded procedural indoor buildings, their cameras, and what a camera sees of them."""
