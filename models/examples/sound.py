"""Finds the views of an Examples artifact whose records can still be read: what is left of a
damaged artifact.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np

from models.examples.check import places_of
from models.examples.index import DESCRIBED, FOLDER, Index
from models.examples.npy_writer import npy_writer
from models.examples.shards import DamagedRecord, read_record
from models.examples.splits import SPLITS
from models.provenance.atomic import write_json
from models.provenance.stores import here
from models.tasks.arrays import Integers

# Rows that are copied at a time.
CHUNK = 4096


@contextmanager
def sound_index(
    examples: str, index: Index, out: TextIO | None = None
) -> Iterator[tuple[Index, dict[str, int]]]:
    """As a context, yields (the index without the views whose records are damaged or gone, how many
    are left out of each split): every record is read once and checked against its checksums. If
    nothing is left out the index is the same; else it has another hash, so that nothing made of all
    views passes for what was made of the rest. Says on `out` (default: standard error) what is left
    out.
    """
    with tempfile.TemporaryDirectory(prefix="sound-index-") as scratch:
        folder = Path(scratch)
        lost_rows = {split: lost_of(examples, index, split, out) for split in SPLITS}
        counts = {split: len(rows) for split, rows in lost_rows.items() if len(rows)}
        if not counts:
            yield index, {}
            return
        digest = hashlib.sha256(index.hash.encode())
        for split in SPLITS:
            # the split too: the same positions of another one are another loss
            digest.update(split.encode() + lost_rows[split].astype("<i8").tobytes())
            copy_without(index, split, lost_rows[split], folder / f"{split}.npy")
        views = {split: index.count(split) - len(lost_rows[split]) for split in SPLITS}
        facts = {**index.facts, "hash": digest.hexdigest()[:16], "views": views}
        write_json(folder / DESCRIBED, facts)
        yield Index(folder), counts


def lost_of(examples: str, index: Index, split: str, out: TextIO | None) -> Integers:
    """Returns [n] int64, the positions of the views of a split whose records cannot be read, and
    prints to `out` how many they are.
    """
    positions = []
    first = ""
    for position in range(index.count(split)):
        try:
            index.record(examples, split, position)
        except (DamagedRecord, FileNotFoundError) as error:
            first = first or str(error)
            positions.append(position)
    if positions:
        print(
            f"  skipped {len(positions)} of {index.count(split)} views of {split}, whose records "
            f"cannot be read; the first: {first}",
            file=out or sys.stderr,
            flush=True,
        )
    return np.array(positions, "int64")


def sound_records(examples: str, split: str, shard: int) -> Iterator[bytes]:
    """Yields the serialised views of one shard of a split whose records can be read, in the order
    of the file.
    """
    examples = here(examples)
    index = Index(Path(examples) / FOLDER)
    path = index.path(examples, split, shard)
    for _, place in places_of(index, split, shard):
        try:
            record = read_record(path, place)
        except (DamagedRecord, FileNotFoundError):
            continue
        yield record


def copy_without(index: Index, split: str, positions: Integers, path: Path) -> None:
    """Writes to `path` the rows of a split without those at the positions `positions` [n]."""
    if not len(positions):
        shutil.copyfile(index.folder / f"{split}.npy", path)
        return
    rows = index.rows(split)
    with npy_writer(path, rows.dtype) as file:
        for start in range(0, len(rows), CHUNK):
            chunk_positions = positions[(positions >= start) & (positions < start + CHUNK)] - start
            file.extend(np.delete(rows[start : start + CHUNK], chunk_positions))
