"""Names of several sources in one cell of a table, as people and their tools write them: joined by
|, by another sign, or as a list of Python, JSON or numpy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

FORM = (
    "several sources are joined by |, such as depth|normals, and the name of one holds none of "
    "| + , ; [ ( '"
)
# What joins names, where all that it joins are names of the table.
JOINT = re.compile(r"__|[|+,;&/]")
# What no name of a source holds that is no target: a joint, a quote, a list's beginning.
STRANGE = re.compile(r"[|+,;'\"]|^[\[(]")
BRACKETS = re.compile(r"\[.*\]|\(.*\)")
QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")


def cells_of(cell: str, targets: Iterable[str]) -> list[str]:
    """the names of a cell as far as it says itself where each ends: joined by |, or a list with
    quotes (numpy puts no comma between). A name may yet be joined of several (`told_apart`).
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
    """names that a table is sure to know: its targets, and what stands alone as a source and holds
    no sign that could join names.
    """
    alone = {names[0] for names in cells if len(names) == 1}
    return frozenset(targets) | {name for name in alone if not JOINT.search(name)}


def told_apart(name: str, known: Iterable[str], targets: Iterable[str]) -> list[str]:
    """the sources that a source's name is joined of, itself if it is one. Raises ValueError for a
    name that is no target and looks joined, where not every part is a known name: taken as the name
    of a task it would be one more task that can be labelled.
    """
    if name in targets:
        return [name]
    parts = [part.strip() for part in JOINT.split(name)]
    unknown = [part for part in parts if part not in known]
    if len(parts) > 1 and not unknown:
        return parts
    if STRANGE.search(name):
        part = f" ({unknown[0]!r} is neither)" if len(parts) > 1 and unknown[0] else ""
        raise ValueError(
            f"the source {name!r} is no target of the table, and not joined of its targets and "
            f"single sources{part}; {FORM}"
        )
    words = name.split()
    if len(words) > 1 and set(words) <= set(known):
        raise ValueError(f"the source {name!r} is several names of the table; {FORM}")
    return [name]


def all_told_apart(
    cells: Sequence[tuple[str, Sequence[str]]], targets: Iterable[str]
) -> list[list[str]]:
    """the sources of every row. cells: (place in words, names as far as `cells_of` tells them).
    Raises ValueError, with the place, as `told_apart`.
    """
    answered = frozenset(targets)
    known = single_names((names for _, names in cells), answered)
    rows = []
    for place, names in cells:
        try:
            rows.append([one for name in names for one in told_apart(name, known, answered)])
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from error
    return rows
