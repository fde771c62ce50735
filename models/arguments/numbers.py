"""Numbers as arguments of a command, held to what can be meant before anything starts. Each is a
`type` of argparse's, and raises ArgumentTypeError, which argparse tells with the argument's name.
"""

from __future__ import annotations

import argparse
import math


def count(text: str) -> int:
    """a whole number of at least 1."""
    return whole(text, least=1)


def natural(text: str) -> int:
    """a whole number of at least 0."""
    return whole(text, least=0)


def whole(text: str, least: int) -> int:
    """a whole number of at least `least`."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from None
    if number < least:
        raise argparse.ArgumentTypeError(f"expected at least {least}, got {number}")
    return number


def positive(text: str) -> float:
    """a finite number above 0."""
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, got {text!r}") from None
    # float() also reads "inf" and "nan"
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(f"expected a finite number above 0, got {text}")
    return number


def share(text: str) -> float:
    """a number in (0, 1]."""
    number = positive(text)
    if number > 1:
        raise argparse.ArgumentTypeError(f"expected a share of at most 1, got {text}")
    return number
