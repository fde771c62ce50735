"""The index that says which record of an Examples artifact is which view: in the order of keys,
memory-mapped, 32 bytes a view.

`<examples>/index/<split>.npy` holds `ROW`s; `<examples>/index/index.json` says what they refer to:
{"hash", "size", "shards", "buildings": [names], "views": {split: count}}.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.examples.message import Choice
from models.examples.npy_reader import cut, map_npy
from models.examples.npy_writer import npy_writer
from models.examples.shards import Place, prefetch_features, read_features, read_record
from models.examples.splits import SPLITS
from models.provenance.atomic import write_json
from models.tasks import ViewKey
from models.tasks.arrays import Array, Integers

FOLDER = "index"
DESCRIBED = "index.json"
# building: its place in the list of index.json. shard: number of the file among the split's.
# byte order and widths are said: the file is mapped into memory on any machine
ROW = np.dtype(
    [
        ("building", "<u4"),
        ("point", "<i4"),
        ("view", "<i4"),
        ("shard", "<u4"),
        ("offset", "<u8"),
        ("length", "<u4"),
        ("crc", "<u4"),
    ]
)
# Rows that are written at a time.
CHUNK = 4096


@dataclass(frozen=True)
class Entry:
    """Where the record of a view lies."""

    key: ViewKey
    split: str
    shard: int
    place: Place


def shard_file(split: str, shard: int, shards: int) -> str:
    """Returns the name of a file of records below an Examples artifact."""
    return f"Split-{split}/examples-{shard:05d}-of-{shards:05d}.tfrecord.gz"


class IndexWriter:
    """Writes the index of an artifact into `folder`, entries in the order of keys."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.buildings: dict[str, int] = {}
        self.waiting: dict[str, list[tuple[int, ...]]] = {split: [] for split in SPLITS}
        self.open = contextlib.ExitStack()
        self.files = {
            split: self.open.enter_context(npy_writer(folder / f"{split}.npy", ROW))
            for split in SPLITS
        }

    def add(self, entry: Entry) -> None:
        key = entry.key
        building = self.buildings.setdefault(key.building, len(self.buildings))
        rows = self.waiting[entry.split]
        rows.append((building, key.point, key.view, entry.shard, *entry.place))
        if len(rows) == CHUNK:
            self._flush(entry.split)

    def _flush(self, split: str) -> None:
        self.files[split].extend(np.array(self.waiting[split], ROW))
        self.waiting[split].clear()

    def close(self, facts: Mapping[str, Any]) -> None:
        """Writes the last rows, and index.json with `facts` (hash, size, shards)."""
        for split in SPLITS:
            self._flush(split)
        # a file's header is written when it is closed
        self.open.close()
        counts = {split: file.count for split, file in self.files.items()}
        described = {**facts, "buildings": list(self.buildings), "views": counts}
        write_json(self.folder / DESCRIBED, described)


def read_described(path: Path) -> dict[str, Any]:
    """Returns what a JSON file of an index or a store says. Raises ValueError, which names it, for
    one that was cut.
    """
    try:
        facts = json.loads(path.read_text())
    except ValueError as error:
        raise cut(path, error) from error
    if not isinstance(facts, dict):
        raise cut(path, f"an object is expected, got {type(facts).__name__}")
    return facts


class Index:
    """The views of an artifact, from a folder that `IndexWriter` has written; rows are
    memory-mapped.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        path = self.folder / DESCRIBED
        if not path.exists():
            raise FileNotFoundError(
                f"no {path}: the examples were written by earlier code, which made no index; "
                "ingest again"
            )
        self.facts: dict[str, Any] = read_described(path)
        self.buildings: list[str] = self.facts["buildings"]
        self._rows: dict[str, Array] = {}
        # the same, not as memmap, of which a row takes several times as long
        self._plain: dict[str, Array] = {}

    @property
    def hash(self) -> str:
        """16 hex digits that change with any record."""
        return str(self.facts["hash"])

    @property
    def size(self) -> int:
        """Side of the images in pixels."""
        return int(self.facts["size"])

    def count(self, split: str) -> int:
        return int(self.facts["views"][split])

    def rows(self, split: str) -> Array:
        """Returns [n] of `ROW`, in the order of keys. Raises ValueError for an index that was
        cut.
        """
        if split not in self._rows:
            path = self.folder / f"{split}.npy"
            rows: Array = map_npy(path)
            if rows.dtype != ROW:
                raise ValueError(
                    f"{path} has rows of another form, {rows.dtype.names or rows.dtype}, expected "
                    f"{ROW.names}; copy it anew, or ingest again"
                )
            if len(rows) != self.count(split):
                raise ValueError(
                    f"{path} has {len(rows)} rows, {DESCRIBED} says {self.count(split)}; "
                    "copy it anew, or ingest again"
                )
            self._rows[split] = rows
        return self._rows[split]

    def keys(self, split: str) -> Keys:
        return Keys(self.buildings, self.rows(split))

    def record(self, examples: str, split: str, position: int) -> bytes:
        """Returns the serialised view at a position, by one read. Raises DamagedRecord and
        FileNotFoundError as `read_record` does.
        """
        return read_record(*self.file_and_place(examples, split, position))

    def features(self, examples: str, split: str, position: int, choose: Choice) -> dict[str, Any]:
        """Returns those features of the view at a position that `choose` takes, as `read_features`
        does.
        """
        return read_features(*self.file_and_place(examples, split, position), choose)

    def prefetch(self, examples: str, split: str, positions: Sequence[int], choose: Choice) -> None:
        """Has the system fetch, as `prefetch_features` does, what `features` will read at some
        positions.
        """
        records = [self.file_and_place(examples, split, position) for position in positions]
        prefetch_features(records, choose)

    def file_and_place(self, examples: str, split: str, position: int) -> tuple[str, Place]:
        """Returns the path of the shard that holds the record at a position, and the record's place
        in it.
        """
        *_, shard, offset, length, crc = self._row(split, position)
        return self.path(examples, split, shard), Place(offset, length, crc)

    def key(self, split: str, position: int) -> ViewKey:
        """Returns the key of the view at a position."""
        building, point, view, *_ = self._row(split, position)
        return ViewKey(self.buildings[building], point, view)

    def _row(self, split: str, position: int) -> tuple[int, ...]:
        """Returns the numbers of a row, in the order of `ROW`."""
        if split not in self._plain:
            self._plain[split] = self.rows(split).view(np.ndarray)
        row: tuple[int, ...] = self._plain[split][position].item()
        return row

    def place(self, split: str, position: int) -> Place:
        """Returns where in its shard the record at a position lies."""
        row = self.rows(split)[position]
        return Place(int(row["offset"]), int(row["length"]), int(row["crc"]))

    def path(self, examples: str, split: str, shard: int) -> str:
        return f"{examples}/{shard_file(split, shard, self.facts['shards'])}"

    def spans(self, split: str) -> Iterator[range]:
        """Returns the ranges of positions of one building after the other (keys of a building stand
        side by side).
        """
        buildings = self.rows(split)["building"]
        borders = [0, *(np.flatnonzero(np.diff(buildings)) + 1).tolist(), len(buildings)]
        return (range(a, b) for a, b in zip(borders, borders[1:]) if b > a)

    def copy_to(self, folder: Path) -> None:
        """Copies the index into another folder, whose user then needs no access to the examples for
        it.
        """
        for name in (DESCRIBED, *(f"{split}.npy" for split in SPLITS)):
            shutil.copyfile(self.folder / name, folder / name)


@dataclass(frozen=True)
class Keys(Sequence[ViewKey]):
    """Keys of views, made of the index's rows when they are asked for."""

    buildings: Sequence[str]
    rows: Array

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return Keys(self.buildings, self.rows[place])
        row = self.rows[place]
        return ViewKey(self.buildings[row["building"]], int(row["point"]), int(row["view"]))


@dataclass(frozen=True)
class KeyTexts(Sequence[str]):
    """Keys of views as text, made when they are asked for."""

    keys: Sequence[ViewKey]

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return KeyTexts(self.keys[place])
        return str(self.keys[place])


@dataclass(frozen=True)
class SampleNames(Sequence[str]):
    """Names of samples, the keys of their views joined by +, made when they are asked for: this
    takes four bytes for each view of a sample instead of a text. views: [sample, images] positions
    among `keys`.
    """

    keys: Sequence[ViewKey]
    views: Integers

    def __len__(self) -> int:
        return len(self.views)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return SampleNames(self.keys, self.views[place])
        return "+".join(str(self.keys[view]) for view in self.views[place].tolist())


def write_index(folder: Path, entries: Iterable[Entry], facts: Mapping[str, Any]) -> None:
    """Writes an index of `entries`, which come in the order of keys, into `folder`."""
    writer = IndexWriter(folder)
    for entry in entries:
        writer.add(entry)
    writer.close(facts)
