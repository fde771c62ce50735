"""The learner that solves linear systems."""
