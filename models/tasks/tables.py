"""Checks tables that must name the same things: a row missing, or one too many, ends the import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

Row = TypeVar("Row")


def complete(purpose: str, names: Iterable[str], rows: Mapping[str, Row]) -> dict[str, Row]:
    """Returns `rows`, in the order of `names`. Raises ValueError unless there is one row for each
    name.

    purpose: what the table says of a name, for the error's text.
    """
    expected_names = list(names)
    missing = [name for name in expected_names if name not in rows]
    unknown = [name for name in rows if name not in expected_names]
    if missing or unknown:
        raise ValueError(
            f"{purpose}: one row each is expected for {', '.join(expected_names)}; "
            f"missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}. "
            "Add the row, or take it out"
        )
    return {name: rows[name] for name in expected_names}
