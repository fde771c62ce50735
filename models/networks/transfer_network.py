"""Transfer networks in closed form, as ordinary Keras models that export and serve like any other.

A network takes raw (unstandardised) representations, sources side by side on the channel axis: [B, h, w, c order], or [B, images, h, w, c order].
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops

from models.tasks import TASKS, Task


@dataclass(frozen=True)
class TransferNetwork:
    """sources: in the order of the channels. head: keras.Model of representations -> the target's answer (logits where it has classes)."""

    sources: tuple[str, ...]
    target: Task
    head: keras.Model


class LocalReadout(keras.layers.Layer):
    """3 x 3 neighbourhoods and random ReLU features of each source, one solved 1 x 1 layer, blocks unfolded into a map.

    arrays: mean, deviation [order, c]; kernel [9 c, features]; bias [features]; weights [order (9 c + features) + 1, r r k].
    """

    def __init__(self, arrays: dict, channels: int, enlarge: int, factor: float) -> None:
        super().__init__(trainable=False)
        self.channels, self.enlarge, self.factor = channels, enlarge, factor
        self.order, self.width = arrays["mean"].shape
        self.parts = {name: constant(self, name, value) for name, value in arrays.items()}

    def call(self, maps):
        h, w = maps.shape[1:3]
        features = []
        for i in range(self.order):
            own = (maps[..., i * self.width : (i + 1) * self.width] - self.parts["mean"][i]) / self.parts["deviation"][i]
            padded = ops.pad(own, ((0, 0), (1, 1), (1, 1), (0, 0)))
            x = ops.concatenate([padded[:, a : a + h, b : b + w] for a in range(3) for b in range(3)], axis=-1)
            features += [x, ops.relu(ops.matmul(x, self.parts["kernel"]) + self.parts["bias"])]
        blocks = ops.matmul(ops.concatenate(features, axis=-1), self.parts["weights"][:-1]) + self.parts["weights"][-1]
        r = int(round((self.parts["weights"].shape[1] / self.channels) ** 0.5))
        unfolded = ops.transpose(ops.reshape(blocks, (-1, h, w, r, r, self.channels)), (0, 1, 3, 2, 4, 5))
        maps = ops.reshape(unfolded, (-1, h * r, w * r, self.channels)) * self.factor
        return ops.repeat(ops.repeat(maps, self.enlarge, axis=1), self.enlarge, axis=2) if self.enlarge > 1 else maps


class GlobalReadout(keras.layers.Layer):
    """kernel ridge regression on flattened representations and random ReLU features; the teaching samples' features are its weights.

    arrays: mean, deviation [order, c]; kernel [h w c, features]; teach [order, views, d]; scale [order]; views [samples, images] positions in teach;
    dual [samples, o]; constant [o].
    """

    def __init__(self, arrays: dict, images: int, factor: float) -> None:
        super().__init__(trainable=False)
        self.images, self.factor = images, factor
        self.positions = arrays.pop("views").astype("int32")
        self.order, self.width = arrays["mean"].shape
        self.parts = {name: constant(self, name, value) for name, value in arrays.items()}

    def call(self, maps):
        views = ops.expand_dims(maps, 1) if self.images == 1 else maps
        near = [ops.take(self.similar(views[:, i]), self.positions[:, i], axis=1) for i in range(self.images)]
        total = sum(near) / self.images
        if self.images > 1:
            product = near[0]
            for other in near[1:]:
                product = product * other
            total = total + product
        return (ops.matmul(total, self.parts["dual"]) + self.parts["constant"]) * self.factor

    def similar(self, maps):
        """[B, views]: kernel between new views and teaching views, the mean over sources."""
        total, size = 0.0, int(np.prod(maps.shape[1:3])) * self.width
        for i in range(self.order):
            own = (maps[..., i * self.width : (i + 1) * self.width] - self.parts["mean"][i]) / self.parts["deviation"][i]
            flat = ops.reshape(own, (-1, size))
            random = ops.relu(ops.matmul(flat, self.parts["kernel"])) / self.parts["kernel"].shape[1] ** 0.5
            features = ops.concatenate([flat / size**0.5, random], axis=1)
            total = total + ops.matmul(features, ops.transpose(self.parts["teach"][i])) / self.parts["scale"][i]
        return total / self.order


def constant(layer: keras.layers.Layer, name: str, value: np.ndarray):
    """a weight that is never trained."""
    weight = layer.add_weight(shape=value.shape, initializer="zeros", trainable=False, name=name, dtype="float32")
    weight.assign(value.astype("float32"))
    return weight


def write_transfer(bench, subset: tuple[int, ...], target: str, folder: Path, address: str) -> Path:
    """solve one edge on `bench` and write it: arrays.npz and transfer.json, renamed when complete."""
    from models.networks import transfers

    task, config, sources = TASKS[target], bench.config, bench.names(subset)
    scales = [bench.representations.scale(source) for source in sources]
    arrays = {"mean": np.stack([mean for mean, _ in scales]), "deviation": np.stack([deviation for _, deviation in scales])}
    facts = {"sources": list(sources), "target": target, "address": address, "grid": bench.grid, "learner": "closed_form"}
    if task.output.dense:
        arrays.update(local_arrays(bench, subset, target))
        facts.update(channels=transfers.block_channels(task), enlarge=config.output_stride, factor=transfers.sharpness(task))
    else:
        solved, factor = global_arrays(bench, subset, target)
        arrays.update(solved)
        facts.update(factor=factor)
    scratch = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    np.savez(scratch / "arrays.npz", **arrays)
    (scratch / "transfer.json").write_text(json.dumps(facts))
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(scratch, folder)
    return folder


def local_arrays(bench, subset: tuple[int, ...], target: str) -> dict:
    """kernel, bias and the solved weights of one subset into one map target."""
    from models.networks import transfers
    from models.networks.readout import LocalSolver, local_features, random_kernel

    config, split = bench.config, bench.config.transfer_split
    picked = np.arange(bench.views)[: config.transfer_images]
    outputs = transfers.map_outputs(bench.store, target, split, picked, bench.grid, config)
    kernel, bias = random_kernel(bench.maps(0, "test").shape[-1], config.random_features, config.seed)
    solver = LocalSolver([local_features(bench.maps(i, split)[picked], kernel, bias) for i in subset], outputs)
    ridge = transfers.choose_ridge(bench, target, kernel, bias, outputs, len(picked))
    return {"kernel": kernel, "bias": bias, "weights": solver.weights(tuple(range(len(subset))), ridge)}


def global_arrays(bench, subset: tuple[int, ...], target: str) -> tuple[dict, float]:
    """the solved kernel regression of one subset into one vector or class target, and its temperature."""
    from models.networks import transfers
    from models.networks.readout import global_features

    config, split = bench.config, bench.config.transfer_split
    bench.kernels = {i: transfers.GlobalKernel(bench, i, config) for i in subset}
    fit, _ = transfers.fit_global(bench, target, subset)
    rows = transfers.teaching_rows(bench.store, target, config)
    teach = [global_features(bench.maps(i, split), config.random_features, config.seed) for i in subset]
    size = int(np.prod(bench.maps(0, "test").shape[1:]))
    kernel = (np.random.default_rng(config.seed).standard_normal((size, config.random_features)) / np.sqrt(size)).astype("float32")
    return {
        "kernel": kernel,
        "teach": np.stack(teach),
        "scale": np.array([(features**2).sum(1).mean() for features in teach]),
        "views": np.asarray(bench.store.samples(target, split).views[rows]),
        "dual": fit.dual,
        "constant": fit.mean,
    }, fit.temperature


def load_transfer_network(folder: str | Path) -> TransferNetwork:
    """the network that `train_transfer` wrote. Raises FileNotFoundError if there is none."""
    folder = Path(folder)
    if not (folder / "transfer.json").exists():
        raise FileNotFoundError(f"no transfer network at {folder}; train_transfer writes them")
    facts = json.loads((folder / "transfer.json").read_text())
    with np.load(folder / "arrays.npz") as file:
        arrays = dict(file)
    task, channels = TASKS[facts["target"]], arrays["mean"].size
    shape = (facts["grid"], facts["grid"], channels)
    source = keras.Input(shape if task.images == 1 else (task.images, *shape), name="representation")
    layer = (
        LocalReadout(arrays, facts["channels"], facts["enlarge"], facts["factor"]) if task.output.dense else GlobalReadout(arrays, task.images, facts["factor"])
    )
    return TransferNetwork(tuple(facts["sources"]), task, keras.Model(source, layer(source), name=f"transfer_to_{task.name}"))
