"""Whole numbers as arguments of a command, held to what can be meant before anything starts."""

from __future__ import annotations

import argparse


def count(text: str) -> int:
    """a whole number of at least 1."""
    return whole(text, least=1)


def natural(text: str) -> int:
    """a whole number of at least 0."""
    return whole(text, least=0)


def whole(text: str, least: int) -> int:
    """Raises ArgumentTypeError, which argparse tells with the argument's name."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from None
    if number < least:
        raise argparse.ArgumentTypeError(f"expected at least {least}, got {number}")
    return number
