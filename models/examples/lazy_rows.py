"""An array whose rows are made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from models.tasks.arrays import Array


class LazyRows:
    """Stands for an array [n, *shape] of `dtype` where memory has no room for it: row i is
    `make(i)`. It is indexed like a memory-mapped array: by a number, a slice, a mask, or numbers in
    any shape; `np.asarray` makes all rows. prefetch: called with the numbers of rows that will be
    asked for.
    """

    def __init__(
        self,
        count: int,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        make: Callable[[int], Array],
        prefetch: Callable[[Sequence[int]], None] | None = None,
    ) -> None:
        self.shape = (count, *shape)
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.make = make
        self.prefetch = prefetch

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        """Count of the numbers in all rows."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        """Bytes of all rows, were they made."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, place: Any) -> Array:
        if isinstance(place, tuple):
            first, *rest = place
            rows = self[first]
            axes = rows.ndim - self.ndim + 1  # axes that `first` left of the rows
            values: Array = rows[(slice(None),) * axes + tuple(rest)]
            return values
        if isinstance(place, slice):
            return self.rows(np.arange(*place.indices(len(self))))
        places = np.asarray(place)
        if places.dtype == bool:
            if places.shape != (len(self),):
                raise IndexError(f"a mask of {len(self)} rows is expected, got {places.shape}")
            places = np.flatnonzero(places)
        # an empty list is an array of floats, which no row is taken by
        return self.rows(places.astype("int64") if places.size == 0 else places)

    def rows(self, places: Array) -> Array:
        """Returns rows [..., *shape] at places [...], which may be negative. Raises IndexError for
        those that are not there.
        """
        wrong = (places < -len(self)) | (places >= len(self))
        if wrong.any():
            raise IndexError(f"row {places[wrong].flat[0]} of {len(self)}")
        values = np.empty((places.size, *self.shape[1:]), self.dtype)
        for k, i in enumerate(places.ravel().tolist()):
            # negative numbers count from the end, as of any array
            values[k] = self.make(i % len(self))
        return values.reshape(places.shape + self.shape[1:])

    def __array__(self, dtype: DTypeLike = None, copy: bool | None = None) -> Array:
        return self[:].astype(dtype or self.dtype, copy=False)
