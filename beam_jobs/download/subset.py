"""The published subsets of buildings, and their lists. The lists are the publishers' and are not
shipped here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from models.examples.splits import read_splits, split_list
from models.provenance.atomic import write_text

SUBSETS = ("tiny", "medium", "full", "fullplus")


def list_name(subset: str) -> str:
    """what the publishers call the list of a subset."""
    return f"train_val_test_{subset}.csv"


def given_list(splits: str | Path, subset: str) -> dict[str, str]:
    """building -> split of a list's file, or of the folder that holds the lists."""
    path = Path(splits)
    return read_splits(path / list_name(subset) if path.is_dir() else path)


def write_splits(path: Path, table: Mapping[str, str]) -> None:
    """splits.csv of what was asked for, in the published form, by name."""
    write_text(path, split_list(dict(sorted(table.items()))))
