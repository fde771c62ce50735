"""How is it learned? Encoders, heads, losses, task networks, representations, transfers. Keras 3,
backend-neutral.
"""
