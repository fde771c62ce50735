"""The closed-form learner of transfers: all wanted sets of sources into all targets of a kind, from one pass over the teaching images."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from models.networks.answers import TEMPERATURES, fit_targets, sharpened, to_blocks
from models.networks.judging import Judge, block_channels, sample_losses
from models.networks.plan import NetworkConfig
from models.networks.readout import KernelRidge, Moments, RidgeInverses, global_features, local_features, random_kernel, sample_kernel
from models.tasks import TASKS, Task

CHUNK = 256  # teaching views whose features are in memory at once
SAVED = 32  # source sets after which what was measured goes to the ledger


class LocalFeatures:
    """features of sources' maps; index: as `Bench.maps`."""

    def __init__(self, bench) -> None:
        self.bench, self.kernels = bench, {}

    def kernel(self, channels: int) -> tuple[np.ndarray, np.ndarray]:
        if channels not in self.kernels:
            self.kernels[channels] = random_kernel(channels, self.bench.config.random_features, self.bench.config.seed)
        return self.kernels[channels]

    def __call__(self, index: int, split: str, views=slice(None)) -> np.ndarray:
        """[views cells, d + 1] float32."""
        maps = self.bench.maps(index, split)[views]
        return local_features(maps, *self.kernel(maps.shape[-1]))


def local_moments(bench, regime, subsets, names: list[str], features: LocalFeatures) -> tuple[Moments, dict[str, slice]]:
    """(sums over the teaching cells of a regime, target -> columns of its outputs)."""
    moments, parts = Moments(subsets), {}
    for held in (False, True):
        views = regime.views[regime.held == held]
        for i in range(0, len(views), CHUNK):
            picked, blocks, start = views[i : i + CHUNK], [], 0
            for name in names:
                blocks.append(map_outputs(bench.store, name, bench.config.transfer_split, picked, bench.grid, bench.config))
                parts[name] = slice(start, start := start + blocks[-1].shape[1])
            moments.add({source: features(source, bench.config.transfer_split, picked) for source in moments.sources}, np.concatenate(blocks, 1), held)
    return moments, parts


def local_transfers(bench, regime, todo: Mapping[str, list[tuple[int, ...]]]) -> None:
    """wanted subsets into map targets: Gram blocks between sources, one factor a subset and ridge, all targets side by side."""
    names: dict[tuple, list[str]] = {}
    for name, subsets in todo.items():
        for subset in subsets:
            names.setdefault(subset, []).append(name)
    if not names:
        return
    features = LocalFeatures(bench)
    moments, parts = local_moments(bench, regime, names, list(todo), features)
    unseen = {source: features(source, "test") for source in moments.sources}
    judges = {name: Judge(bench.store, name, bench.grid, bench.config.output_stride) for name in todo}
    rows, since = {name: {} for name in todo}, time.time()
    for done, (subset, into) in enumerate(names.items(), 1):
        weights, _ = moments.solve(subset, bench.config.ridges, {name: parts[name] for name in into})
        seen = np.concatenate([*(unseen[source][:, :-1] for source in subset), unseen[subset[0]][:, -1:]], 1)
        answers, start = (seen @ weights).reshape(-1, bench.grid**2, weights.shape[1]), 0
        for name in into:
            rows[name][subset] = judges[name](answers, start)
            start += parts[name].stop - parts[name].start
        if done % SAVED == 0 or done == len(names):
            for name in todo:
                bench.keep(name, rows[name], regime)
                rows[name] = {}
            left = (time.time() - since) / done * (len(names) - done)
            print(f"  source sets {done}/{len(names)} into {len(todo)} map targets, about {left:.0f} s left", file=bench.out, flush=True)


def map_outputs(store, name: str, split: str, picked: np.ndarray, grid: int, config: NetworkConfig) -> np.ndarray:
    """[len(picked) grid^2, o] regression outputs of the views `picked`; a view without the label counts with the mean of the others."""
    data, images = store.samples(name, split), store.images(split)
    position = {int(view): i for i, view in enumerate(data.views[:, 0])}
    have = [view for view in picked if int(view) in position]
    if not have:
        side, width = data.target.shape[1], block_channels(TASKS[name])
        return np.zeros((len(picked) * grid**2, width * (side // config.output_stride // grid) ** 2), "float32")
    at = [position[int(view)] for view in have]
    maps = fit_targets(TASKS[name], data.target[at], data.mask[at], images[have])
    if len(have) < len(picked):
        full = np.broadcast_to(maps.mean(0), (len(picked), *maps.shape[1:])).copy()
        full[np.isin(picked, have)] = maps
        maps = full
    return to_blocks(maps, grid, config.output_stride)


class GlobalKernel:
    """kernels of one source between views: teaching with teaching [n, n], test with teaching [m, n], scaled to a mean diagonal of 1."""

    def __init__(self, bench, index: int) -> None:
        config = bench.config
        teach, test = (global_features(bench.maps(index, split), config.random_features, config.seed) for split in (config.transfer_split, "test"))
        scale = max(float((teach**2).sum(1).mean()), 1e-12)
        self.teach, self.test = teach @ teach.T / scale, test @ teach.T / scale


def subset_kernel(bench, subset: tuple[int, ...], part: str) -> np.ndarray:
    """the mean of its sources' kernels; part: "teach" or "test"."""
    for index in subset:
        if index not in bench.kernels:
            bench.kernels[index] = GlobalKernel(bench, index)
    return sum(getattr(bench.kernels[i], part) for i in subset) / np.float32(len(subset))


def global_transfers(bench, regime, todo: Mapping[str, list[tuple[int, ...]]]) -> None:
    """wanted subsets into vector and class targets by kernel ridge regression; targets with the same samples share a kernel and its inverses."""
    shared: dict[tuple, list[GlobalTarget]] = {}
    for name in todo:
        target = GlobalTarget(bench, name, regime)
        shared.setdefault((target.views.tobytes(), target.unseen.tobytes()), []).append(target)
    for group in shared.values():
        names: dict[tuple, list[GlobalTarget]] = {}
        for target in group:
            for subset in todo[target.name]:
                names.setdefault(subset, []).append(target)
        rows: dict[str, dict] = {target.name: {} for target in group}
        for done, (subset, into) in enumerate(names.items(), 1):
            teach, test = group[0].kernels(bench, subset)
            inverses = RidgeInverses(teach, bench.config.ridges)
            for target in into:
                rows[target.name][subset] = target.losses(inverses, test)
            if done % SAVED == 0 or done == len(names):
                for target in group:
                    bench.keep(target.name, rows[target.name], regime)
                    rows[target.name] = {}


class GlobalTarget:
    """One vector or class target: its teaching samples of a regime and its test samples."""

    def __init__(self, bench, name: str, regime, rows: np.ndarray | None = None) -> None:
        self.name, self.task, self.ridges = name, TASKS[name], bench.config.ridges
        teach, self.test = bench.store.samples(name, bench.config.transfer_split), bench.store.samples(name, "test")
        self.rows = regime.samples(teach, bench.config.seed) if rows is None else rows
        if len(self.rows) < 2:
            raise LookupError(f"{len(self.rows)} labelled samples of {name} teach transfers in the {bench.config.transfer_split} split; at least 2 are needed")
        self.views, self.unseen = np.asarray(teach.views[self.rows]), np.asarray(self.test.views)
        self.target, self.mask = np.asarray(teach.target[self.rows], "float32"), np.asarray(teach.mask[self.rows], "float32")

    def kernels(self, bench, subset: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """between teaching samples, and between test and teaching samples."""
        return sample_kernel(subset_kernel(bench, subset, "teach"), self.views, self.views), sample_kernel(
            subset_kernel(bench, subset, "test"), self.unseen, self.views
        )

    def fit(self, kernel) -> tuple[KernelRidge, float]:
        """(regression, factor of its answers)."""
        fit = KernelRidge(kernel, self.target, self.ridges)
        return fit, temperature(self.task, fit.left_out, self.target)

    def losses(self, kernel, test: np.ndarray) -> np.ndarray:
        fit, factor = self.fit(kernel)
        return sample_losses(self.task.loss, self.test.target, self.test.mask, fit.predict(test) * np.float32(factor))


def temperature(task: Task, left_out: np.ndarray, target: np.ndarray) -> float:
    """for classes: the factor from regressed shares to logits with the least leave-one-out cross-entropy; 1 for vectors."""
    if not sharpened(task):
        return 1.0
    ones = np.ones(len(target), "float32")
    return min(TEMPERATURES, key=lambda factor: float(sample_losses(task.loss, target, ones, left_out * np.float32(factor)).mean()))
