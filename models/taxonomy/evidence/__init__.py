"""Evidence for an answer: comparison with chance, other seeds, intervals, baselines, agreement with
published tables, amounts of data, costs, and the networks as they are served.
"""
