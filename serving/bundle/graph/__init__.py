"""A small compiler from the networks of Keras to a graph that serves quickly; it knows nothing of
requests.
"""
