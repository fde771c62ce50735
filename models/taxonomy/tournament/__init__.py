"""From losses to affinities: who wins how often against whom (win rates of a tournament), the
analytic hierarchy process (AHP) that turns win rates into affinities, and resamples of both.
"""
