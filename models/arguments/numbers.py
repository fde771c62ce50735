"""Numbers and times as arguments of a command, held to what can be meant before anything starts.
Each is a `type` of argparse's, and raises ArgumentTypeError, which argparse tells with the
argument's name.
"""

from __future__ import annotations

import argparse
import math
import re

# Seconds of a unit of time.
UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
# Seconds; `time.sleep` ends in an error where they are too many for the clock.
LONGEST = 10_000 * UNITS["d"]


def count(text: str) -> int:
    """Returns a whole number of at least 1."""
    return whole(text, least=1)


def natural(text: str) -> int:
    """Returns a whole number of at least 0."""
    return whole(text, least=0)


def whole(text: str, least: int) -> int:
    """Returns a whole number of at least `least`."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from None
    if number < least:
        raise argparse.ArgumentTypeError(f"expected at least {least}, got {number}")
    return number


def positive(text: str) -> float:
    """Returns a finite number above 0."""
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, got {text!r}") from None
    # float() also reads "inf" and "nan"
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(f"expected a finite number above 0, got {text}")
    return number


def share(text: str) -> float:
    """Returns a number in (0, 1]."""
    number = positive(text)
    if number > 1:
        raise argparse.ArgumentTypeError(f"expected a share of at most 1, got {text}")
    return number


def duration(text: str) -> float:
    """Returns the seconds, above 0, of a time such as `90s`, `30m`, `6h` or `1.5d`; a number alone
    is in seconds.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    seconds = float(match[1]) * UNITS[match[2]] if match else 0.0
    # written so that what is no time at all, 0 and the infinity of hundreds of digits are refused
    if not 0 < seconds <= LONGEST:
        raise argparse.ArgumentTypeError(
            "expected seconds, or a number with s, m, h or d such as 30m or 6h, above 0 and at "
            f"most {LONGEST / UNITS['d']:.0f}d; got {text!r}"
        )
    return seconds
