"""Chooses where cameras stand and what they look at."""
