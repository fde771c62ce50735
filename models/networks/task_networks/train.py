"""Task networks: one a task, trained on pixels, kept in a content-addressed ledger."""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import json
import multiprocessing
import os
import shutil
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from models.networks.architecture.encoders import build_encoder
from models.networks.architecture.heads import build_head, composed
from models.networks.config import NetworkConfig, sources_of
from models.networks.losses.losses import image_losses
from models.networks.training.adversarial import AdversarialSiamese, PublishedAdam
from models.networks.training.batches import Batches, colour_weights, rebalanced
from models.networks.training.fit import Interrupted, fit
from models.networks.training.inputs import training_input
from models.networks.training.muon import FlatMuon
from models.networks.training.recipes import learning_rate, recipe
from models.networks.training.siamese import Siamese
from models.tasks import TASKS, Task

__all__ = ["Interrupted", "TaskNetwork", "train_tasks", "load_task_network", "task_records"]

# The fields of a configuration that a task network depends on; the others only matter to transfers.
LEARNED = (
    "encoder",
    "encoder_widths",
    "representation_channels",
    "decoder_widths",
    "head_width",
    "augment",
    "batch",
    "learning_rate",
    "weight_decay",
    "recipe",
    "schedule",
    "decay_after",
    "precision",
    "adversarial",
    "warm_up",
    "tile_size",
    "seed",
)

# The modules of this room that a trained network depends on.
CODE = (
    "training/adversarial",
    "training/augmentation",
    "training/batches",
    "architecture/pair_difference",
    "architecture/encoders",
    "architecture/heads",
    "training/inputs",
    "losses/losses",
    "training/muon",
    "training/recipes",
    "training/siamese",
    "task_networks/train",
)

SHRINKAGES = (1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)


@dataclass(frozen=True)
class TaskNetwork:
    """encoder: [B, S, S, C] -> [B, h, w, c]; head: [B, h, w, c] or [B, images, h, w, c] -> answer
    (None for the untrained control).
    """

    task: Task
    encoder: keras.Model
    head: keras.Model | None
    size: int
    config: NetworkConfig

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


def start_at_average(network: TaskNetwork, average: np.ndarray) -> None:
    """set the last layer's bias to the best constant answer and shrink its weights: training starts
    where the average estimator ends.
    """
    if composed(network.task, network.config):
        return
    kernel, bias = network.head.get_layer("answer").weights
    if average.shape[-1] == bias.shape[0]:
        bias.assign(average.reshape(-1, average.shape[-1]).mean(0))
        kernel.assign(kernel * 0.1)


def standard_of(task: Task, store, config: NetworkConfig) -> tuple[np.ndarray, np.ndarray] | None:
    """(mean, deviation) [channels] float32 of a task's train targets where the shared recipe learns
    numbers standardised, else None.
    """
    if (
        config.recipe != "shared"
        or task.output.kind not in ("pixels", "vector")
        or composed(task, config)
    ):
        return None
    data, sums = store.samples(task.name, "train"), np.zeros((3, task.output.channels))
    for i in range(0, len(data), 256):
        target, mask = (
            np.asarray(data.target[i : i + 256], "float64"),
            np.asarray(data.mask[i : i + 256], "float64"),
        )
        mask = np.broadcast_to(mask if mask.ndim == target.ndim else mask[:, None], target.shape)
        sums += [
            part.reshape(-1, task.output.channels).sum(0)
            for part in (mask, mask * target, mask * target**2)
        ]
    mean = sums[1] / sums[0]
    return mean.astype("float32"), np.sqrt(np.maximum(sums[2] / sums[0] - mean**2, 1e-8)).astype(
        "float32"
    )


def shrink_to_average(
    network: TaskNetwork, store, config: NetworkConfig, average: np.ndarray | None = None
) -> float:
    """pull a vector or class answer towards the best constant one by the factor that validation
    samples like best, in the last layer; the factor.

    answer' = average + factor (answer - average): few buildings teach a network to be surer than it
    may be. Maps and embeddings keep their answer (factor 1).
    """
    if (
        network.task.output.kind not in ("vector", "classes")
        or composed(network.task, config)
        or not labelled(store, network.task, "val")
    ):
        return 1.0
    answer, target, mask = answers(network, store, "val", config)
    average = average_answer(network.task, store) if average is None else average
    losses = {
        factor: image_losses(
            network.task.loss, target, mask, average + factor * (answer - average)
        ).mean()
        for factor in SHRINKAGES
    }
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
    head = (
        build_head(task, config, shape, images, size, composing=composed(task, config))
        if task.trained
        else None
    )
    return TaskNetwork(task, encoder, head, size, config)


def address(task: Task, config: NetworkConfig, store) -> str:
    """what a trained network depends on, as 16 hex digits."""
    content = json.dumps(
        [
            asdict(task),
            {
                "steps": recipe(task, config).steps,
                **{name: getattr(config, name) for name in LEARNED},
            },
            store.hash if task.trained else store.size,
            sources_of(*CODE),
        ],
        sort_keys=True,
    )
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def train_tasks(
    store, directory: str | Path, names: Iterable[str], config: NetworkConfig, out=sys.stderr
) -> dict[str, dict]:
    """train every task of `names` that the ledger at `directory` lacks; name -> record
    (network.json).

    Raises LookupError before any training for a task without labels in the train or test split,
    Interrupted for a loss that is no number. A val split without labels is no error: nothing is
    then pulled towards the average.
    """
    names, directory = list(names), Path(directory)
    for name in names:
        check_labels(store, TASKS[name])
    records = {name: finished(store, directory / name, TASKS[name], config) for name in names}
    missing, since = [name for name in names if records[name] is None], time.time()
    for done, record in enumerate(trained(store, directory, missing, config, out), 1):
        records[record["task"]] = record
        left = (time.time() - since) / done * (len(missing) - done)
        print(
            f"  network {len(names) - len(missing) + done}/{len(names)} {record['task']}: "
            f"{record['seconds']:.1f} s, "
            f"beats the average on {record['win_average']:.0%} of test samples, about "
            f"{left:.0f} s left",
            file=out,
            flush=True,
        )
    return records


def finished(store, folder: Path, entry: Task, config: NetworkConfig) -> dict | None:
    """the record in the ledger, if it is of this very network."""
    described = folder / "network.json"
    record = json.loads(described.read_text()) if described.exists() else {}
    return record if record.get("address") == address(entry, config, store) else None


def trained(store, directory: Path, names: list[str], config: NetworkConfig, out) -> Iterator[dict]:
    """the records of `names` as they are finished, by as many processes as `config.trainers`, the
    longest networks first.
    """
    if config.trainers == 1 or len(names) < 2:
        yield from (train_task(store, directory / name, TASKS[name], config, out) for name in names)
        return
    names = sorted(names, key=lambda name: not TASKS[name].output.dense)
    with (
        cores_shared_by(config.trainers),
        concurrent.futures.ProcessPoolExecutor(
            config.trainers, multiprocessing.get_context("spawn")
        ) as pool,
    ):
        waiting = [
            pool.submit(train_task, store, directory / name, TASKS[name], config) for name in names
        ]
        try:
            for future in concurrent.futures.as_completed(waiting):
                yield future.result()
        finally:
            pool.shutdown(
                wait=False, cancel_futures=True
            )  # after an error: what runs ends, what waits does not begin


@contextlib.contextmanager
def cores_shared_by(processes: int):
    """processes started inside take their share of the cores: two libraries that each use all of
    them only wait for each other.
    """
    names = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, str(max(1, len(os.sched_getaffinity(0)) // processes))))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def labelled(store, task: Task, split: str) -> int:
    """samples of a task in a split that have any weight."""
    try:
        data = store.samples(task.name, split)
    except LookupError:
        return 0
    return sum(
        int(
            (np.asarray(data.mask[i : i + 256]).reshape(len(data.mask[i : i + 256]), -1) > 0)
            .any(-1)
            .sum()
        )
        for i in range(0, len(data), 256)
    )


def check_labels(store, task: Task) -> None:
    """Raises LookupError for a task that cannot be trained, or judged, on this store."""
    for split in ("train", "test") if task.trained else ():
        if not labelled(store, task, split):
            what = (
                "pairs of views that see one point"
                if task.images == 2
                else "triples of views of one point"
                if task.images == 3
                else "labels"
            )
            raise LookupError(
                f"{task.name} has no {split} sample that counts: the {split} buildings hold "
                f"no {what} for it, or all are masked. "
                "Leave the task out, add views, or move buildings between splits (train, val "
                "and test need a building each)"
            )


def optimizer_of(
    task: Task, config: NetworkConfig, model: keras.Model
) -> keras.optimizers.Optimizer:
    """the recipe's optimiser for a model."""
    chosen, rate = recipe(task, config), learning_rate(task, config)
    clips = {"clipnorm": chosen.clip_variable, "global_clipnorm": chosen.clip_global}
    rival = getattr(model, "discriminator", None)
    if not chosen.coupled and rival is None:
        return FlatMuon(rate, chosen.clip_global, chosen.weight_decay)
    rivals = tuple(variable.path for variable in rival.trainable_variables) if rival else ()
    return PublishedAdam(rate, chosen.weight_decay, rivals, config.warm_up, **clips)


@contextlib.contextmanager
def precision(policy: str):
    """layers made inside compute by this policy; the process's own comes back afterwards."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def trainer(
    entry: Task, config: NetworkConfig, size: int, standard: tuple | None = None
) -> tuple[TaskNetwork, keras.Model | None]:
    """a fresh network and the compiled model that `fit` trains, sharing its variables; None for the
    untrained control. standard: of `Siamese`.
    """
    with precision(config.precision):
        network = build_task_network(entry, config, size)
        if not entry.trained:
            return network, None
        chosen = recipe(entry, config)
        model = (
            Siamese(network, standard)
            if chosen.norm_share == 1
            else AdversarialSiamese(network, chosen, config.warm_up)
        )
    model.compile(optimizer=optimizer_of(entry, config, model), jit_compile=compiled(config))
    model.optimizer.build(
        model.trainable_variables
    )  # a first step that makes variables is traced twice
    return network, model


def compiled(config: NetworkConfig) -> bool:
    """by XLA? JAX without it runs operation by operation."""
    return config.jit or keras.backend.backend() == "jax"


def train_task(
    store, folder: Path, entry: Task, config: NetworkConfig, out=sys.stderr, callbacks=()
) -> dict:
    """train one network, measure it on the test split, write it atomically; its record. callbacks:
    of Keras, for `fit`.
    """
    keras.backend.clear_session()
    since, curve, shrinkage = time.time(), [], 1.0
    network, model = trainer(entry, config, store.size, standard_of(entry, store, config))
    saved = folder.with_name(f".{folder.name}.checkpoint.npz")
    if entry.trained:
        average = None if entry.output.kind == "embedding" else average_answer(entry, store)
        if average is not None:
            start_at_average(network, average if model.standard is None else average * 0)
        if composed(entry, config):
            network.head.get_layer("poses").whiten(*store.whitening(entry.name))
        batches = Batches(store, entry, config)
        places = {
            "saved": saved,
            "address": address(entry, config, store),
            "every": config.checkpoint_seconds,
        }
        try:
            curve = fit(
                model,
                batches,
                recipe(entry, config).steps,
                entry.name,
                **places,
                out=out,
                callbacks=callbacks,
            )
        finally:
            batches.close()
        model.fold()
        if config.precision != "float32":
            network = in_float32(network)
        shrinkage = shrink_to_average(network, store, config, average)
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
        "steps": recipe(entry, config).steps if entry.trained else 0,
        "parameters": network.encoder.count_params()
        + (network.head.count_params() if network.head else 0),
        "loss": None,
        "win_average": float("nan"),
        "curve": curve,
        "shrinkage": shrinkage,
    }
    if entry.trained:
        network.head.save_weights(scratch / "head.weights.h5")
        losses, average = test_losses(network, store, config), average_losses(entry, store, config)
        record.update(
            loss=float(losses.mean()),
            win_average=float((losses < average).mean() + 0.5 * (losses == average).mean()),
        )
        np.save(scratch / "test_losses.npy", losses)
    else:
        record["win_average"] = 0.5
    record = json.loads(json.dumps(record))  # as a later run reads it back
    (scratch / "network.json").write_text(json.dumps(record))
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(scratch, folder)
    saved.unlink(missing_ok=True)
    return record


def in_float32(network: TaskNetwork) -> TaskNetwork:
    """the same weights in a network that computes in float32."""
    plain = build_task_network(network.task, network.config, network.size)
    plain.encoder.set_weights(network.encoder.get_weights())
    plain.head.set_weights(network.head.get_weights())
    return plain


def load_task_network(folder: str | Path) -> TaskNetwork:
    """the network that `train_tasks` wrote."""
    folder = Path(folder)
    if not (folder / "network.json").exists():
        raise FileNotFoundError(f"no task network at {folder}; train_tasks writes them")
    record = json.loads((folder / "network.json").read_text())
    network = build_task_network(
        TASKS[record["task"]], NetworkConfig(**record["config"]), record["size"]
    )
    network.encoder.load_weights(folder / "encoder.weights.h5")
    if network.head is not None:
        network.head.load_weights(folder / "head.weights.h5")
    return network


def answers(
    network: TaskNetwork,
    store,
    split: str,
    config: NetworkConfig,
    rows: slice = slice(None),
    weights=None,
) -> tuple[np.ndarray, ...]:
    """(answer, target, mask) of samples of a split. weights: of colour bins, in the mask
    (`balance`).
    """
    task, data = network.task, store.samples(network.task.name, split)
    target, rng = (
        np.asarray(data.target[rows], "float32"),
        np.random.default_rng([zlib.crc32(task.name.encode()), rows.start or 0]),
    )
    value = training_input(
        task, store.images(split)[data.views[rows]], target, rng, config.tile_size
    )
    mask = np.asarray(data.mask[rows], "float32")
    return (
        network.answer(value),
        target,
        mask if weights is None else rebalanced(target, mask, weights),
    )


def test_losses(network: TaskNetwork, store, config: NetworkConfig) -> np.ndarray:
    """[sample] the network's own loss on every test sample; the damage done to inputs is the same
    for every caller.
    """
    parts, weights = [], balance(network.task, store, config)
    for start in range(0, len(store.samples(network.task.name, "test")), 64):
        answer, target, mask = answers(
            network, store, "test", config, slice(start, start + 64), weights
        )
        parts.append(image_losses(network.task.loss, target, mask, answer))
    return np.concatenate(parts)


def balance(task: Task, store, config: NetworkConfig | None) -> np.ndarray | None:
    """weights of colour bins where the recipe rebalances them, else None."""
    published = config is not None and config.recipe == "published" and task.input == "lightness"
    return colour_weights(store.samples(task.name, "train").target) if published else None


def average_losses(task: Task, store, config: NetworkConfig | None = None) -> np.ndarray:
    """[sample] the test loss of the best constant answer; with a configuration, weighted as its
    networks are.
    """
    test, weights = store.samples(task.name, "test"), balance(task, store, config)
    answer, parts = average_answer(task, store, weights), []
    for i in range(0, len(test), 64):
        target, mask = (
            np.asarray(test.target[i : i + 64], "float32"),
            np.asarray(test.mask[i : i + 64], "float32"),
        )
        mask = mask if weights is None else rebalanced(target, mask, weights)
        parts.append(
            image_losses(
                task.loss, target, mask, np.broadcast_to(answer, (len(target), *answer.shape[1:]))
            )
        )
    return np.concatenate(parts)


def average_answer(task: Task, store, weights: np.ndarray | None = None) -> np.ndarray:
    """[1, ...] float32: the train targets' mean (maps, vectors), log frequencies (classes), one
    point for all pixels (embeddings).
    """
    train = store.samples(task.name, "train")
    if task.output.kind == "embedding":
        return np.zeros((1, *train.target.shape[1:3], 1), "float32")
    parts = (summed(task, *chunk) for chunk in chunks(train, weights))
    total, weight = (sum(terms) for terms in zip(*parts))
    if task.loss == "weighted_cross_entropy":
        return np.broadcast_to(
            np.log(total / weight + 1e-4).astype("float32"),
            (1, *train.target.shape[1:3], task.output.channels),
        )
    if task.loss == "soft_cross_entropy":
        return np.log(total / max(weight, 1e-6) + 1e-5)[None].astype("float32")
    return (total / np.maximum(weight, 1e-3))[None].astype("float32")


def chunks(
    data, weights: np.ndarray | None, size: int = 256
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(target, mask) float32 of `size` samples after the other: of thousands of views at once they
    are gigabytes.
    """
    for i in range(0, len(data), size):
        target, mask = (
            np.asarray(data.target[i : i + size], "float32"),
            np.asarray(data.mask[i : i + size], "float32"),
        )
        yield target, mask if weights is None else rebalanced(target, mask, weights)


def summed(
    task: Task, target: np.ndarray, mask: np.ndarray
) -> tuple[np.ndarray, np.ndarray | float]:
    """(sum over samples, weight of that sum) float64: pixels of each class; probabilities, with one
    weight for all places; numbers, place by place; vectors.
    """
    if task.loss == "weighted_cross_entropy":
        return np.bincount(
            target[..., 0].astype(int).ravel(), mask.ravel(), task.output.channels
        ), mask.sum(dtype="float64")
    if task.loss == "soft_cross_entropy":
        weight = mask.reshape(mask.shape + (1,) * (target.ndim - mask.ndim))
        return (target * weight).sum(0, dtype="float64"), weight.mean(dtype="float64") * len(weight)
    if task.output.kind == "pixels":
        return (target * mask).sum(0, dtype="float64"), mask.sum(0, dtype="float64")
    return target.sum(0, dtype="float64"), float(len(target))


def task_records(directory: str | Path) -> list[dict]:
    """network.json of every task network below `directory`, in the order of the dictionary."""
    return [
        json.loads(path.read_text())
        for path in (Path(directory) / name / "network.json" for name in TASKS)
        if path.exists()
    ]
