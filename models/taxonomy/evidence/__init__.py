"""How far an answer is to be trusted: chance, seeds, intervals, baselines, agreement with published
tables, amounts of data, costs, and the networks as they are served.
"""
