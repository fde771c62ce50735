"""Features that somebody computed elsewhere: arrays keyed by view."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from models.networks.sources.description import SourceError
from models.networks.sources.encoders import Pooled
from models.tasks.arrays import Array, Floats


class FeatureArrays:
    """An `.npz` file with `keys` [n] and `features` [n, h, w, c], or one array [h, w, c] a view,
    named by its key; or an `.npy` file [n, h, w, c] with its keys, a line each, in STEM.txt beside
    it. Keys are `LabelStore.views`' (building/point/view).

    Raises SourceError for anything else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # numpy maps no file inside an archive
            self.content = np.load(path, mmap_mode="r" if path.suffix == ".npy" else None)
            self.keys = self.read_keys()
        except (OSError, ValueError, KeyError) as error:
            # a ValueError, too, and says what is wrong already
            if isinstance(error, SourceError):
                raise
            raise SourceError(f"{path} cannot be read as arrays: {error}") from error
        self.place = {key: i for i, key in enumerate(self.keys)}
        shape = self.row(0).shape if self.keys else ()
        if len(shape) != 3:
            raise SourceError(f"{path} has features of shape {shape} a view; expected [h, w, c]")
        self.shape = shape

    def read_keys(self) -> list[str]:
        if self.path.suffix == ".npy":
            beside = self.path.with_suffix(".txt")
            if not beside.exists():
                raise SourceError(
                    f"{self.path} needs {beside.name} beside it: the key of each view, a line each"
                )
            keys = beside.read_text("utf-8-sig").split()
            self.features: Array | None = self.content
        elif "keys" in self.content and "features" in self.content:
            keys = [str(key) for key in self.content["keys"]]
            self.features = self.content["features"]
        else:
            self.features = None
            # neither: every array is a view's, and its name the key
            return list(self.content.files)
        if len(keys) != len(self.features):
            raise SourceError(f"{self.path} has {len(self.features)} rows and {len(keys)} keys")
        return keys

    def row(self, number: int) -> Array:
        if self.features is not None:
            return np.asarray(self.features[number])
        return np.asarray(self.content[self.keys[number]])

    def of(self, keys: Sequence[str], grid: int) -> Floats:
        """[view, grid, grid, c] float32, pooled. Raises SourceError for views that are lacking,
        and features that are no numbers.
        """
        lacking = [key for key in keys if key not in self.place]
        if lacking:
            raise SourceError(
                f"{self.path} lacks features of {len(lacking)} of {len(keys)} views, such as "
                f"{lacking[0]}"
            )
        maps = np.stack([self.row(self.place[key]) for key in keys]).astype("float32")
        check_finite(str(self.path), maps, keys)
        return np.asarray(Pooled(grid)(keras.ops.convert_to_tensor(maps)))


def check_finite(name: str, maps: Floats, keys: Sequence[str]) -> None:
    """Raises SourceError for features [view, h, w, c] that are no numbers."""
    lost = np.flatnonzero(~np.isfinite(maps).reshape(len(maps), -1).all(1))
    if len(lost):
        raise SourceError(
            f"{name}: features of {len(lost)} views are no finite numbers, such as {keys[lost[0]]}"
        )
