"""Features that somebody computed elsewhere: arrays keyed by view."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np

from models.networks.sources.description import SourceError, check_map, keys_file
from models.networks.sources.encoders import Pooled
from models.tasks.arrays import Array, Floats

# What numpy raises for files, and members of archives, that are torn or hold no plain array.
UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
# Kinds of dtype whose entries are numbers: booleans, whole numbers, floats.
NUMBERS = "buif"
# Views whose features are float32 at a time; a file that is mapped is never read as a whole.
PART = 256


class FeatureArrays:
    """An `.npz` file with `keys` [n] and `features` [n, h, w, c], or one array [h, w, c] a view,
    named by its key; or an `.npy` file [n, h, w, c] with its keys, a line each, in STEM.txt beside
    it. Keys are `LabelStore.views`' (building/point/view), each once.

    Raises SourceError for anything else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # numpy maps no file inside an archive
            self.content = np.load(path, mmap_mode="r" if path.suffix == ".npy" else None)
            self.keys = self.read_keys()
        except UNREADABLE as error:
            # a ValueError, too, and says what is wrong already
            if isinstance(error, SourceError):
                raise
            raise SourceError(f"{path} cannot be read as arrays: {error}") from error
        if not self.keys:
            raise SourceError(f"{path} has features of no view")
        [(key, times)] = Counter(self.keys).most_common(1)
        if times > 1:
            raise SourceError(f"{path} has features of {key} {times} times; expected each key once")
        self.place = {key: i for i, key in enumerate(self.keys)}
        self.shape = self.read(0).shape
        if len(self.shape) != 3:
            raise SourceError(
                f"{path} has features of shape {self.shape} a view; expected [h, w, c]"
            )
        check_map(str(path), self.shape)

    def read_keys(self) -> list[str]:
        if self.path.suffix == ".npy":
            beside = keys_file(self.path)
            if not beside.exists():
                raise SourceError(
                    f"{self.path} needs {beside.name} beside it: the key of each view, a line each"
                )
            keys = beside.read_text("utf-8-sig").split()
            self.features: Array | None = self.content
        elif "keys" in self.content and "features" in self.content:
            keys = [text_of(key) for key in self.content["keys"].ravel().tolist()]
            self.features = self.content["features"]
        else:
            self.features = None
            # neither: every array is a view's, and its name the key
            return list(self.content.files)
        if self.features.ndim != 4:
            raise SourceError(
                f"{self.path} has features of shape {self.features.shape}; expected [view, h, w, c]"
            )
        if len(keys) != len(self.features):
            raise SourceError(f"{self.path} has {len(self.features)} rows and {len(keys)} keys")
        return keys

    def read(self, number: int) -> Array:
        """Returns the features of one view. Raises SourceError for what is no array of numbers."""
        key = self.keys[number]
        try:
            features = np.asarray(
                self.content[key] if self.features is None else self.features[number]
            )
        except UNREADABLE as error:
            raise SourceError(f"{self.path}: features of {key} cannot be read: {error}") from error
        if features.dtype.kind not in NUMBERS:
            raise SourceError(
                f"{self.path}: features of {key} are of the kind {features.dtype}; expected "
                "numbers (of complex ones, parts or sizes as channels)"
            )
        return features

    def row(self, number: int) -> Array:
        """Returns features [h, w, c] of one view. Raises SourceError for another shape than that of
        the first.
        """
        features = self.read(number)
        if features.shape != self.shape:
            raise SourceError(
                f"{self.path}: features of {self.keys[number]} have the shape {features.shape}, "
                f"those of {self.keys[0]} {self.shape}; expected one shape for all views"
            )
        return features

    def check_views(self, keys: Sequence[str]) -> None:
        """Raises SourceError for views that are lacking."""
        lacking = [key for key in keys if key not in self.place]
        if lacking:
            raise SourceError(
                f"{self.path} lacks features of {len(lacking)} of {len(keys)} views, such as "
                f"{lacking[0]}"
            )

    def of(self, keys: Sequence[str], grid: int) -> Floats:
        """Returns features of views, pooled: [view, grid, grid, c] float32. Raises SourceError for
        views that are lacking, and features that are no numbers.
        """
        self.check_views(keys)
        maps = np.empty((len(keys), *self.shape), "float32")
        # a float64 beyond float32 is said below
        with np.errstate(over="ignore"):
            for i, key in enumerate(keys):
                maps[i] = self.row(self.place[key])
        check_finite(str(self.path), maps, keys)
        return np.asarray(Pooled(grid)(keras.ops.convert_to_tensor(maps)))

    def parts(self, keys: Sequence[str], grid: int) -> Iterator[Floats]:
        """Yields the features [n, grid, grid, c] of views in order, `PART` views at a time, as `of`
        gives them.
        """
        for start in range(0, len(keys), PART):
            yield self.of(keys[start : start + PART], grid)


def text_of(key: object) -> str:
    """Returns a key as text; numpy's arrays of bytes give bytes."""
    return key.decode() if isinstance(key, bytes) else str(key)


def check_rows(name: str, maps: Floats, pictures: int) -> None:
    """Raises SourceError unless there is one map a picture in [maps, ...]: of other counts nobody
    knows whose a map is.
    """
    if len(maps) != pictures:
        raise SourceError(
            f"{name} gives {len(maps)} maps of {pictures} pictures; expected one map a picture, "
            "such as a reshape that keeps the first axis gives"
        )


def check_finite(name: str, maps: Floats, keys: Sequence[str]) -> None:
    """Raises SourceError for features [view, h, w, c] that are no numbers."""
    broken_maps = np.flatnonzero(~np.isfinite(maps).reshape(len(maps), -1).all(1))
    if len(broken_maps):
        raise SourceError(
            f"{name}: features of {len(broken_maps)} views are no finite numbers, such as "
            f"{keys[broken_maps[0]]}"
        )
