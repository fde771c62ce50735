"""What a result was made of, and whether it is whole: atomic writes and derived addresses. Standard
library only.
"""
