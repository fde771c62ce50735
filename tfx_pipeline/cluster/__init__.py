"""What a cluster adds to the pipeline: its steps' entry point, resources, shared volume, runs."""
