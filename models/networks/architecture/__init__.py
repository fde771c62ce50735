"""Layers and models from images to representations and from representations to answers."""
