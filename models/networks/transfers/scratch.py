"""Training from scratch, the control that a transfer must beat: the target's own network, encoder
and head, from pixels, on exactly the samples that teach a transfer in the same regime.

It starts from the constant that those samples give, is trained by the recipe of task networks for
`scratch_steps` steps, and keeps the weights that the regime's held-out buildings liked best; of
vectors and classes they also choose how far answers are pulled towards the constant. Where
transfers are measured in closed form, a readout of pixels (`scratch_readout.py`) takes the
network's place if these buildings like it better. No sample of the training split, and no test
sample, takes part.
"""

from __future__ import annotations

import concurrent.futures
import json
import multiprocessing
import sys
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import keras
import numpy as np

from models.examples.half_precision import to_single
from models.examples.label_store import LabelStore
from models.networks.architecture.heads import composed
from models.networks.config import NetworkConfig
from models.networks.losses.losses import image_losses
from models.networks.task_networks.answers import test_losses
from models.networks.task_networks.at_once import samples_at_once
from models.networks.task_networks.build import TaskNetwork, build_task_network
from models.networks.task_networks.train import (
    of_one_task,
    parameters,
    shrink,
    start_at_average,
    trainer,
)
from models.networks.training.augmentation import augmented
from models.networks.training.averages import (
    Known,
    average_answer,
    standard_of,
    standardises,
)
from models.networks.training.batch_maker import Batch
from models.networks.training.fit import Interrupted
from models.networks.training.inputs import training_input
from models.networks.training.recipes import recipe
from models.networks.training.workers import begin_trainer, machine_shared_by
from models.networks.transfers.regimes import Regime, Rows, teaching_rows
from models.networks.transfers.scratch_readout import pixels_solved
from models.provenance.address import address_of
from models.provenance.atomic import write_json
from models.provenance.seals import sealed_folder, whole
from models.tasks import TASKS, Task
from models.tasks.addressing import rows_of, settings_of
from models.tasks.arrays import Array, Floats, Integers

# Times that the held-out samples are asked, evenly over the steps.
STOPS = 5
# Held-out samples that are asked, at most: of thousands of pairs, asking takes longer than
# training.
ASKED = 256

# network.json of a network from scratch.
NetworkRecord = dict[str, Any]


def scratch_folder(ledger: str | Path, target: str, regime: Regime) -> Path:
    """where a network from scratch is kept, as `load_task_network` reads it."""
    name = f"{target}-{regime.name}" if regime.name else target
    return Path(ledger) / "scratch" / name


def train_from_scratch(
    store: LabelStore,
    ledger: str | Path,
    wanted: Mapping[str, Sequence[Regime]],
    config: NetworkConfig,
    out: TextIO = sys.stderr,
) -> list[NetworkRecord]:
    """the networks from scratch of some targets in some regimes, those that the ledger lacks
    trained, by as many processes as `config.trainers`; their records.
    A record: that of a task network, with "regime", "images" (labelled samples that taught and
    stopped it), "held_out" (mean losses of network and readout of pixels on those that stopped it)
    and, where the readout was chosen, "grid" (cells of the side).
    """
    records: list[NetworkRecord] = []
    lacking: dict[str, list[Regime]] = {}
    for name, regimes in wanted.items():
        for regime in regimes:
            record = kept(store, ledger, TASKS[name], regime, config)
            if record is None:
                lacking.setdefault(name, []).append(regime)
            else:
                records.append(record)
    fresh: list[NetworkRecord] = []
    count = sum(map(len, lacking.values()))
    since = time.time()
    for record in as_trained(store, ledger, lacking, config):
        fresh.append(record)
        spent = time.time() - since
        left = spent / len(fresh) * (count - len(fresh))
        print(
            f"  from scratch {len(fresh)}/{count} {record['task']}: {record['seconds']:.1f} s, "
            + (f"about {left:.0f} s left" if left else f"{spent:.1f} s in all"),
            file=out,
            flush=True,
        )
    return [*records, *fresh]


def kept(
    store: LabelStore, ledger: str | Path, task: Task, regime: Regime, config: NetworkConfig
) -> NetworkRecord | None:
    """the record in the ledger, if it is of this very network, as it was written."""
    folder = scratch_folder(ledger, task.name, regime)
    if not whole(folder):
        return None
    record: NetworkRecord = json.loads((folder / "network.json").read_text())
    return record if record["address"] == address(task, regime, config, store) else None


def address(task: Task, regime: Regime, config: NetworkConfig, store: LabelStore) -> str:
    """what a network from scratch depends on, as 16 hex digits."""
    return address_of(
        train_group,
        inputs=[
            store.size,
            [store.views_address, store.address(task.name)],
            [regime.name, len(regime.views), regime.limit],
        ],
        settings=(*settings_of(task), of_one_task(read_by(own_config(config)), task)),
        choices=rows_of(task),
    )


def read_by(config: NetworkConfig) -> NetworkConfig:
    """one value of what the readout of pixels alone asks, where there is none."""
    if config.learner == "closed_form":
        return config
    return replace(config, ridges=(1.0,), random_features=1)


def own_config(config: NetworkConfig) -> NetworkConfig:
    """the configuration as a network from scratch is trained by: its own steps and width, the loss
    that transfers are trained by, and no reduced precision (which serves large schedules).
    """
    share = config.scratch_width
    return replace(
        config,
        steps=config.scratch_steps,
        batch=config.scratch_batch,
        shares=(),
        adversarial=False,
        precision="float32",
        encoder_widths=tuple(max(1, round(share * width)) for width in config.encoder_widths),
        decoder_widths=tuple(max(1, round(share * width)) for width in config.decoder_widths),
        head_width=max(1, round(share * config.head_width)),
    )


def as_trained(
    store: LabelStore,
    ledger: str | Path,
    lacking: Mapping[str, Sequence[Regime]],
    config: NetworkConfig,
) -> Iterator[NetworkRecord]:
    """the records as groups of targets are finished, the largest group first: those of a group
    share one compiled program.
    """
    groups: dict[tuple[object, ...], dict[str, Sequence[Regime]]] = {}
    for name, regimes in lacking.items():
        groups.setdefault(program_of(TASKS[name], own_config(config)), {})[name] = regimes
    largest_first = sorted(groups.values(), key=lambda group: -len(group))
    if config.trainers == 1 or len(groups) < 2:
        for group in largest_first:
            yield from train_group(store, ledger, group, config)
        return
    spawn = multiprocessing.get_context("spawn")
    with (
        machine_shared_by(config.trainers),
        concurrent.futures.ProcessPoolExecutor(config.trainers, spawn, begin_trainer) as pool,
    ):
        waiting = [
            pool.submit(train_group, store, ledger, group, config) for group in largest_first
        ]
        try:
            for future in concurrent.futures.as_completed(waiting):
                yield from future.result()
        finally:
            # After an error: what runs ends, what waits does not begin.
            pool.shutdown(wait=False, cancel_futures=True)


def program_of(task: Task, config: NetworkConfig) -> tuple[object, ...]:
    """what a training program depends on: targets that share it are trained by one."""
    chosen = recipe(task, config)
    return (
        task.loss,
        task.output,
        task.representations,
        task.input_channels,
        task.input == "tiles",
        task.compares,
        task.head_layers,
        task.head_narrowing,
        chosen,
        "" if config.recipe == "shared" else task.name,
    )


def train_group(
    store: LabelStore,
    ledger: str | Path,
    targets: Mapping[str, Sequence[Regime]],
    config: NetworkConfig,
) -> list[NetworkRecord]:
    """the networks from scratch of targets that share a program, in some regimes each."""
    keras.backend.clear_session()
    program: Program | None = None
    records = []
    for name, regimes in targets.items():
        program = program or Program(TASKS[name], own_config(config), store.size)
        for regime in regimes:
            records.append(train_one(store, ledger, name, regime, config, program))
    return records


def train_one(
    store: LabelStore,
    ledger: str | Path,
    name: str,
    regime: Regime,
    config: NetworkConfig,
    program: Program,
) -> NetworkRecord:
    """one network from scratch, trained, measured on the test split, written whole; its record."""
    since = time.time()
    task = TASKS[name]
    rows = teaching_rows(store, regime, name, program.config)
    judging = held_out_batch(store, task, program.config, rows[1])
    network, curve, shrinkage = fitted(store, task, program, rows, judging)
    chosen: TaskNetwork = network
    arrays, grid = None, None
    held_out = {"network": mean_loss(network, judging)}
    if program.config.learner == "closed_form" and len(rows[0]) > 1:
        solved = pixels_solved(store, program.network.encoder, regime, name, program.config, rows)
        held_out["readout"] = mean_loss(solved.taught(), judging)
        if held_out["readout"] < held_out["network"]:
            arrays, grid = solved.arrays(), solved.grid
            chosen = solved.network(arrays)
    losses = test_losses(chosen, store, program.config)
    record = {
        "task": name,
        "address": address(task, regime, config, store),
        "regime": regime.name,
        "images": sum(len(part) for part in rows),
        "size": store.size,
        "config": asdict(program.config),
        "seconds": time.time() - since,
        "steps": program.config.steps,
        "parameters": parameters(chosen),
        "loss": float(losses.mean()),
        "curve": curve,
        "shrinkage": shrinkage,
        "held_out": held_out,
        "grid": grid,
    }
    with sealed_folder(scratch_folder(ledger, name, regime)) as folder:
        if arrays is None:
            network.encoder.save_weights(folder / "encoder.weights.h5")
            network.head.save_weights(folder / "head.weights.h5")
        else:
            np.savez(folder / "arrays.npz", **arrays)
        np.save(folder / "test_losses.npy", losses)
        write_json(folder / "network.json", record)
    as_read_back: NetworkRecord = json.loads(json.dumps(record))
    return as_read_back


@dataclass(frozen=True)
class Compiled(TaskNetwork):
    """A task network that answers by the compiled model it is trained in, in batches of one
    size.
    """

    model: Any = None

    def answer(self, value: Array, batch: int = 32) -> Array:
        """answers to training-form inputs, at most `batch` at once."""
        count = len(value)
        batch = samples_at_once(value.shape, batch)
        # the last sample fills the last batch up: another size would be compiled for itself
        rows = np.minimum(np.arange(-(-count // batch) * batch), count - 1)
        parts = [
            np.asarray(self.model.predict_on_batch(value[rows[i : i + batch]]))
            for i in range(0, len(rows), batch)
        ]
        return np.concatenate(parts)[:count]


class Program:
    """A compiled model that begins again from first weights, for every target and regime that
    share its `program_of`.
    """

    def __init__(self, task: Task, config: NetworkConfig, size: int) -> None:
        self.config = config
        self.size = size
        # Variables, which `again` gives their values: constants would be part of the program.
        self.standard: Any = None
        if standardises(task, config):
            channels = (task.output.channels,)
            self.standard = tuple(
                keras.Variable(np.ones(channels, "float32"), trainable=False) for _ in range(2)
            )
        self.network, self.model = trainer(task, config, size, self.standard)
        # Of the task that it last began with: the next regime begins alike.
        self.first = (task.name, values_of(self.network))
        optimizer = self.model.optimizer.variables
        # copies: the variables change with every step
        self.optimizer = [(variable, variable.numpy()) for variable in optimizer]

    def again(self, store: LabelStore, task: Task, known: Known) -> Floats | None:
        """the task's first weights, an optimiser that never stepped, and the constant of what is
        `known`, which is returned; None for a task that has none.
        """
        if self.first[0] != task.name:
            fresh = build_task_network(task, self.config, self.size)
            self.first = (task.name, values_of(fresh))
        for variable, value in zip(weights_of(self.network), self.first[1]):
            variable.assign(value)
        for variable, first in self.optimizer:
            variable.assign(first)
        # `fold` took it away
        self.model.standard = self.standard
        self.standardise(standard_of(task, store, self.config, known))
        if composed(task, self.config):
            self.network.head.get_layer("poses").whiten(*store.whitening(task.name))
        if not task.output.facts.averaged:
            return None
        average = average_answer(task, store, known=known)
        # standardised targets have the average 0
        start_at_average(self.network, average if self.standard is None else average * 0)
        return average

    def standardise(self, middle_and_unit: tuple[Floats, Floats] | None) -> None:
        for variable, value in zip(self.standard or (), middle_and_unit or ()):
            variable.assign(value)

    def fold(self) -> None:
        """let the head alone give the answers; what was compiled goes on with a middle of 0 and a
        unit of 1.
        """
        self.model.fold()
        if self.standard is not None:
            self.standardise((np.zeros(self.standard[0].shape), np.ones(self.standard[1].shape)))

    def compiled(self, task: Task) -> Compiled:
        """the network in training, as one of `task`."""
        network = self.network
        return Compiled(
            task, network.encoder, network.head, self.size, self.config, model=self.model
        )


def held_out_batch(
    store: LabelStore, task: Task, config: NetworkConfig, held_out: Integers
) -> Batch:
    """`ASKED` of the held-out samples at most: inputs, targets, masks."""
    # drawn once: every stop is asked the same, the task's own damage included
    asked = held_out[np.linspace(0, len(held_out) - 1, min(ASKED, len(held_out))).astype(int)]
    feed = Feed(store, task, config, asked)
    return feed.take(asked, feed.generator("judging"))


def mean_loss(network: TaskNetwork, batch: Batch) -> float:
    """of a network's answers to training-form inputs."""
    value, target, mask = batch
    return float(image_losses(network.task.loss, target, mask, network.answer(value)).mean())


def fitted(
    store: LabelStore, task: Task, program: Program, rows: Rows, judging: Batch
) -> tuple[Compiled, list[float], float]:
    """(the network, its held-out losses, factor of `shrink`). judging: of held-out samples."""
    teaching, _ = rows
    config = program.config
    average = program.again(store, task, Known(config.transfer_split, teaching))
    network = program.compiled(task)
    value, target, mask = judging
    stops = {round(part) for part in np.linspace(0, config.steps, STOPS + 1)[1:]}
    best: list[Array] = []
    curve: list[float] = []
    feed = Feed(store, task, config, teaching)
    for step in range(config.steps):
        program.model.train_on_batch(*feed.batch(step))
        if step + 1 in stops:
            losses = image_losses(task.loss, target, mask, network.answer(value))
            curve.append(finite(float(losses.mean()), task.name, step))
            if curve[-1] == min(curve):
                best = values_of(network)
    for weight, at_best in zip(weights_of(network), best):
        weight.assign(at_best)
    program.fold()
    if average is None or task.output.dense or composed(task, config):
        return network, curve, 1.0
    return network, curve, shrink(network, average, [(network.answer(value), target, mask)])


def weights_of(network: TaskNetwork) -> list[keras.Variable]:
    """of encoder and head, running means too."""
    return [*network.encoder.weights, *network.head.weights]


def values_of(network: TaskNetwork) -> list[Array]:
    """copies of its weights."""
    return [weight.numpy() for weight in weights_of(network)]


def finite(loss: float, name: str, step: int) -> float:
    """Raises Interrupted for a loss that is no number."""
    if not np.isfinite(loss):
        raise Interrupted(
            f"the loss of {name} from scratch became {loss} by step {step}; lower learning_rate"
        )
    return loss


class Feed:
    """Batches without end of some samples of the transfer split, batch i a function of i alone."""

    def __init__(
        self, store: LabelStore, task: Task, config: NetworkConfig, rows: Integers
    ) -> None:
        self.data = store.samples(task.name, config.transfer_split)
        self.pictures = store.images(config.transfer_split)
        self.whitening = store.whitening(task.name)
        self.task = task
        self.config = config
        self.rows = rows

    def generator(self, purpose: str, step: int = 0) -> np.random.Generator:
        key = [self.config.seed, zlib.crc32(self.task.name.encode())]
        return np.random.default_rng([*key, zlib.crc32(purpose.encode()), step])

    def batch(self, step: int) -> Batch:
        """inputs, targets, masks of a step: an epoch's order, the next epoch's where it ends."""
        places = np.arange(step * self.config.batch, (step + 1) * self.config.batch)
        epochs, rests = places // len(self.rows), places % len(self.rows)
        orders = {int(epoch): self.order(int(epoch)) for epoch in np.unique(epochs)}
        # ascending: files are read forwards
        picked = np.sort([orders[int(epoch)][rest] for epoch, rest in zip(epochs, rests)])
        return self.take(self.rows[picked], self.generator("batch", step), self.config.augment)

    def order(self, epoch: int) -> Integers:
        return self.generator("order", epoch).permutation(len(self.rows))

    def take(self, rows: Integers, rng: np.random.Generator, augment: bool = False) -> Batch:
        """inputs, targets, masks of some samples; with the task's own damage, drawn from `rng`."""
        images, target, mask = self.data.take(rows, self.pictures)
        target = to_single(target)
        mask = to_single(mask)
        if augment:
            images, target, mask = augmented(self.task, images, target, mask, self.whitening, rng)
        value = training_input(self.task, images, target, rng, self.config.tile_size)
        return value, target, mask
