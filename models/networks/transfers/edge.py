"""Transfer networks of both learners, as ordinary Keras models that export and serve like any
other.

A network takes raw (unstandardised) representations, sources side by side on the channel axis: [B,
h, w, c order], or [B, images, h, w, c order].
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import keras
import numpy as np
from keras import ops

from models.networks.architecture.transfer_heads import build_transfer_head
from models.networks.config import NetworkConfig
from models.networks.losses.block_layout import from_blocks
from models.networks.losses.block_losses import block_channels, sample_losses, sharpness
from models.networks.losses.losses import image_losses
from models.networks.transfers.regimes import held_out
from models.tasks import TASKS, Task


@dataclass(frozen=True)
class TransferNetwork:
    """sources: in the order of the channels. head: keras.Model of representations -> the target's
    answer (logits where it has classes). learner: "closed_form" or "gradient", whichever did better
    on held-out data.
    """

    sources: tuple[str, ...]
    target: Task
    head: keras.Model
    learner: str = "closed_form"


class Standardised(keras.layers.Layer):
    """(representation - mean) / deviation a channel, as the representation store keeps them; mean,
    deviation [order c].
    """

    def __init__(self, mean: np.ndarray, deviation: np.ndarray) -> None:
        super().__init__(trainable=False)
        self.mean, self.deviation = (
            constant(self, "mean", mean),
            constant(self, "deviation", deviation),
        )

    def call(self, maps):
        return (maps - self.mean) / self.deviation


class LocalReadout(keras.layers.Layer):
    """3 x 3 neighbourhoods and random ReLU features of each source, one solved 1 x 1 layer, blocks
    unfolded into a map.

    arrays: mean, deviation [order, c]; kernel [9 c, features]; bias [features]; weights [order (9 c
    + features) + 1, r r k].
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
            own = (
                maps[..., i * self.width : (i + 1) * self.width] - self.parts["mean"][i]
            ) / self.parts["deviation"][i]
            padded = ops.pad(own, ((0, 0), (1, 1), (1, 1), (0, 0)))
            x = ops.concatenate(
                [padded[:, a : a + h, b : b + w] for a in range(3) for b in range(3)], axis=-1
            )
            features += [x, ops.relu(ops.matmul(x, self.parts["kernel"]) + self.parts["bias"])]
        blocks = (
            ops.matmul(ops.concatenate(features, axis=-1), self.parts["weights"][:-1])
            + self.parts["weights"][-1]
        )
        r = int(round((self.parts["weights"].shape[1] / self.channels) ** 0.5))
        unfolded = ops.transpose(
            ops.reshape(blocks, (-1, h, w, r, r, self.channels)), (0, 1, 3, 2, 4, 5)
        )
        maps = ops.reshape(unfolded, (-1, h * r, w * r, self.channels)) * self.factor
        return (
            ops.repeat(ops.repeat(maps, self.enlarge, axis=1), self.enlarge, axis=2)
            if self.enlarge > 1
            else maps
        )


class GlobalReadout(keras.layers.Layer):
    """kernel ridge regression on flattened representations and random ReLU features; the teaching
    samples' features are its weights.

    arrays: mean, deviation [order, c]; kernel [h w c, features]; teach [order, views, d]; scale
    [order]; views [samples, images] positions in teach; dual [samples, o]; constant [o].
    """

    def __init__(self, arrays: dict, images: int) -> None:
        super().__init__(trainable=False)
        self.images = images
        self.positions = arrays.pop("views").astype("int32")
        self.order, self.width = arrays["mean"].shape
        self.parts = {name: constant(self, name, value) for name, value in arrays.items()}

    def call(self, maps):
        views = ops.expand_dims(maps, 1) if self.images == 1 else maps
        near = [
            ops.take(self.similar(views[:, i]), self.positions[:, i], axis=1)
            for i in range(self.images)
        ]
        total = sum(near) / self.images
        if self.images > 1:
            product = near[0]
            for other in near[1:]:
                product = product * other
            total = total + product
        return ops.matmul(total, self.parts["dual"]) + self.parts["constant"]

    def similar(self, maps):
        """[B, views]: kernel between new views and teaching views, the mean over sources."""
        total, size = 0.0, int(np.prod(maps.shape[1:3])) * self.width
        for i in range(self.order):
            own = (
                maps[..., i * self.width : (i + 1) * self.width] - self.parts["mean"][i]
            ) / self.parts["deviation"][i]
            flat = ops.reshape(own, (-1, size))
            random = (
                ops.relu(ops.matmul(flat, self.parts["kernel"]))
                / self.parts["kernel"].shape[1] ** 0.5
            )
            features = ops.concatenate([flat / size**0.5, random], axis=1)
            total = (
                total
                + ops.matmul(features, ops.transpose(self.parts["teach"][i]))
                / self.parts["scale"][i]
            )
        return total / self.order


def constant(layer: keras.layers.Layer, name: str, value: np.ndarray):
    """a weight that is never trained."""
    weight = layer.add_weight(
        shape=value.shape, initializer="zeros", trainable=False, name=name, dtype="float32"
    )
    weight.assign(value.astype("float32"))
    return weight


def write_transfer(bench, subset: tuple[int, ...], target: str, folder: Path, address: str) -> Path:
    """solve one edge on `bench` in closed form, train it by gradient too where the configuration
    has `edge_epochs`, and write the better on held-out data.

    Files: transfer.json and arrays.npz (for the gradient learner, head.weights.h5 too), renamed
    when complete.
    """
    task, config, regime, sources = (
        TASKS[target],
        bench.config,
        bench.regimes[-1],
        bench.names(subset),
    )
    facts = {
        "sources": list(sources),
        "target": target,
        "address": address,
        "grid": bench.grid,
        "learner": "closed_form",
        "validation": {},
    }
    learned = None
    if config.edge_epochs and len(fitting(bench, target, regime)[1]) > 1:
        learned, facts["validation"] = compared(bench, subset, target, regime)
        facts["learner"] = min(facts["validation"], key=facts["validation"].get)
    scales = [bench.representations.scale(source) for source in sources]
    arrays = {
        "mean": np.stack([mean for mean, _ in scales]),
        "deviation": np.stack([deviation for _, deviation in scales]),
    }
    if facts["learner"] == "gradient":
        facts.update(size=bench.store.size, config=asdict(config))
    elif task.output.dense:
        arrays.update(local_arrays(bench, subset, target, regime))
        facts.update(
            channels=block_channels(task), enlarge=config.output_stride, factor=sharpness(task)
        )
    else:
        arrays.update(global_arrays(bench, subset, target, regime))
    scratch = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    np.savez(scratch / "arrays.npz", **arrays)
    if facts["learner"] == "gradient":
        learned.save_weights(scratch / "head.weights.h5")
    (scratch / "transfer.json").write_text(json.dumps(facts))
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(scratch, folder)
    return folder


def fitting(bench, target: str, regime) -> tuple[np.ndarray, np.ndarray]:
    """(rows that teach, rows held out) of the target's samples in the transfer split, as the
    regime's views are divided.
    """
    data = bench.store.samples(target, bench.config.transfer_split)
    rows = regime.samples(data, bench.config.seed)
    held = np.isin(np.asarray(data.views)[rows], regime.views[regime.held]).any(1)
    return rows[~held], rows[held]


def compared(
    bench, subset: tuple[int, ...], target: str, regime
) -> tuple[keras.Model, dict[str, float]]:
    """(the head trained by gradient, learner -> mean loss on held-out samples that neither learner
    has seen). Both learners are fitted to the teaching samples; `stopping` samples choose the
    gradient's epoch, the others compare. Test samples take no part.
    """
    from models.networks.transfers.gradient.learner import member_head, schedule_of

    fit, held = fitting(bench, target, regime)
    chosen = stopping(bench, target, held)
    head, own = member_head(
        bench,
        subset,
        target,
        (fit, held[chosen], held[~chosen]),
        schedule_of(bench.config, target, bench.config.edge_epochs),
    )
    return head, {
        "closed_form": closed_loss(bench, subset, target, regime, fit, held[~chosen]),
        "gradient": own,
    }


def stopping(bench, target: str, held: np.ndarray) -> np.ndarray:
    """[held] bool: the half of the held-out samples that chooses the gradient's epoch: whole
    buildings (of a sample's first view), every second by name; of one building, every second
    sample.
    """
    keys, data = (
        bench.store.views(bench.config.transfer_split),
        bench.store.samples(target, bench.config.transfer_split),
    )
    buildings = [str(keys[view]).split("/")[0] for view in np.asarray(data.views)[held, 0]]
    names = sorted(set(buildings))
    return np.isin(buildings, names[::2]) if len(names) > 1 else np.arange(len(held)) % 2 == 0


def closed_loss(
    bench, subset: tuple[int, ...], target: str, regime, fit: np.ndarray, held: np.ndarray
) -> float:
    """mean loss of the closed form on held-out samples, fitted to the others."""
    from models.networks.transfers.closed_form.maps import (
        GlobalTarget,
        LocalFeatures,
        local_moments,
        subset_kernel,
    )
    from models.networks.transfers.closed_form.ridge import sample_kernel

    task, config, split = TASKS[target], bench.config, bench.config.transfer_split
    data = bench.store.samples(target, split)
    wanted, mask = np.asarray(data.target[held], "float32"), np.asarray(data.mask[held], "float32")
    if task.output.dense:
        features = LocalFeatures(bench)
        inner = replace(
            regime,
            views=regime.views[~regime.held],
            held=held_out([bench.store.views(split)[i] for i in regime.views[~regime.held]]),
        )
        moments, parts = local_moments(bench, inner, [subset], [target], features)
        weights, _ = moments.solve(subset, config.ridges, parts)
        seen = [features(source, split, np.asarray(data.views)[held, 0]) for source in subset]
        blocks = np.concatenate([*(part[:, :-1] for part in seen), seen[0][:, -1:]], 1) @ weights
        return float(
            image_losses(
                task.loss,
                wanted,
                mask,
                from_blocks(blocks, bench.grid, block_channels(task), config.output_stride)
                * sharpness(task),
            ).mean()
        )
    solved = GlobalTarget(bench, target, regime, rows=fit)
    kernel, views = subset_kernel(bench, subset, "teach"), np.asarray(data.views)[held]
    found = solved.fit(sample_kernel(kernel, solved.views, solved.views))
    return float(
        sample_losses(
            task.loss, wanted, mask, found.predict(sample_kernel(kernel, views, solved.views))
        ).mean()
    )


def local_arrays(bench, subset: tuple[int, ...], target: str, regime) -> dict:
    """kernel, bias and the solved weights of one subset into one map target."""
    from models.networks.transfers.closed_form.maps import LocalFeatures, local_moments

    features = LocalFeatures(bench)
    moments, parts = local_moments(bench, regime, [subset], [target], features)
    weights, _ = moments.solve(subset, bench.config.ridges, parts)
    kernel, bias = features.kernel(bench.maps(subset[0], "test").shape[-1])
    return {"kernel": kernel, "bias": bias, "weights": weights}


def global_arrays(bench, subset: tuple[int, ...], target: str, regime) -> dict:
    """the solved kernel regression of one subset into one vector or class target."""
    from models.networks.transfers.closed_form.maps import GlobalTarget
    from models.networks.transfers.closed_form.ridge import global_features

    config, split = bench.config, bench.config.transfer_split
    solved = GlobalTarget(bench, target, regime)
    fit = solved.fit(solved.kernels(bench, subset)[0])
    teach = [
        global_features(bench.maps(i, split), config.random_features, config.seed) for i in subset
    ]
    size = int(np.prod(bench.maps(0, "test").shape[1:]))
    kernel = (
        np.random.default_rng(config.seed).standard_normal((size, config.random_features))
        / np.sqrt(size)
    ).astype("float32")
    return {
        "kernel": kernel,
        "teach": np.stack(teach),
        "scale": np.array([(features**2).sum(1).mean() for features in teach]),
        "views": solved.views,
        "dual": fit.dual,
        "constant": fit.mean,
    }


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
    source = keras.Input(
        shape if task.images == 1 else (task.images, *shape), name="representation"
    )
    if facts["learner"] == "gradient":
        head = build_transfer_head(
            task, NetworkConfig(**facts["config"]), shape, task.images, facts["size"]
        )
        head.load_weights(folder / "head.weights.h5")
        head.trainable = False
        answer = head(Standardised(arrays["mean"].ravel(), arrays["deviation"].ravel())(source))
    elif task.output.dense:
        answer = LocalReadout(arrays, facts["channels"], facts["enlarge"], facts["factor"])(source)
    else:
        answer = GlobalReadout(arrays, task.images)(source)
    return TransferNetwork(
        tuple(facts["sources"]),
        task,
        keras.Model(source, answer, name=f"transfer_to_{task.name}"),
        facts["learner"],
    )
