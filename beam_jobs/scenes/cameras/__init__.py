"""Where cameras stand and what they look at."""
