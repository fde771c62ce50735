"""The published subsets of buildings, and their lists. The lists are the publishers' and are not
shipped here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from beam_jobs.ingest.known_bad import KNOWN_BAD
from models.examples.splits import entry_of, read_splits, split_list
from models.provenance.atomic import write_text

SUBSETS = ("tiny", "medium", "full", "fullplus")


def list_name(subset: str) -> str:
    """Returns the file name that the publishers give the list of a subset."""
    return f"train_val_test_{subset}.csv"


def given_list(splits: str | Path, subset: str) -> dict[str, str]:
    """Returns {building: split} read from a list's file, or from a folder of lists."""
    path = Path(splits)
    return read_splits(path / list_name(subset) if path.is_dir() else path)


def write_splits(path: Path, table: Mapping[str, str]) -> None:
    """Writes splits.csv of the buildings asked for, in the published form, sorted by name."""
    write_text(path, split_list(dict(sorted(table.items()))))


def lacking(
    table: Mapping[str, str], folders: Collection[str], is_there: Callable[[str, str], bool]
) -> list[str]:
    """Returns folder/building of what was asked for and is not there (`is_there(building,
    folder)`). What the publishers' own release lacks (KNOWN_BAD) is said on standard error and left
    out: it is no fault.
    """
    absent = [
        (building, folder)
        for building in sorted(table)
        for folder in folders
        if not is_there(building, folder)
    ]
    reasons = {building: entry_of(KNOWN_BAD, building) for building, _ in absent}
    for building, reason in reasons.items():
        if reason:
            print(f"not whole, as published: {building} ({reason})", file=sys.stderr)
    return [f"{folder}/{building}" for building, folder in absent if not reasons[building]]


def some(names: Collection[str]) -> str:
    """Returns the first five names as text, with "..." if there are more."""
    return ", ".join(list(names)[:5]) + (" ..." if len(names) > 5 else "")
