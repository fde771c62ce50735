"""Reads the names of several sources from one cell of a table. People and tools join them with |,
with another sign, or write a list as Python, JSON or numpy prints it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

FORM = (
    "several sources are joined by |, such as depth|normals, and the name of one holds none of "
    "| + , ; [ ( '"
)
# Signs that join names, if every part is a name of the table.
JOINT = re.compile(r"__|[|+,;&/]")
# Signs that a source's name may contain only if it is a target: a joining sign, a quote, or the
# start of a list.
STRANGE = re.compile(r"[|+,;'\"]|^[\[(]")
BRACKETS = re.compile(r"\[.*\]|\(.*\)")
QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")


def cells_of(cell: str, targets: Iterable[str]) -> list[str]:
    """Returns the names in a cell, as far as the cell itself shows where each name ends: names
    joined by |, or a list with quotes (numpy prints no commas between them). A returned name may
    still be several joined names (see `told_apart`).
    """
    text = cell.strip()
    if text in targets:
        return [text]
    if BRACKETS.fullmatch(text):
        text = text[1:-1]
        if QUOTED.search(text) and not QUOTED.sub("", text).strip(", "):
            text = "|".join(first or second for first, second in QUOTED.findall(text))
    return [name for part in text.split("|") if (name := part.strip())]


def single_names(cells: Iterable[Sequence[str]], targets: Iterable[str]) -> frozenset[str]:
    """Returns the names that are certain to be single: the table's targets, and every name that
    stands alone as a source and contains no sign that could join names.
    """
    alone = {names[0] for names in cells if len(names) == 1}
    return frozenset(targets) | {name for name in alone if not JOINT.search(name)}


def told_apart(name: str, singles: Iterable[str], targets: Iterable[str]) -> list[str]:
    """Returns the sources that are joined in `name`, or [name] if it is a single source. Raises
    ValueError for a name that is no target and looks joined but has a part that is no known name:
    taken as one name, it would add a task that can be labelled.
    """
    if name in targets:
        return [name]
    parts = [part.strip() for part in JOINT.split(name)]
    unknown = [part for part in parts if part not in singles]
    if len(parts) > 1 and not unknown:
        return parts
    if STRANGE.search(name):
        part = f" ({unknown[0]!r} is neither)" if len(parts) > 1 and unknown[0] else ""
        raise ValueError(
            f"the source {name!r} is no target of the table, and not joined of its targets and "
            f"single sources{part}; {FORM}"
        )
    words = name.split()
    if len(words) > 1 and set(words) <= set(singles):
        raise ValueError(f"the source {name!r} is several names of the table; {FORM}")
    return [name]


def all_told_apart(
    cells: Sequence[tuple[str, Sequence[str]]], targets: Iterable[str]
) -> list[list[str]]:
    """Returns the list of sources of every row. cells: (place in words, names as `cells_of` returns
    them). Raises the ValueError of `told_apart`, with the place in front.
    """
    answered = frozenset(targets)
    singles = single_names((names for _, names in cells), answered)
    rows = []
    for place, names in cells:
        try:
            rows.append([one for name in names for one in told_apart(name, singles, answered)])
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from error
    return rows
