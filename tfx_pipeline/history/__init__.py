"""What became of a run folder: every run a line, what changed and why, where an answer comes from,
what may be removed, the way back.
"""
