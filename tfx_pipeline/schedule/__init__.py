"""Retraining that one can leave alone: run when data, code or configuration changed, wait after
failures, tell whoever wants to know.
"""
