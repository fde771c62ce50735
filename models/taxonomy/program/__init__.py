"""From affinities to a taxonomy: the boolean integer program, what it is asked, how it is solved,
and what its answers say.
"""
