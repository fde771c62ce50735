"""Decides which buildings train, validate and test. Splits go by building, never by image: views of
one building show the same rooms.
"""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

SPLITS = ("train", "val", "test")
# What a list may hold for "in this split" and "not in it": published lists have 1 and 0, pandas
# writes True and 1.0.
FLAGS = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}


def read_splits(path: str | Path, data: bytes | None = None) -> dict[str, str]:
    """Returns building -> split from a published CSV (`id,train,val,test`, one-hot rows of 1 and 0,
    or as `FLAGS`; line ends may be bare CR, as in the originals).

    data: the file's bytes, where `path` is no file of this machine.

    Raises ValueError for a row that is not one-hot, and for a building in two splits.
    """
    data = Path(path).read_bytes() if data is None else data
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: expected text in UTF-8, got byte {data[error.start]:#04x} at {error.start}; "
            "save the list as CSV in UTF-8"
        ) from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    rows = list(csv.reader(line for line in text.split("\n") if line.strip()))
    if not rows or [cell.strip() for cell in rows[0]] != ["id", *SPLITS]:
        raise ValueError(
            f"{path}: the first line reads id,train,val,test; got "
            f"{rows[0] if rows else 'an empty file'}"
        )
    splits: dict[str, str] = {}
    for row in rows[1:]:
        flags = [FLAGS.get(cell.strip().lower()) for cell in row[1:4]]
        if sorted(flags, key=bool) != [False, False, True]:
            raise ValueError(
                f"{path}: building {row[0]!r} is in exactly one split, 1 in its column and 0 in "
                f"the others; its row reads {row}"
            )
        name, split = row[0].strip(), SPLITS[flags.index(True)]
        if splits.setdefault(name, split) != split:
            raise ValueError(
                f"{path}: building {name!r} stands in two splits ({splits[name]} and "
                f"{split}); views would leak between them"
            )
    return splits


def entry_of(table: Mapping[str, str], building: str) -> str | None:
    """Returns what a table says of a building; None for one that is not in it. Published lists are
    in lower case, some copies of the buildings and of the lists are not: the exact name counts
    first, then the same letters in either case, unless the table says different things of these. It
    does not matter whether an accent is part of its letter or a character of its own (folders that
    were copied from a Mac).
    """
    if building in table:
        return table[building]
    word = letters_of(building)
    values = {value for name, value in table.items() if letters_of(name) == word}
    return values.pop() if len(values) == 1 else None


def letters_of(name: str) -> str:
    """Returns a name in lower case, accents as parts of their letters."""
    return unicodedata.normalize("NFC", name.lower())


def split_list(splits: Mapping[str, str]) -> str:
    """Returns building -> split as the text of a list in the published form, which `read_splits`
    reads.
    """
    text = io.StringIO()
    # a name with a comma is put in quotes
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["id", *SPLITS])
    for name, split in splits.items():
        rows.writerow([name, *(int(split == column) for column in SPLITS)])
    return text.getvalue()


def hashed_splits(buildings: Iterable[str]) -> dict[str, str]:
    """Returns building -> split, 8:1:1 in the order of the names' hashes, at least one building a
    split. Raises ValueError with fewer than three buildings.
    """
    # not hash(), which differs from process to process
    ordered = sorted(buildings, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    if len(ordered) < 3:
        raise ValueError(
            f"{len(ordered)} building(s) found; three are needed (train, val, test), since "
            "splits go by building. Add buildings or give splits.csv"
        )
    count = max(1, len(ordered) // 10)
    return {
        name: "test" if i < count else "val" if i < 2 * count else "train"
        for i, name in enumerate(ordered)
    }
