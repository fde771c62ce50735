"""Turns affinities into a taxonomy: the boolean integer program, the request it answers, the
solver, and what its answers say.
"""
