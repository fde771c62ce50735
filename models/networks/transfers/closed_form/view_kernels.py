"""Kernels of frozen representations between views, a source at a time: between all of them where
these are few, else between those that are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from models.networks.architecture.readout_features import global_kernel, global_parts
from models.networks.transfers.closed_form import sweep
from models.networks.transfers.learners import BenchView, SourceSet
from models.tasks.arrays import Floats, Integers

CHUNK = 256  # views whose features are held where all are summed


class VectorBench(BenchView, Protocol):
    """A bench that keeps kernels from target to target."""

    @property
    def kernels(self) -> dict[int, GlobalKernel]:
        """Returns source -> its kernel, of those computed so far."""


def global_features(maps: Floats, features: int, seed: int) -> Floats:
    """[n, h, w, c] -> [n, d] float32: the flattened map and `features` random ReLU features of it,
    scaled so that a view's mean square norm is about 1.
    """
    flat = np.asarray(maps, "float32").reshape(len(maps), -1)
    kernel = global_kernel(flat.shape[1], features, seed)
    return np.concatenate(global_parts(flat, kernel, np), axis=1).astype("float32")


class GlobalKernel:
    """Kernels of one source, scaled to a mean diagonal of 1 over all views of the transfer split.

    views: rising positions of those that teach; all if None, and then the kernel with all test
    views is kept too. scale: mean square norm of features, taken over all views if None. teach:
    [n, n] between teaching views.
    """

    def __init__(
        self,
        bench: BenchView,
        index: int,
        views: Integers | None = None,
        scale: float | None = None,
    ) -> None:
        split = bench.config.transfer_split
        self.index = index
        self.views = views
        self.features = features_of(bench, index, split, views)
        if scale is None:
            # over all views of the split either way: which of them teach must not change the kernel
            scale = mean_square(bench, index) if views is not None else mean_of_squares(self)
        self.scale = scale
        self.teach = self.features @ self.features.T / scale
        self.whole = self.with_test(bench, None) if views is None else None

    def with_test(self, bench: BenchView, views: Integers | None) -> Floats:
        """Returns the kernel [m, n] between test views, all if None, and teaching views."""
        test = features_of(bench, self.index, "test", views)
        return test @ self.features.T / self.scale

    def teaches(self, views: Integers | None) -> bool:
        """Returns whether it is the kernel of these teaching views [n]; None: of all."""
        if views is None or self.views is None:
            # None stands for all: only two of it are the same
            return views is self.views
        return np.array_equal(views, self.views)


def features_of(
    bench: BenchView, index: int, split: str, views: Integers | slice | None = None
) -> Floats:
    """Returns the `global_features` [views, d] of one source; all views of the split if None."""
    config = bench.config
    maps = bench.maps(index, split)
    if views is not None:
        maps = maps[views]
    return global_features(maps, config.random_features, config.seed)


def mean_of_squares(kernel: GlobalKernel) -> float:
    """Returns the mean square norm of the features of a kernel's teaching views."""
    # a source that is 0 everywhere has no scale
    return max(float((kernel.features**2).sum(1).mean()), 1e-12)


def mean_square(bench: BenchView, index: int) -> float:
    """Returns the mean square norm of one source's features over all views of the transfer split,
    of which some hundred are held at a time.
    """
    split = bench.config.transfer_split
    squares = [
        (features_of(bench, index, split, slice(start, start + CHUNK)) ** 2).sum(1)
        for start in range(0, len(bench.maps(index, split)), CHUNK)
    ]
    return max(float(np.concatenate(squares).mean()), 1e-12)


def view_kernel(bench: VectorBench, index: int, views: Integers | None = None) -> GlobalKernel:
    """Returns the kernel of one source between these teaching views [n] (None: all); the last one
    of a source is kept.
    """
    kernel = bench.kernels.get(index)
    if kernel is None or not kernel.teaches(views):
        # of all views, and so the same whichever of them teach
        scale = None if kernel is None else kernel.scale
        bench.kernels[index] = kernel = GlobalKernel(bench, index, views, scale)
    return kernel


def teaching_views(bench: VectorBench, sources: int, *samples: Integers) -> Integers | None:
    """Returns the views between which kernels of so many sources are made: None, for all, where
    these and those with test views fit into `HELD`; else those of `samples` [sample, images] alone.
    """
    split = bench.config.transfer_split
    teach, test = (len(bench.maps(0, part)) for part in (split, "test"))
    if 4 * sources * teach * (teach + test) <= sweep.HELD:
        return None
    return np.unique(np.concatenate([views.ravel() for views in samples]))


def places_among(views: Integers, used: Integers | None) -> Integers:
    """Returns the positions of views [...] among the rising `used` [n] ones; the views themselves
    if None.
    """
    return views if used is None else np.searchsorted(used, views)


def teaching_kernel(bench: VectorBench, subset: SourceSet, views: Integers | None = None) -> Floats:
    """Returns the kernel [n, n] between teaching views: the mean of the sources' kernels."""
    return mean_of([view_kernel(bench, index, views).teach for index in subset])


def mean_of(kernels: Sequence[Floats]) -> Floats:
    """Returns the mean of kernels of one shape [n, m]."""
    total = kernels[0]
    for kernel in kernels[1:]:
        total = total + kernel
    return total / np.float32(len(kernels))
