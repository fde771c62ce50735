"""Writes numbers and names for a reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from models.tasks import TASKS

UNKNOWN = "not measured"


def title(name: str) -> str:
    """Returns a task's title. A name in the released files' spelling is returned as it is; any
    other is called a source from outside.
    """
    if name in TASKS:
        return TASKS[name].title
    published = {entry.published for entry in TASKS.values()}
    return name if name in published else f"{name} (outside source)"


def titles(names: Iterable[str]) -> str:
    """Returns the titles of names, joined by commas and a last "and"."""
    words = [title(name) for name in names]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def rate(value: float | None) -> str:
    """Returns a win rate as text with two digits."""
    # + 0.0 turns -0.0 into 0.0
    return UNKNOWN if value is None else f"{round(value, 2) + 0.0:.2f}"


def share(value: float | None) -> str:
    """Returns a share as text in whole per cent."""
    return UNKNOWN if value is None else f"{round(100 * value) + 0} %"


def count(value: float | None) -> str:
    """Returns a whole number as text with thousands separated."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def number(value: object) -> str:
    """Returns any value of a table as text: "" for None, text as it is, small numbers in three
    digits.
    """
    if value is None:
        return ""
    # True is an int in Python
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def plural(number: int, one: str, many: str = "") -> str:
    """Returns a number with its noun, such as `3 targets` or `1 target`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def sampled_units(stability: Mapping[str, Any]) -> str:
    """Returns in words what test sets were drawn from, such as `20 test buildings`. stability: that
    of `evidence.json`.
    """
    unit = {"building": "test building", "image": "test picture"}[stability.get("unit", "image")]
    units = stability.get("units")
    # evidence of earlier code does not have their number
    return f"{unit}s" if units is None else f"{count(units)} {unit}{'' if units == 1 else 's'}"


def mean(values: Iterable[float | None]) -> float | None:
    """Returns the mean of the values, or None if there are none or one was not measured."""
    numbers = list(values)
    present = [value for value in numbers if value is not None]
    return sum(present) / len(present) if present and len(present) == len(numbers) else None
