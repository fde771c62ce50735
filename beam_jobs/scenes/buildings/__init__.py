"""Builds procedural buildings: plans, rooms and what stands in them."""
