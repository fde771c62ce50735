"""Task networks: one a task, trained on pixels, kept in a content-addressed ledger."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from models.networks.encoders import build_encoder
from models.networks.heads import build_head
from models.networks.inputs import training_input
from models.networks.losses import LOSSES, image_losses
from models.networks.plan import NetworkConfig, sources_of
from models.tasks import TASKS, Task

# The fields of a configuration that a task network depends on; the others only matter to transfers.
LEARNED = (
    "encoder",
    "encoder_widths",
    "representation_channels",
    "decoder_widths",
    "head_width",
    "steps",
    "batch",
    "learning_rate",
    "weight_decay",
    "tile_size",
    "seed",
)

SHRINKAGES = (1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)


class Interrupted(RuntimeError):
    """Training stopped with a reason; the ledger keeps what was finished."""


@dataclass(frozen=True)
class TaskNetwork:
    """encoder: [B, S, S, C] -> [B, h, w, c]; head: [B, h, w, c] or [B, images, h, w, c] -> answer (None for the untrained control)."""

    task: Task
    encoder: keras.Model
    head: keras.Model | None
    size: int

    @property
    def images(self) -> int:
        """representations a sample."""
        return 9 if self.task.input == "tiles" else self.task.images

    def answer(self, value: np.ndarray, batch: int = 64) -> np.ndarray:
        """answers to training-form inputs."""
        parts = []
        for i in range(0, len(value), batch):
            chunk = value[i : i + batch]
            flat = chunk.reshape(-1, *chunk.shape[-3:])
            code = np.asarray(self.encoder(flat, training=False))
            if self.images > 1:
                code = code.reshape(len(chunk), self.images, *code.shape[1:])
            parts.append(np.asarray(self.head(code, training=False)))
        return np.concatenate(parts)


class Siamese(keras.Model):
    """encoder on every image, head on all codes; trained by the mean over samples of the task's own loss. `sample_weight` carries the mask."""

    def __init__(self, network: TaskNetwork) -> None:
        super().__init__()
        self.encoder, self.head, self.images = network.encoder, network.head, network.images
        self.loss_of = LOSSES[network.task.loss]

    def call(self, inputs, training=False):
        shape = keras.ops.shape(inputs)
        flat = keras.ops.reshape(inputs, (-1, *shape[-3:])) if self.images > 1 else inputs
        code = self.encoder(flat, training=training)
        if self.images > 1:
            code = keras.ops.reshape(code, (-1, self.images, *code.shape[1:]))
        return self.head(code, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean(self.loss_of(y, sample_weight, y_pred))


class Batches:
    """Shuffled batches of one task, without end."""

    def __init__(self, store, task: Task, config: NetworkConfig, images: int) -> None:
        self.images, self.data, self.task, self.config = store.images("train"), store.samples(task.name, "train"), task, config
        self.rng = np.random.default_rng([config.seed, zlib.crc32(task.name.encode())])
        self.size = max(2, min(config.batch // (1 if images == 1 else 2 if images < 9 else 4), len(self.data)))
        self.order: list[int] = []

    def batch(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """inputs, targets, masks of the next samples, in epochs."""
        while len(self.order) < self.size:
            self.order += self.rng.permutation(len(self.data)).tolist()
        rows, self.order = sorted(self.order[: self.size]), self.order[self.size :]
        target = np.asarray(self.data.target[rows], "float32")
        return (
            training_input(self.task, self.images[self.data.views[rows]], target, self.rng, self.config.tile_size),
            target,
            np.asarray(self.data.mask[rows], "float32"),
        )


def descend(model: keras.Model, batches: Batches, steps: int, name: str) -> list[float]:
    """`steps` optimiser steps; the loss curve as means of twentieths. Raises Interrupted for a loss that is no number.

    A loop over train_on_batch instead of `fit` (docs/DEVIATIONS.md).
    """
    losses = []
    for step in range(steps):
        losses.append(float(model.train_on_batch(*batches.batch())))
        if not np.isfinite(losses[-1]):
            raise Interrupted(f"the loss of {name} became {losses[-1]} at step {step}; lower learning_rate (finished networks are kept)")
    return [float(np.mean(part)) for part in np.array_split(losses, min(20, steps))]


def start_at_average(network: TaskNetwork, store) -> None:
    """set the last layer's bias to the best constant answer and shrink its weights: training starts where the average estimator ends."""
    kernel, bias = network.head.get_layer("answer").weights
    constant = average_answer(network.task, store)
    if constant.shape[-1] == bias.shape[0]:
        bias.assign(constant.reshape(-1, constant.shape[-1]).mean(0))
        kernel.assign(kernel * 0.1)


def shrink_to_average(network: TaskNetwork, store, config: NetworkConfig) -> float:
    """pull a vector or class answer towards the best constant one by the factor that validation samples like best, in the last layer; the factor.

    answer' = average + factor (answer - average): few buildings teach a network to be surer than it may be. Maps and embeddings keep their answer (factor 1).
    """
    if network.task.output.kind not in ("vector", "classes") or not len(store.samples(network.task.name, "val")):
        return 1.0
    answer, target, mask = answers(network, store, "val", config)
    average = average_answer(network.task, store)
    losses = {factor: image_losses(network.task.loss, target, mask, average + factor * (answer - average)).mean() for factor in SHRINKAGES}
    factor = min(SHRINKAGES, key=losses.get)
    kernel, bias = network.head.get_layer("answer").weights
    kernel.assign(kernel * factor)
    bias.assign(bias * factor + (1 - factor) * average.reshape(-1))
    return factor


def build_task_network(task: Task, config: NetworkConfig, size: int) -> TaskNetwork:
    """a fresh network; the same seed gives the same weights."""
    keras.utils.set_random_seed(config.seed * 1000 + zlib.crc32(task.name.encode()) % 1000)
    encoder = build_encoder(config, task.input_channels, f"encoder_{task.name}")
    images = 9 if task.input == "tiles" else task.images
    side = config.tile_size if task.input == "tiles" else size
    shape = encoder.compute_output_shape((None, side, side, task.input_channels))[1:]
    return TaskNetwork(task, encoder, build_head(task, config, shape, images, size) if task.trained else None, size)


def address(task: Task, config: NetworkConfig, store) -> str:
    """what a trained network depends on, as 16 hex digits."""
    content = json.dumps(
        [
            asdict(task),
            {name: getattr(config, name) for name in LEARNED},
            store.hash if task.trained else store.size,
            sources_of("encoders", "heads", "inputs", "losses", "task_network"),
        ],
        sort_keys=True,
    )
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def train_tasks(store, directory: str | Path, names: Iterable[str], config: NetworkConfig, out=sys.stderr) -> dict[str, dict]:
    """train every task of `names` that the ledger at `directory` lacks; name -> record (network.json).

    Raises LookupError for a task without labels in a split, Interrupted for a loss that is no number.
    """
    names, directory, records, since, trained = list(names), Path(directory), {}, time.time(), 0
    for done, name in enumerate(names):
        entry, folder = TASKS[name], directory / name
        described = folder / "network.json"
        if described.exists() and json.loads(described.read_text())["address"] == address(entry, config, store):
            records[name] = json.loads(described.read_text())
            continue
        records[name] = train_task(store, folder, entry, config)
        trained += 1
        left = (time.time() - since) / trained * (len(names) - done - 1)
        record = records[name]
        print(
            f"  network {done + 1}/{len(names)} {name}: {record['seconds']:.1f} s, beats the average on {record['win_average']:.0%} of test samples, "
            f"about {left:.0f} s left",
            file=out,
            flush=True,
        )
    return records


def train_task(store, folder: Path, entry: Task, config: NetworkConfig) -> dict:
    """train one network, measure it on the test split, write it atomically; its record."""
    keras.backend.clear_session()
    network, since, curve, shrinkage = build_task_network(entry, config, store.size), time.time(), [], 1.0
    if entry.trained:
        model = Siamese(network)
        if entry.output.kind != "embedding":
            start_at_average(network, store)
        rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, config.steps)
        model.compile(optimizer=keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, global_clipnorm=5.0), jit_compile=False)
        curve = descend(model, Batches(store, entry, config, network.images), config.steps, entry.name)
        shrinkage = shrink_to_average(network, store, config)
    seconds = time.time() - since
    scratch = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    network.encoder.save_weights(scratch / "encoder.weights.h5")
    record = {
        "task": entry.name,
        "address": address(entry, config, store),
        "size": store.size,
        "config": {**asdict(config)},
        "seconds": seconds,
        "steps": config.steps if entry.trained else 0,
        "parameters": network.encoder.count_params() + (network.head.count_params() if network.head else 0),
        "loss": None,
        "win_average": float("nan"),
        "curve": curve,
        "shrinkage": shrinkage,
    }
    if entry.trained:
        network.head.save_weights(scratch / "head.weights.h5")
        losses, average = test_losses(network, store, config), average_losses(entry, store)
        record.update(loss=float(losses.mean()), win_average=float((losses < average).mean() + 0.5 * (losses == average).mean()))
        np.save(scratch / "test_losses.npy", losses)
    else:
        record["win_average"] = 0.5
    record = json.loads(json.dumps(record))  # as a later run reads it back
    (scratch / "network.json").write_text(json.dumps(record))
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(scratch, folder)
    return record


def load_task_network(folder: str | Path) -> TaskNetwork:
    """the network that `train_tasks` wrote."""
    folder = Path(folder)
    if not (folder / "network.json").exists():
        raise FileNotFoundError(f"no task network at {folder}; train_tasks writes them")
    record = json.loads((folder / "network.json").read_text())
    network = build_task_network(TASKS[record["task"]], NetworkConfig(**record["config"]), record["size"])
    network.encoder.load_weights(folder / "encoder.weights.h5")
    if network.head is not None:
        network.head.load_weights(folder / "head.weights.h5")
    return network


def answers(network: TaskNetwork, store, split: str, config: NetworkConfig, rows: slice = slice(None)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(answer, target, mask) of samples of a split."""
    task, data = network.task, store.samples(network.task.name, split)
    target, rng = np.asarray(data.target[rows], "float32"), np.random.default_rng([zlib.crc32(task.name.encode()), rows.start or 0])
    value = training_input(task, store.images(split)[data.views[rows]], target, rng, config.tile_size)
    return network.answer(value), target, np.asarray(data.mask[rows], "float32")


def test_losses(network: TaskNetwork, store, config: NetworkConfig) -> np.ndarray:
    """[sample] the network's own loss on every test sample; the damage done to inputs is the same for every caller."""
    parts = []
    for start in range(0, len(store.samples(network.task.name, "test")), 64):
        answer, target, mask = answers(network, store, "test", config, slice(start, start + 64))
        parts.append(image_losses(network.task.loss, target, mask, answer))
    return np.concatenate(parts)


def average_losses(task: Task, store) -> np.ndarray:
    """[sample] the test loss of the best constant answer."""
    test, answer = store.samples(task.name, "test"), average_answer(task, store)
    parts = []
    for i in range(0, len(test), 64):
        target = np.asarray(test.target[i : i + 64], "float32")
        parts.append(image_losses(task.loss, target, test.mask[i : i + 64], np.broadcast_to(answer, (len(target), *answer.shape[1:]))))
    return np.concatenate(parts)


def average_answer(task: Task, store) -> np.ndarray:
    """[1, ...]: the train targets' mean (maps, vectors), log frequencies (classes), one point for all pixels (embeddings)."""
    train = store.samples(task.name, "train")
    target, mask = np.asarray(train.target, "float32"), np.asarray(train.mask, "float32")
    if task.output.kind == "embedding":
        return np.zeros((1, *target.shape[1:3], 1), "float32")
    if task.loss == "weighted_cross_entropy":
        ids = np.eye(task.output.channels, dtype="float32")[target[..., 0].astype(int)]
        return np.broadcast_to(np.log((ids * mask).sum((0, 1, 2)) / mask.sum() + 1e-4), (1, *target.shape[1:3], task.output.channels))
    if task.loss == "soft_cross_entropy":
        return np.log((target * mask.reshape(mask.shape + (1,) * (target.ndim - mask.ndim))).mean(0, keepdims=True) + 1e-5)
    if task.output.kind == "pixels":
        return (target * mask).sum(0, keepdims=True) / np.maximum(mask.sum(0, keepdims=True), 1e-3)
    return target.mean(0, keepdims=True)


def task_records(directory: str | Path) -> list[dict]:
    """network.json of every task network below `directory`, in the order of the dictionary."""
    return [json.loads(path.read_text()) for path in (Path(directory) / name / "network.json" for name in TASKS) if path.exists()]
