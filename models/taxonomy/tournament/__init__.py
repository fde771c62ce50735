"""Turns losses into affinities: the win rates of a tournament, the analytic hierarchy process (AHP)
that turns win rates into affinities, and resamples of both.
"""
