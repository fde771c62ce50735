"""Buildings: plans, rooms and what stands in them."""
