"""Transfers into vectors and classes in closed form: kernel ridge regression, where the kernel of
several sources is the mean of theirs, and targets with the same samples share a kernel and its
inverses.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from models.networks.losses.block_layout import SHRINKAGES, TEMPERATURES, needs_temperature
from models.networks.losses.block_losses import sample_losses
from models.networks.transfers.closed_form import sweep
from models.networks.transfers.closed_form.kernel_ridge import (
    KernelRidge,
    RidgeInverses,
    sample_kernel,
)
from models.networks.transfers.closed_form.sweep import part_by_part
from models.networks.transfers.closed_form.view_kernels import (
    VectorBench,
    mean_of,
    places_among,
    teaching_kernel,
    teaching_views,
    view_kernel,
)
from models.networks.transfers.learners import BenchView, Losses, SetsByTarget, SourceSet
from models.networks.transfers.regimes import Regime
from models.tasks import TASKS, Task, building_of
from models.tasks.arrays import Floats, Integers


class GlobalTarget:
    """One vector or class target: its teaching samples of a regime and its test samples.

    rows: samples that teach in place of the regime's. Raises LookupError for fewer than two that
    have a label.
    """

    def __init__(
        self, bench: BenchView, name: str, regime: Regime, rows: Integers | None = None
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

    def fit(self, kernel: Floats | RidgeInverses) -> KernelRidge:
        """Returns the regression, whose predictions are answers: logits where the target has
        classes. kernel: [sample, sample] between teaching samples, or what was solved of it.
        """
        if not isinstance(kernel, RidgeInverses):
            kernel = RidgeInverses(kernel, self.ridges, self.buildings)
        return shrink_to_constant(
            self.task, KernelRidge(kernel, self.target, self.ridges), self.target
        )


def shrink_to_constant(task: Task, fit: KernelRidge, target: Floats) -> KernelRidge:
    """Returns `fit`, with its distance from the constant answer c scaled, c + factor (prediction -
    mean), by the factor of the least left-out loss.

    target: [n, outputs]. Vectors: c is the mean and the factor at most 1, since few buildings teach
    more than holds elsewhere. Classes: c = log p, p the teaching shares, which makes logits of
    shares; one sample's weight is spread over all classes, so that one that was never seen stays
    possible.
    """
    count = len(target)
    constant = fit.mean
    if needs_temperature(task):
        share = (fit.mean * count + 1 / len(fit.mean)) / (count + 1)
        constant = np.log(share).astype("float32")

    def scaled(factor: float) -> Floats:
        return constant + np.float32(factor) * (fit.left_out - fit.mean)

    def loss(factor: float) -> float:
        losses = sample_losses(task.loss, target, np.ones(count, "float32"), scaled(factor))
        return float(losses.mean())

    factor = min(TEMPERATURES if needs_temperature(task) else SHRINKAGES, key=loss)
    left_out = scaled(factor)
    # predictions are linear in it: all keep their distances from the mean times the factor
    fit.dual = fit.dual * np.float32(factor)
    fit.mean = constant
    fit.left_out = left_out
    return fit


def vector_transfers(
    bench: VectorBench, regime: Regime, source_sets: SetsByTarget
) -> Iterator[tuple[str, Losses]]:
    """Yields (target, losses) of vector and class targets; those with the same samples share a
    kernel and its inverses.
    """
    sharing: dict[tuple[bytes, bytes], list[GlobalTarget]] = {}
    for name in source_sets:
        entry = GlobalTarget(bench, name, regime)
        sharing.setdefault((entry.views.tobytes(), entry.unseen.tobytes()), []).append(entry)
    for group in sharing.values():
        targets: dict[SourceSet, list[GlobalTarget]] = {}
        for entry in group:
            for subset in source_sets[entry.name]:
                targets.setdefault(subset, []).append(entry)
        shared = SharedSamples(bench, targets)
        parts = [functools.partial(JudgedSamples, shared, rows) for rows in shared.parts()]
        into = ", ".join(entry.name for entry in group)
        yield from part_by_part(bench, list(targets), shared.fits, parts, into)


class SharedSamples:
    """Vector and class targets that have the same samples. targets: set of sources -> those that
    want it.
    """

    def __init__(
        self, bench: VectorBench, targets: Mapping[SourceSet, Sequence[GlobalTarget]]
    ) -> None:
        self.bench = bench
        self.targets = targets
        self.entry = next(iter(targets.values()))[0]
        self.sources = sorted({index for subset in targets for index in subset})
        self.views = teaching_views(bench, len(self.sources), self.entry.views)
        self.places = places_among(self.entry.views, self.views)
        for index in self.sources:
            view_kernel(bench, index, self.views)  # before threads ask for it

    def fits(self, subset: SourceSet) -> dict[str, KernelRidge]:
        """Returns target -> the regression on these sources."""
        between = teaching_kernel(self.bench, subset, self.views)
        kernel = sample_kernel(between, self.places, self.places)
        inverses = RidgeInverses(kernel, self.bench.config.ridges, self.entry.buildings)
        return {entry.name: entry.fit(inverses) for entry in self.targets[subset]}

    def parts(self) -> list[range]:
        """Returns the test samples that are held at a time: all where kernels between all views
        are; else as many as kernels of all sources between their views and the teaching ones leave
        room for.
        """
        count = len(self.entry.unseen)
        if self.views is None:
            return [range(count)]
        images = self.entry.unseen.shape[1]
        numbers = len(self.views) * images * len(self.sources)
        threads = self.bench.config.trainers
        numbers += threads * (2 * images * len(self.views) + 3 * len(self.places))
        return sweep.some_at_a_time(count, 4 * numbers)


class JudgedSamples:
    """Some test samples, `rows`, on which fits of `SharedSamples` are judged. Several threads may
    ask at a time.
    """

    def __init__(self, shared: SharedSamples, rows: range) -> None:
        bench = shared.bench
        unseen = shared.entry.unseen[rows.start : rows.stop]
        self.shared = shared
        kernels = {index: view_kernel(bench, index, shared.views) for index in shared.sources}
        if shared.views is None:
            self.places = unseen
            whole = {index: kernel.whole for index, kernel in kernels.items()}
            self.test = {index: kernel for index, kernel in whole.items() if kernel is not None}
        else:
            # a view may stand in several samples, its kernel is made once
            views = np.unique(unseen)
            self.places = places_among(unseen, views)
            self.test = {index: kernel.with_test(bench, views) for index, kernel in kernels.items()}
        every = {entry.name: entry for some in shared.targets.values() for entry in some}
        self.tasks = {name: entry.task for name, entry in every.items()}
        self.labels = {
            name: entry.test.labels(slice(rows.start, rows.stop)) for name, entry in every.items()
        }

    def __call__(self, subset: SourceSet, fits: Mapping[str, KernelRidge]) -> dict[str, Floats]:
        """Returns target -> losses [sample] float32."""
        between = mean_of([self.test[index] for index in subset])
        kernel = sample_kernel(between, self.places, self.shared.places)
        return {
            name: sample_losses(self.tasks[name].loss, *self.labels[name], fit.predict(kernel))
            for name, fit in fits.items()
        }
