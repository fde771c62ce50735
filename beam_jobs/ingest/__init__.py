"""From the published layout to sharded examples."""
