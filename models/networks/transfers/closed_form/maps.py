"""The closed-form learner of transfers: all wanted sets of sources into all targets of a kind, from
one pass over the teaching images.
"""

from __future__ import annotations

import functools
import hashlib
import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from models.networks.config import NetworkConfig
from models.networks.losses.block_layout import (
    SHRINKAGES,
    TEMPERATURES,
    fit_targets,
    sharpened,
    to_blocks,
)
from models.networks.losses.block_losses import Judge, block_channels, sample_losses, sharpness
from models.networks.transfers.closed_form.ridge import (
    KernelRidge,
    Moments,
    RidgeInverses,
    global_features,
    local_features,
    predict,
    random_kernel,
    sample_kernel,
)
from models.tasks import TASKS, Task

QUIET = 10.0  # seconds between two lines of progress
CHUNK = 256  # teaching views whose features are in memory at once
SAVED = 32  # source sets after which what was measured goes to the ledger


class LocalFeatures:
    """features of sources' maps; index: as `Bench.maps`."""

    def __init__(self, bench) -> None:
        self.bench, self.kernels = bench, {}

    def kernel(self, channels: int) -> tuple[np.ndarray, np.ndarray]:
        if channels not in self.kernels:
            self.kernels[channels] = random_kernel(
                channels, self.bench.config.random_features, self.bench.config.seed
            )
        return self.kernels[channels]

    def __call__(self, index: int, split: str, views=slice(None)) -> np.ndarray:
        """[views cells, d + 1] float32."""
        maps = self.bench.maps(index, split)[views]
        return local_features(maps, *self.kernel(maps.shape[-1]))


def local_moments(
    bench, regime, subsets, names: list[str], features: LocalFeatures
) -> tuple[Moments, dict[str, slice]]:
    """(sums over the teaching cells of a regime that have a label, target -> columns of its
    outputs). names: targets whose labels lack in the same cells.

    Raises LookupError if no cell has a label.
    """
    moments, parts, split = Moments(subsets), {}, bench.config.transfer_split
    shifts = {name: class_shifts(bench.store, name, split, regime.views) for name in names}
    for held in (False, True):
        views = regime.views[regime.held == held]
        for i in range(0, len(views), CHUNK):
            picked, blocks, start = views[i : i + CHUNK], [], 0
            known = known_cells(bench.store, names[0], split, picked, bench.grid)
            for name in names:
                blocks.append(
                    map_outputs(bench.store, name, split, picked, bench.grid, bench.config)[known]
                )
                blocks[-1] += np.tile(shifts[name], blocks[-1].shape[1] // len(shifts[name]))
                parts[name] = slice(start, start := start + blocks[-1].shape[1])
            moments.add(
                {source: features(source, split, picked)[known] for source in moments.sources},
                np.concatenate(blocks, 1),
                held,
            )
    if not any(moments.rows):
        raise LookupError(
            f"all labels of {', '.join(names)} are masked or missing in the "
            f"{len(regime.views)} teaching views of {split}; leave the target out"
        )
    moments.judged = np.concatenate(
        [
            on_diagonal(part.stop - part.start, block_channels(TASKS[name]))
            for name, part in parts.items()
        ]
    )
    return moments, parts


def class_shifts(store, name: str, split: str, views: np.ndarray) -> np.ndarray:
    """[channels] float32: what is added to the one-hot pixels of a class map, so that their mean p
    is answered by log p (of pixels as the loss weighs them) after `sharpness`; zeros for other
    maps.
    """
    task = TASKS[name]
    if task.loss != "weighted_cross_entropy":
        return np.zeros(block_channels(task), "float32")
    data = store.samples(name, split)
    rows = np.flatnonzero(np.isin(np.asarray(data.views)[:, 0], views))
    ids, weight = (
        np.asarray(data.target[rows])[..., 0].astype(int),
        np.asarray(data.mask[rows], "float32")[..., 0],
    )
    count = lambda of: np.bincount(ids.ravel(), of.ravel(), task.output.channels)
    share, weighted = (
        values / max(values.sum(), 1e-6) for values in (count(weight > 0), count(weight))
    )
    return (np.log(weighted + 1e-4) / sharpness(task) - share).astype("float32")


def known_cells(store, name: str, split: str, picked: np.ndarray, grid: int) -> np.ndarray:
    """[len(picked) grid^2] bool: cells of views with an unmasked pixel of the target. The others
    teach nothing, as if they were not there.
    """
    data = store.samples(name, split)
    rows = {int(view): i for i, view in enumerate(np.asarray(data.views)[:, 0])}
    have = np.array([int(view) in rows for view in picked], bool)
    mask = np.asarray(data.mask[[rows[int(view)] for view in picked[have]]]) > 0
    side = mask.shape[1]
    made = np.zeros((len(picked), grid, grid), bool)
    made[have] = mask.reshape(len(mask), grid, side // grid, grid, side // grid).any((2, 4))
    return made.ravel()


def local_transfers(bench, regime, todo: Mapping[str, list[tuple[int, ...]]]) -> None:
    """wanted subsets into map targets. Targets whose labels lack in the same cells (all of them, in
    data without holes) share their sums.
    """
    alike: dict[bytes, list[str]] = {}
    for name in todo:
        alike.setdefault(
            known_cells(
                bench.store, name, bench.config.transfer_split, regime.views, bench.grid
            ).tobytes(),
            [],
        ).append(name)
    for names in alike.values():
        transfers_alike(bench, regime, {name: todo[name] for name in names})


def transfers_alike(bench, regime, todo: Mapping[str, list[tuple[int, ...]]]) -> None:
    """of targets that lack the same cells: Gram blocks between sources, one factor a subset and
    ridge, all targets side by side.
    """
    wanted: dict[tuple, list[str]] = {}
    for name, subsets in todo.items():
        for subset in subsets:
            wanted.setdefault(subset, []).append(name)
    if not wanted:
        return
    alike = twins(bench.store, todo, bench.config.transfer_split)
    names = {
        subset: list(dict.fromkeys(alike[name] for name in found))
        for subset, found in wanted.items()
    }
    features = LocalFeatures(bench)
    moments, parts = local_moments(
        bench, regime, names, sorted(set(alike.values()), key=list(todo).index), features
    )
    unseen = {source: features(source, "test") for source in moments.sources}
    judges = {
        name: Judge(bench.store, name, bench.grid, bench.config.output_stride) for name in parts
    }

    rows, room = (
        len(unseen[moments.sources[0]]),
        threading.local(),
    )  # fresh memory for the answers costs as much as computing them
    widest = max(sum(unseen[source].shape[1] for source in subset) for subset in names)

    def measured(subset: tuple[int, ...]) -> dict[str, np.ndarray]:
        weights, _ = moments.solve(
            subset, bench.config.ridges, {name: parts[name] for name in names[subset]}
        )
        if not hasattr(room, "answers"):
            room.answers = np.empty(
                rows * sum(part.stop - part.start for part in parts.values()), "float32"
            )
            room.seen = np.empty(rows * widest, "float32")
        made, seen = (
            space[: rows * width].reshape(rows, width)
            for space, width in zip((room.answers, room.seen), weights.shape[::-1])
        )
        answers = predict([unseen[source] for source in subset], weights, seen, made).reshape(
            -1, bench.grid**2, weights.shape[1]
        )
        widths = [parts[name].stop - parts[name].start for name in names[subset]]
        found = {
            name: judges[name](answers, start)
            for name, start in zip(names[subset], np.cumsum([0, *widths]))
        }
        return {name: found[alike[name]] for name in wanted[subset]}

    side_by_side(bench, regime, names, measured, f"{len(todo)} map targets")


def twins(store, names: Iterable[str], split: str) -> dict[str, str]:
    """target -> the first that asks the same of a frozen code: the same loss and labels of the same
    views (autoencoding and denoising do).
    """
    firsts: dict[tuple, str] = {}

    def content(name: str) -> tuple:
        held = [
            part
            for at in (split, "test")
            for data in (store.samples(name, at),)
            for part in (data.views, data.target, data.mask)
        ]
        return (
            TASKS[name].loss,
            TASKS[name].output,
            *(hashlib.sha256(np.ascontiguousarray(part)).digest() for part in held),
        )

    return {name: firsts.setdefault(content(name), name) for name in names}


def on_diagonal(outputs: int, channels: int) -> np.ndarray:
    """[outputs] bool: those of r r pixels of a block that stand on its diagonal. A ridge is chosen
    by these alone: pixels of a block err alike.
    """
    r = math.isqrt(outputs // channels)
    return np.eye(r, dtype=bool).ravel().repeat(channels)


def side_by_side(
    bench, regime, names: Mapping[tuple, list[str]], measured: Callable, into: str
) -> None:
    """what `measured` finds for every set of sources, target -> losses, to the ledger, `SAVED` sets
    at a time.

    As many sets at a time as `config.trainers`, a thread each, on as many shares of the cores:
    these matrices are too small for one product to fill them all.
    """
    rows, since, workers = {}, time.time(), bench.config.trainers
    said = since
    pool, cores = ThreadPoolExecutor(workers), len(os.sched_getaffinity(0))
    with threadpool_limits(max(1, cores // workers), "blas"):
        waiting = [pool.submit(measured, subset) for subset in names]
        try:
            for done, (subset, future) in enumerate(zip(names, waiting), 1):
                for name, losses in future.result().items():
                    rows.setdefault(name, {})[subset] = losses
                if done % SAVED == 0 or done == len(names):
                    for name, found in rows.items():
                        bench.keep(name, found, regime)
                    now, rows = time.time(), {}
                    if done == len(names) or now - said > QUIET:
                        said, left = now, (now - since) / done * (len(names) - done)
                        print(
                            f"  source sets {done}/{len(names)} into {into}, about {left:.0f} "
                            "s left",
                            file=bench.out,
                            flush=True,
                        )
        finally:
            pool.shutdown(
                wait=True, cancel_futures=True
            )  # after an error or an interrupt: what waits does not begin


def map_outputs(
    store, name: str, split: str, picked: np.ndarray, grid: int, config: NetworkConfig
) -> np.ndarray:
    """[len(picked) grid^2, o] regression outputs of the views `picked`; zeros for a view without
    the label.
    """
    data, images = store.samples(name, split), store.images(split)
    position = {int(view): i for i, view in enumerate(data.views[:, 0])}
    have = np.array([int(view) in position for view in picked], bool)
    side, width = data.target.shape[1], block_channels(TASKS[name])
    made = np.zeros(
        (len(picked), grid**2, width * (side // config.output_stride // grid) ** 2), "float32"
    )
    if have.any():
        at = [position[int(view)] for view in picked[have]]
        maps = fit_targets(
            TASKS[name], data.target[at], data.mask[at], images[picked[have]], cells=grid
        )
        made[have] = to_blocks(maps, grid, config.output_stride).reshape(len(at), *made.shape[1:])
    return made.reshape(-1, made.shape[-1])


class GlobalKernel:
    """kernels of one source between views: teaching with teaching [n, n], test with teaching [m,
    n], scaled to a mean diagonal of 1.
    """

    def __init__(self, bench, index: int) -> None:
        config = bench.config
        teach, test = (
            global_features(bench.maps(index, split), config.random_features, config.seed)
            for split in (config.transfer_split, "test")
        )
        scale = max(float((teach**2).sum(1).mean()), 1e-12)
        self.teach, self.test = teach @ teach.T / scale, test @ teach.T / scale


def subset_kernel(bench, subset: tuple[int, ...], part: str) -> np.ndarray:
    """the mean of its sources' kernels; part: "teach" or "test"."""
    return sum(getattr(view_kernel(bench, index), part) for index in subset) / np.float32(
        len(subset)
    )


def view_kernel(bench, index: int) -> GlobalKernel:
    """of one source, computed once."""
    if index not in bench.kernels:
        bench.kernels[index] = GlobalKernel(bench, index)
    return bench.kernels[index]


def global_transfers(bench, regime, todo: Mapping[str, list[tuple[int, ...]]]) -> None:
    """wanted subsets into vector and class targets by kernel ridge regression; targets with the
    same samples share a kernel and its inverses.
    """
    shared: dict[tuple, list[GlobalTarget]] = {}
    for name in todo:
        target = GlobalTarget(bench, name, regime)
        shared.setdefault((target.views.tobytes(), target.unseen.tobytes()), []).append(target)
    for group in shared.values():
        names: dict[tuple, list[str]] = {}
        for target in group:
            for subset in todo[target.name]:
                names.setdefault(subset, []).append(target.name)
        for index in {index for subset in names for index in subset}:
            view_kernel(bench, index)
        side_by_side(
            bench,
            regime,
            names,
            functools.partial(measured_together, bench, group, names),
            ", ".join(target.name for target in group),
        )


def measured_together(
    bench, group: list[GlobalTarget], names: Mapping[tuple, list[str]], subset: tuple[int, ...]
) -> dict[str, np.ndarray]:
    """target -> test losses, of the targets of a group that want a set of sources."""
    teach, test = group[0].kernels(bench, subset)
    inverses = RidgeInverses(teach, bench.config.ridges, group[0].buildings)
    return {
        target.name: target.losses(inverses, test)
        for target in group
        if target.name in names[subset]
    }


class GlobalTarget:
    """One vector or class target: its teaching samples of a regime and its test samples."""

    def __init__(self, bench, name: str, regime, rows: np.ndarray | None = None) -> None:
        self.name, self.task, self.ridges = name, TASKS[name], bench.config.ridges
        split = bench.config.transfer_split
        teach, self.test = bench.store.samples(name, split), bench.store.samples(name, "test")
        rows = regime.samples(teach, bench.config.seed) if rows is None else rows
        self.rows = rows[np.asarray(teach.mask[rows]) > 0]
        if len(self.rows) < 2:
            raise LookupError(
                f"{len(self.rows)} samples of {name} with a label that is not masked teach "
                f"transfers in the {split} split; at least 2 are needed"
            )
        self.views, self.unseen = np.asarray(teach.views[self.rows]), np.asarray(self.test.views)
        self.target = np.asarray(teach.target[self.rows], "float32")
        keys = bench.store.views(split)
        self.buildings = np.array([str(keys[view]).split("/")[0] for view in self.views[:, 0]])

    def kernels(self, bench, subset: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """between teaching samples, and between test and teaching samples."""
        return sample_kernel(
            subset_kernel(bench, subset, "teach"), self.views, self.views
        ), sample_kernel(subset_kernel(bench, subset, "test"), self.unseen, self.views)

    def fit(self, kernel: np.ndarray | RidgeInverses) -> KernelRidge:
        """the regression, whose predictions are answers: logits where the target has classes."""
        solved = (
            kernel
            if isinstance(kernel, RidgeInverses)
            else RidgeInverses(kernel, self.ridges, self.buildings)
        )
        return cautious(self.task, KernelRidge(solved, self.target, self.ridges), self.target)

    def losses(self, kernel, test: np.ndarray) -> np.ndarray:
        return sample_losses(
            self.task.loss, self.test.target, self.test.mask, self.fit(kernel).predict(test)
        )


def cautious(task: Task, fit: KernelRidge, target: np.ndarray) -> KernelRidge:
    """the regression with its distance from the constant answer c scaled, c + factor (prediction -
    mean), by the factor of the least left-out loss.

    Vectors: c is the mean and the factor at most 1, since few buildings teach more than holds
    elsewhere. Classes: c = log p, p the teaching shares, which makes logits of shares; one sample's
    weight is spread over all classes, so that one that was never seen stays possible.
    """
    ones, mean, count = np.ones(len(target), "float32"), fit.mean, len(target)
    constant = (
        np.log((mean * count + 1 / len(mean)) / (count + 1)).astype("float32")
        if sharpened(task)
        else mean
    )
    scaled = lambda factor: constant + np.float32(factor) * (fit.left_out - mean)
    factor = min(
        TEMPERATURES if sharpened(task) else SHRINKAGES,
        key=lambda factor: float(sample_losses(task.loss, target, ones, scaled(factor)).mean()),
    )
    fit.dual, fit.mean, fit.left_out = fit.dual * np.float32(factor), constant, scaled(factor)
    return fit
