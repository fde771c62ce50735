"""What was a result made of, and is it whole? Atomic writes and derived addresses. Standard library
only.
"""
