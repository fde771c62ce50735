"""Writes costs and budgets as text: whole units stay whole, and numbers that differ read
differently.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

from models.taxonomy.program.program import SLACK

FEWEST = 6  # fewest significant digits
MOST = 12  # most digits, beyond which `SLACK` takes costs as equal
PLAIN = 15  # digits before the point that are written without an exponent


def cost_text(cost: float, *others: float) -> str:
    """Returns a cost in six digits. It has more where more stand before the point, or where they
    are needed to tell it from `others` (if it differs from them by more than rounding).
    """
    return told_apart(cost, others, ROUND_HALF_EVEN)


def enough(cost: float, *others: float) -> str:
    """Returns a cost as `cost_text` does, but rounded up, so that it suffices as a budget."""
    # 0.1 + 0.2 is meant as 0.3, and no budget tells them apart
    return told_apart(cost * (1 - SLACK), others, ROUND_CEILING)


def at_least(cost: float, *others: float) -> str:
    """Returns a cost as `cost_text` does, but rounded down, so that nothing costs less."""
    return told_apart(cost * (1 + SLACK), others, ROUND_FLOOR)


def told_apart(cost: float, others: tuple[float, ...], rounding: str) -> str:
    rivals = [other for other in others if abs(other - cost) > 2 * SLACK * abs(other)]
    for digits in range(FEWEST, MOST + 1):
        text = in_digits(cost, digits, rounding)
        if text not in [in_digits(other, digits, ROUND_HALF_EVEN) for other in rivals]:
            break
    return text


def in_digits(cost: float, digits: int, rounding: str) -> str:
    """Returns a number >= 0 with `digits` significant digits, or as many as stand before the point
    (`MOST` at most) if these are more.
    """
    exact = Decimal(cost)
    digits = max(digits, min(MOST, exact.adjusted() + 1))
    rounded = Context(prec=digits, rounding=rounding).plus(exact)
    # Python's own form: an exponent for what is very small or very large alone
    plain = f"{float(rounded):.{digits}g}"
    return f"{float(rounded):.0f}" if "e+" in plain and rounded.adjusted() < PLAIN else plain
