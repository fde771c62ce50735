"""How weights are fitted: batches, recipes, optimisers, steps."""
