"""Where do views, examples and numbers come from? Scenes, annotation, ingest."""
