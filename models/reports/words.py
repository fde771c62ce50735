"""Numbers and names as a reader sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from models.tasks import TASKS

UNKNOWN = "not measured"


def title(name: str) -> str:
    """a task's title; the name itself of one in the released files' spelling; any other is said to
    be a source from outside.
    """
    if name in TASKS:
        return TASKS[name].title
    published = {entry.published for entry in TASKS.values()}
    return name if name in published else f"{name} (outside source)"


def titles(names: Iterable[str]) -> str:
    """titles with commas and a last "and"."""
    words = [title(name) for name in names]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def rate(value: float | None) -> str:
    """a win rate with two digits."""
    # + 0.0: what rounds to nothing has no sign
    return UNKNOWN if value is None else f"{round(value, 2) + 0.0:.2f}"


def share(value: float | None) -> str:
    """a share in whole per cent."""
    return UNKNOWN if value is None else f"{round(100 * value) + 0} %"


def count(value: float | None) -> str:
    """a whole number with thousands apart."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def number(value: object) -> str:
    """anything of a table: nothing for None, text as it is, three digits of a small number."""
    if value is None:
        return ""
    # True is an int in Python
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def plural(number: int, one: str, many: str = "") -> str:
    """`3 targets`, `1 target`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def sampled_units(stability: Mapping[str, Any]) -> str:
    """what test sets were drawn from, of `evidence.json`'s stability: `20 test buildings`."""
    unit = {"building": "test building", "image": "test picture"}[stability.get("unit", "image")]
    units = stability.get("units")
    # evidence of earlier code does not count them
    return f"{unit}s" if units is None else f"{count(units)} {unit}{'' if units == 1 else 's'}"


def mean(values: Iterable[float | None]) -> float | None:
    """None without values, or where one of them was not measured."""
    numbers = list(values)
    known = [value for value in numbers if value is not None]
    return sum(known) / len(known) if known and len(known) == len(numbers) else None
