"""All transfers of order 1 and 2, and the controls, measured from stored representations by the closed-form learner.

Transfers learn from `config.transfer_split` (the paper: the validation buildings) and are measured on the test buildings, image by image, with
the target task's own loss. Controls in the same tournament: supervised (the task network itself), scratch (the same readout learned from raw pixels,
as the released `pixels` rows are a shallow network), average (the best constant).
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

import numpy as np

from models.networks.answers import SEGMENT_FEATURES, TEMPERATURES, fit_targets, from_blocks, sharpened, to_blocks
from models.networks.calibration import calibrate
from models.networks.losses import image_losses
from models.networks.plan import NetworkConfig, sources_of
from models.networks.readout import KernelRidge, LocalSolver, global_features, local_features, random_kernel, sample_kernel
from models.networks.task_network import average_losses
from models.tasks import TASKS, Task

Record = Callable[[dict, list[str], np.ndarray], None]
Wanted = Mapping[str, Collection[tuple[str, ...]]]
PIXELS = "pixels"


def measure_transfers(
    store,
    representations,
    networks: str | Path,
    ledger: str | Path,
    config: NetworkConfig,
    *,
    record: Record,
    targets: Iterable[str],
    wanted: Wanted | None = None,
    out=sys.stderr,
) -> dict:
    """measure every transfer into `targets`; `record(transfer, sample names, losses)` is called once for each.

    transfer: {"sources", "target", "regime", "control"}. wanted: target -> sets of sources that are worth measuring; all if None, and all of a target that it
    does not name. Controls are always measured. Finished targets are read back from `ledger`. Returns what is worth reporting:
    {"transfers", "seconds", "calibration": rows of `calibration.calibrate`, "addresses": target -> content address of what was measured}.
    """
    since, targets = time.time(), [name for name in targets if store.has(name)]
    bench = Bench(store, representations, config, wanted)
    maps = [name for name in targets if TASKS[name].output.dense]
    places = {name: Path(ledger) / f"{name}-{ledger_address(name, store, representations, networks, config)}{bench.screen(name)}.npz" for name in targets}
    fresh = [name for name in targets if not places[name].exists()]
    rows: dict[str, list] = {name: [] for name in fresh}
    todo = [name for name in maps if name in fresh]
    if todo:
        local_transfers(bench, todo, rows, out)
    for name in fresh:
        if not TASKS[name].output.dense:
            global_transfers(bench, name, rows)
    for name in fresh:
        rows[name] += controls(name, store, networks)
        save(places[name], rows[name])
    count = 0
    for name in targets:
        names = store.sample_names(name, "test")
        for key, losses in load(places[name]):
            record({"sources": list(key[0]), "target": name, "regime": "", "control": key[1] or None}, names, losses)
            count += key[1] == ""
    print(
        f"  {count} transfers into {len(targets)} targets ({len(targets) - len(fresh)} targets from the ledger): {time.time() - since:.1f} s",
        file=out,
        flush=True,
    )
    calibration = [calibrated(bench, name, places[name], out) for name in calibration_sample(targets, config.calibration_targets)]
    return {"transfers": count, "seconds": time.time() - since, "calibration": calibration, "addresses": {name: place.stem for name, place in places.items()}}


def calibration_sample(targets: list[str], count: int) -> list[str]:
    """`count` of the targets, as different in kind as the list allows: kinds of output in turn."""
    kinds: dict[tuple, list[str]] = {}
    for name in targets:
        kinds.setdefault((TASKS[name].output.kind, TASKS[name].images), []).append(name)
    dealt = [name for turn in itertools.zip_longest(*kinds.values()) for name in turn if name is not None]
    return dealt[:count]


def calibrated(bench: Bench, name: str, place: Path, out) -> dict:
    """the calibration row of one target, kept beside the target's losses in the ledger."""
    settings = zlib.crc32(json.dumps([bench.config.calibration_sources, sources_of("calibration", "gradient", "member_stack", "heads")]).encode())
    path = place.with_name(f"{place.stem}-calibration-{settings:08x}.json")
    if not path.exists():
        closed = {key: losses for (key, control), losses in load(place) if not control}
        row = calibrate(bench.store, bench.maps, bench.sources, name, closed, bench.config, out=out)
        scratch = path.with_name(f".{path.name}.{os.getpid()}")
        scratch.write_text(json.dumps(row))
        os.replace(scratch, path)
    return json.loads(path.read_text())


class Bench:
    """What all targets share: the sources, their subsets, and which views teach."""

    def __init__(self, store, representations, config: NetworkConfig, wanted: Wanted | None = None) -> None:
        self.store, self.representations, self.config = store, representations, config
        self.wanted = {name: {tuple(sorted(sources)) for sources in sets} for name, sets in (wanted or {}).items()}
        self.sources = representations.sources
        count = len(self.sources)
        self.subsets = [subset for order in range(1, config.transfer_order + 1) for subset in itertools.combinations(range(count), order)]
        self.views = len(store.views(config.transfer_split))
        self.grid = representations.read(self.sources[0], "test").shape[1]

    def maps(self, index: int, split: str) -> np.ndarray:
        """standardised representation of source `index`; one past the last is raw pixels, averaged to the grid."""
        if index < len(self.sources):
            return np.asarray(self.representations.read(self.sources[index], split), "float32")
        return pixel_map(self.store.images(split), self.grid)

    def names(self, subset: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(self.sources[i] for i in subset)

    def wants(self, target: str, subset: tuple[int, ...]) -> bool:
        """is this transfer to be measured?"""
        return target not in self.wanted or tuple(sorted(self.names(subset))) in self.wanted[target]

    def screen(self, target: str) -> str:
        """part of the ledger's file name: which transfers into the target are measured; empty for all."""
        return f"-{zlib.crc32(json.dumps(sorted(self.wanted[target])).encode()):08x}" if target in self.wanted else ""


def pixel_map(images: np.ndarray, grid: int) -> np.ndarray:
    """uint8 [n, S, S, 3] -> [n, grid, grid, 12]: each cell's four quarters' mean colours, about unit variance."""
    n, side = images.shape[:2]
    half = side // (2 * grid)
    quarters = images.reshape(n, grid, 2, half, grid, 2, half, 3).astype("float32").mean((3, 6)).transpose(0, 1, 3, 2, 4, 5)
    return (quarters.reshape(n, grid, grid, 12) - 127.5) / 64


def teaching_rows(store, name: str, config: NetworkConfig) -> np.ndarray:
    """positions of the samples that teach transfers: at most `transfer_images` of the transfer split."""
    count = len(store.samples(name, config.transfer_split))
    return (
        np.arange(count)
        if count <= config.transfer_images
        else np.sort(np.random.default_rng(config.seed).choice(count, config.transfer_images, replace=False))
    )


def local_transfers(bench: Bench, names: list[str], rows: dict, out) -> None:
    """all subsets into all map targets at once: one Gram matrix, one factor a subset."""
    config, split = bench.config, bench.config.transfer_split
    picked = np.arange(bench.views)[: config.transfer_images]
    channels = bench.maps(0, "test").shape[-1]
    kernel, bias = random_kernel(channels, config.random_features, config.seed)
    fits, slices, start = [], {}, 0
    for name in names:
        block = map_outputs(bench.store, name, split, picked, bench.grid, config)
        slices[name] = slice(start, start + block.shape[1])
        start += block.shape[1]
        fits.append(block)
    outputs = np.concatenate(fits, 1)
    features = [local_features(bench.maps(i, split)[picked], kernel, bias) for i in range(len(bench.sources))]
    solver = LocalSolver(features, outputs)
    del features
    unseen = [local_features(bench.maps(i, "test"), kernel, bias) for i in range(len(bench.sources))]
    ridges = {name: choose_ridge(bench, name, kernel, bias, outputs[:, slices[name]], len(picked)) for name in names}
    judged = {name: Judge(bench.store, name, config, bench.grid) for name in names}
    since = time.time()
    for done, subset in enumerate(bench.subsets):
        seen = np.concatenate([unseen[i] for i in subset] + [np.ones((len(unseen[0]), 1), "float32")], 1)
        for ridge in set(ridges.values()):
            group = [name for name in names if ridges[name] == ridge and bench.wants(name, subset)]
            if not group:
                continue
            weights = solver.weights(subset, ridge)
            for name in group:
                rows[name].append(((bench.names(subset), ""), judged[name](seen @ weights[:, slices[name]])))
        if done % 50 == 49:
            left = (time.time() - since) / (done + 1) * (len(bench.subsets) - done - 1)
            print(f"  source sets {done + 1}/{len(bench.subsets)} into {len(names)} map targets, about {left:.0f} s left", file=out, flush=True)
    pixels = bench.maps(len(bench.sources), split)[picked]
    kernel, bias = random_kernel(pixels.shape[-1], config.random_features, config.seed)
    solver = LocalSolver([local_features(pixels, kernel, bias)], outputs)
    seen = local_features(bench.maps(len(bench.sources), "test"), kernel, bias)
    seen = np.concatenate([seen, np.ones((len(seen), 1), "float32")], 1)
    for name in names:
        rows[name].append((((), "scratch"), judged[name](seen @ solver.weights((0,), ridges[name])[:, slices[name]])))


def map_outputs(store, name: str, split: str, picked: np.ndarray, grid: int, config: NetworkConfig) -> np.ndarray:
    """[len(picked) grid^2, o] regression outputs of the views `picked`; a view without the label counts with the task's mean."""
    data, images = store.samples(name, split), store.images(split)
    position = {int(view): i for i, view in enumerate(data.views[:, 0])}
    have = [view for view in picked if int(view) in position]
    at = [position[int(view)] for view in have]
    maps = fit_targets(TASKS[name], data.target[at], data.mask[at], images[have])
    full = np.broadcast_to(maps.mean(0), (len(picked), *maps.shape[1:])).copy()
    full[np.isin(picked, have)] = maps
    return to_blocks(full, grid, config.output_stride)


def choose_ridge(bench: Bench, name: str, kernel, bias, outputs: np.ndarray, views: int, probes: int = 4) -> float:
    """the strength with the least squared error on a fifth of the teaching views that the fit has not seen, over a few sources; test views take no part."""
    if len(bench.config.ridges) == 1 or views < 10:
        return bench.config.ridges[0]
    cells = bench.grid**2
    cut, errors = (views - views // 5) * cells, np.zeros(len(bench.config.ridges))
    for index in np.linspace(0, len(bench.sources) - 1, probes).astype(int):
        features = local_features(bench.maps(int(index), bench.config.transfer_split)[:views], kernel, bias)
        solver = LocalSolver([features[:cut]], outputs[:cut])
        seen = np.concatenate([features[cut:], np.ones((len(features) - cut, 1), "float32")], 1)
        for i, ridge in enumerate(bench.config.ridges):
            errors[i] += ((seen @ solver.weights((0,), ridge) - outputs[cut:]) ** 2).mean()
    return bench.config.ridges[int(errors.argmin())]


class Judge:
    """Per-image test losses of predicted map blocks, by the task's own loss; classes and embeddings are sharpened by a fixed factor."""

    def __init__(self, store, name: str, config: NetworkConfig, grid: int) -> None:
        self.task, self.config, self.grid = TASKS[name], config, grid
        self.data = store.samples(name, "test")
        self.target, self.mask = np.asarray(self.data.target, "float32"), np.asarray(self.data.mask, "float32")
        self.channels = block_channels(self.task)

    def __call__(self, blocks: np.ndarray) -> np.ndarray:
        cells = self.grid**2
        picked = blocks.reshape(-1, cells, blocks.shape[1])[self.data.views[:, 0]].reshape(-1, blocks.shape[1])
        maps = from_blocks(picked, self.grid, self.channels, self.config.output_stride)
        return map_losses(self.task, self.target, self.mask, maps * sharpness(self.task))


def block_channels(task: Task) -> int:
    return SEGMENT_FEATURES if task.output.kind == "embedding" else task.output.channels


def sharpness(task: Task) -> float:
    """fixed factor from regressed shares to logits, and from mean colour and place to embedding distance; part of the exported network too."""
    return {"pixel_classes": 6.0, "embedding": 3.0}.get(task.output.kind, 1.0)


def map_losses(task: Task, target: np.ndarray, mask: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """[B]: numpy where that is quick, the shared Keras loss else."""
    if task.loss in ("l1", "l2"):
        error = np.abs(target - answer) if task.loss == "l1" else (target - answer) ** 2
        weight = np.broadcast_to(mask, error.shape)
        return ((error * weight).sum((1, 2, 3)) / np.maximum(weight.sum((1, 2, 3)), 1e-6)).astype("float32")
    return image_losses(task.loss, target, mask, answer)


def global_transfers(bench: Bench, name: str, rows: dict) -> None:
    """all subsets into one vector or class target by kernel ridge regression."""
    fits = [GlobalKernel(bench, index, bench.config) for index in range(len(bench.sources) + 1)] if not hasattr(bench, "kernels") else bench.kernels
    bench.kernels = fits
    for subset in [*(subset for subset in bench.subsets if bench.wants(name, subset)), (len(bench.sources),)]:
        fit, losses = fit_global(bench, name, subset)
        key = ((), "scratch") if subset == (len(bench.sources),) else (bench.names(subset), "")
        rows[name].append((key, losses))


class GlobalKernel:
    """kernels of one source between views: teaching with teaching [n, n], test with teaching [m, n], scaled to a mean diagonal of 1."""

    def __init__(self, bench: Bench, index: int, config: NetworkConfig) -> None:
        teach, test = (global_features(bench.maps(index, split), config.random_features, config.seed) for split in (config.transfer_split, "test"))
        scale = float((teach**2).sum(1).mean())
        self.teach, self.test = teach @ teach.T / scale, test @ teach.T / scale


def fit_global(bench: Bench, name: str, subset: tuple[int, ...]) -> tuple[KernelRidge, np.ndarray]:
    """the regression of one subset into one target, and its test losses."""
    task, store, config = TASKS[name], bench.store, bench.config
    teach, test, rows = store.samples(name, config.transfer_split), store.samples(name, "test"), teaching_rows(store, name, config)
    views = np.asarray(teach.views[rows])
    kernels = [sum(getattr(bench.kernels[i], part) for i in subset) / len(subset) for part in ("teach", "test")]
    fit = KernelRidge(sample_kernel(kernels[0], views, views), np.asarray(teach.target[rows], "float32"), config.ridges)
    answer = fit.predict(sample_kernel(kernels[1], np.asarray(test.views), views))
    fit.temperature = temperature(task, fit.left_out, np.asarray(teach.target[rows], "float32"))
    return fit, image_losses(task.loss, test.target, test.mask, answer * fit.temperature)


def temperature(task: Task, left_out: np.ndarray, target: np.ndarray) -> float:
    """for classes: the factor from regressed shares to logits with the least leave-one-out cross-entropy; 1 for vectors."""
    if not sharpened(task):
        return 1.0
    ones = np.ones(len(target), "float32")
    return min(TEMPERATURES, key=lambda factor: float(image_losses(task.loss, target, ones, left_out * factor).mean()))


def controls(name: str, store, networks: str | Path) -> list:
    """the supervised network's and the average's losses on the same test samples."""
    return [(((), "supervised"), np.load(Path(networks) / name / "test_losses.npy")), (((), "average"), average_losses(TASKS[name], store))]


def ledger_address(name: str, store, representations, networks: str | Path, config: NetworkConfig) -> str:
    """what all transfers into a target depend on, 8 hex digits."""
    sources = {source: representations.facts["sources"][source]["address"] for source in representations.sources}
    described = Path(networks) / name / "network.json"  # only the supervised control needs the target's own network
    own = json.loads(described.read_text())["address"] if described.exists() else ""
    fields = {
        key: getattr(config, key) for key in ("random_features", "output_stride", "ridges", "transfer_split", "transfer_images", "transfer_order", "seed")
    }
    content = json.dumps([store.hash, sources, own, fields, sources_of("answers", "losses", "readout", "transfers")], sort_keys=True)
    return f"{zlib.crc32(content.encode()):08x}"


def save(path: Path, rows: list) -> None:
    """one target's losses, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}.npz")
    np.savez(
        scratch,
        keys=json.dumps([[list(sources), control] for (sources, control), _ in rows]),
        losses=np.stack([losses for _, losses in rows]).astype("float32"),
    )
    os.replace(scratch, path)


def load(path: Path) -> list:
    """what `save` wrote."""
    with np.load(path) as file:
        keys, losses = json.loads(str(file["keys"])), file["losses"]
    return [((tuple(sources), control), row) for (sources, control), row in zip(keys, losses)]


def train_transfer(sources: tuple[str, ...], target: str, store, representations, networks: str | Path, folder: str | Path, config: NetworkConfig) -> Path:
    """the network of one edge, solved in closed form and written for `load_transfer_network`; a complete one is kept."""
    from models.networks.transfer_network import write_transfer

    address = ledger_address(target, store, representations, networks, config) + "-" + ",".join(sources)
    described = Path(folder) / "transfer.json"
    if described.exists() and json.loads(described.read_text())["address"] == address:
        return Path(folder)
    bench = Bench(store, representations, config)
    subset = tuple(bench.sources.index(source) for source in sources)
    return write_transfer(bench, subset, target, Path(folder), address)
