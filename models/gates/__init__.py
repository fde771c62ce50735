"""Gates: checks that decide whether data may be trained on and whether a candidate may be served.
What they look at is computed in numpy alone.
"""
