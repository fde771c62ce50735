"""Transfers into vectors and classes in closed form: kernel ridge regression, where the kernel of
several sources is the mean of theirs, and targets with the same samples share a kernel and its
inverses.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from models.networks.architecture.readout_features import global_kernel, global_parts
from models.networks.losses.block_layout import SHRINKAGES, TEMPERATURES, sharpened
from models.networks.losses.block_losses import sample_losses
from models.networks.transfers.closed_form.kernel_ridge import (
    KernelRidge,
    RidgeInverses,
    sample_kernel,
)
from models.networks.transfers.closed_form.sweep import side_by_side
from models.networks.transfers.learners import Bench, Losses, SourceSet, Wanted
from models.networks.transfers.regimes import Regime
from models.tasks import TASKS, Task, building_of
from models.tasks.arrays import Floats, Integers


class VectorBench(Bench, Protocol):
    """A bench that keeps kernels from target to target."""

    @property
    def kernels(self) -> dict[int, GlobalKernel]:
        """source -> its kernel, those computed so far."""


def global_features(maps: Floats, features: int, seed: int) -> Floats:
    """[n, h, w, c] -> [n, d] float32: the flattened map and `features` random ReLU features of it,
    scaled so that a view's mean square norm is about 1.
    """
    flat = np.asarray(maps, "float32").reshape(len(maps), -1)
    kernel = global_kernel(flat.shape[1], features, seed)
    return np.concatenate(global_parts(flat, kernel, np), axis=1).astype("float32")


class GlobalKernel:
    """kernels of one source between views: teaching with teaching [n, n], test with teaching [m,
    n], scaled to a mean diagonal of 1.
    """

    def __init__(self, bench: Bench, index: int) -> None:
        teach = features_of(bench, index, bench.config.transfer_split)
        test = features_of(bench, index, "test")
        scale = max(float((teach**2).sum(1).mean()), 1e-12)
        self.teach = teach @ teach.T / scale
        self.test = test @ teach.T / scale


def features_of(bench: Bench, index: int, split: str) -> Floats:
    """[views, d] `global_features` of one source."""
    config = bench.config
    return global_features(bench.maps(index, split), config.random_features, config.seed)


def view_kernel(bench: VectorBench, index: int) -> GlobalKernel:
    """of one source, computed once."""
    if index not in bench.kernels:
        bench.kernels[index] = GlobalKernel(bench, index)
    return bench.kernels[index]


def teaching_kernel(bench: VectorBench, subset: SourceSet) -> Floats:
    """[n, n] between teaching views: the mean of the sources' kernels."""
    return mean_of([view_kernel(bench, index).teach for index in subset])


def test_kernel(bench: VectorBench, subset: SourceSet) -> Floats:
    """[m, n] between test and teaching views: the mean of the sources' kernels."""
    return mean_of([view_kernel(bench, index).test for index in subset])


def mean_of(kernels: Sequence[Floats]) -> Floats:
    """of kernels of one shape."""
    total = kernels[0]
    for kernel in kernels[1:]:
        total = total + kernel
    return total / np.float32(len(kernels))


class GlobalTarget:
    """One vector or class target: its teaching samples of a regime and its test samples.

    rows: samples that teach in place of the regime's. Raises LookupError for fewer than two that
    have a label.
    """

    def __init__(
        self, bench: Bench, name: str, regime: Regime, rows: Integers | None = None
    ) -> None:
        split = bench.config.transfer_split
        teach = bench.store.samples(name, split)
        keys = bench.store.views(split)
        rows = regime.samples(teach, bench.config.seed) if rows is None else rows
        self.name = name
        self.task = TASKS[name]
        self.ridges = bench.config.ridges
        self.test = bench.store.samples(name, "test")
        self.rows = rows[np.asarray(teach.mask[rows]) > 0]
        if len(self.rows) < 2:
            raise LookupError(
                f"{len(self.rows)} samples of {name} with a label that is not masked teach "
                f"transfers in the {split} split; at least 2 are needed"
            )
        self.views = np.asarray(teach.views[self.rows])
        self.unseen = np.asarray(self.test.views)
        self.target = np.asarray(teach.target[self.rows], "float32")
        self.buildings = np.array([building_of(keys[view]) for view in self.views[:, 0]])

    def kernels(self, bench: VectorBench, subset: SourceSet) -> tuple[Floats, Floats]:
        """between teaching samples, and between test and teaching samples."""
        teach = sample_kernel(teaching_kernel(bench, subset), self.views, self.views)
        test = sample_kernel(test_kernel(bench, subset), self.unseen, self.views)
        return teach, test

    def fit(self, kernel: Floats | RidgeInverses) -> KernelRidge:
        """the regression, whose predictions are answers: logits where the target has classes."""
        if not isinstance(kernel, RidgeInverses):
            kernel = RidgeInverses(kernel, self.ridges, self.buildings)
        return cautious(self.task, KernelRidge(kernel, self.target, self.ridges), self.target)

    def losses(self, kernel: Floats | RidgeInverses, test: Floats) -> Floats:
        """[sample] of the test samples; test: their kernel with the teaching ones."""
        answer = self.fit(kernel).predict(test)
        return sample_losses(self.task.loss, self.test.target, self.test.mask, answer)


def cautious(task: Task, fit: KernelRidge, target: Floats) -> KernelRidge:
    """`fit`, with its distance from the constant answer c scaled, c + factor (prediction - mean),
    by the factor of the least left-out loss.

    Vectors: c is the mean and the factor at most 1, since few buildings teach more than holds
    elsewhere. Classes: c = log p, p the teaching shares, which makes logits of shares; one sample's
    weight is spread over all classes, so that one that was never seen stays possible.
    """
    count = len(target)
    constant = fit.mean
    if sharpened(task):
        share = (fit.mean * count + 1 / len(fit.mean)) / (count + 1)
        constant = np.log(share).astype("float32")

    def scaled(factor: float) -> Floats:
        return constant + np.float32(factor) * (fit.left_out - fit.mean)

    def loss(factor: float) -> float:
        losses = sample_losses(task.loss, target, np.ones(count, "float32"), scaled(factor))
        return float(losses.mean())

    factor = min(TEMPERATURES if sharpened(task) else SHRINKAGES, key=loss)
    left_out = scaled(factor)
    fit.dual = fit.dual * np.float32(factor)
    fit.mean = constant
    fit.left_out = left_out
    return fit


def vector_transfers(
    bench: VectorBench, regime: Regime, wanted: Wanted
) -> Iterator[tuple[str, Losses]]:
    """(target, losses) of vector and class targets; those with the same samples share a kernel and
    its inverses.
    """
    sharing: dict[tuple[bytes, bytes], list[GlobalTarget]] = {}
    for name in wanted:
        entry = GlobalTarget(bench, name, regime)
        sharing.setdefault((entry.views.tobytes(), entry.unseen.tobytes()), []).append(entry)
    for group in sharing.values():
        targets: dict[SourceSet, list[GlobalTarget]] = {}
        for entry in group:
            for subset in wanted[entry.name]:
                targets.setdefault(subset, []).append(entry)
        for index in {index for subset in targets for index in subset}:
            view_kernel(bench, index)  # before threads ask for it
        losses_of = functools.partial(losses_together, bench, targets)
        into = ", ".join(entry.name for entry in group)
        yield from side_by_side(bench, list(targets), losses_of, into)


def losses_together(
    bench: VectorBench, targets: Mapping[SourceSet, Sequence[GlobalTarget]], subset: SourceSet
) -> dict[str, Floats]:
    """target -> test losses, of the targets (with the same samples) that want a set of sources."""
    entries = targets[subset]
    teach, test = entries[0].kernels(bench, subset)
    inverses = RidgeInverses(teach, bench.config.ridges, entries[0].buildings)
    return {entry.name: entry.losses(inverses, test) for entry in entries}
