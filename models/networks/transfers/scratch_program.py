"""The compiled training program of networks from scratch, which begins again for every target and
regime that share it, and what is trained with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from models.examples.label_store import LabelStore
from models.networks.architecture.heads import composes_poses
from models.networks.config import NetworkConfig
from models.networks.losses.losses import image_losses
from models.networks.task_networks.at_once import samples_at_once
from models.networks.task_networks.build import TaskNetwork, build_task_network
from models.networks.task_networks.train import shrink, start_at_average, trainer
from models.networks.training.averages import Known, average_answer, standard_of, standardises
from models.networks.training.batch_maker import Batch
from models.networks.training.fit import Interrupted
from models.networks.training.recipes import recipe
from models.networks.transfers.regimes import Rows
from models.networks.transfers.scratch_feed import Feed
from models.tasks import Task
from models.tasks.arrays import Array, Floats

# Times that a network is judged by the held-out samples, evenly over the steps.
STOPS = 5


def program_key(task: Task, config: NetworkConfig) -> tuple[object, ...]:
    """Returns what a training program depends on: targets with equal keys share one program."""
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


@dataclass(frozen=True)
class CompiledNetwork(TaskNetwork):
    """A task network that answers by the compiled model that trains it, in batches of one size."""

    model: Any = None

    def answer(self, value: Array, batch: int = 32) -> Array:
        """Returns answers [n, ...] to training-form inputs [n, ...], computed at most `batch` at
        once.
        """
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
    share its `program_key`.
    """

    def __init__(self, task: Task, config: NetworkConfig, size: int) -> None:
        self.config = config
        self.size = size
        # Variables, which `restart` gives their values: constants would be part of the program.
        self.standard: Any = None
        if standardises(task, config):
            channels = (task.output.channels,)
            self.standard = tuple(
                keras.Variable(np.ones(channels, "float32"), trainable=False) for _ in range(2)
            )
        self.network, self.model = trainer(task, config, size, self.standard)
        # Name and first weights of the task that was last begun: its next regime begins alike.
        self.first = (task.name, values_of(self.network))
        optimizer = self.model.optimizer.variables
        # copies: the variables change with every step
        self.optimizer = [(variable, variable.numpy()) for variable in optimizer]

    def restart(self, store: LabelStore, task: Task, labels: Known) -> Floats | None:
        """Gives the model the task's first weights, an optimiser that never stepped, and the
        constant of these labels. Returns that constant, [1, ...]; None for a task without one.
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
        self.set_standard(standard_of(task, store, self.config, labels))
        if composes_poses(task, self.config):
            self.network.head.get_layer("poses").whiten(*store.whitening(task.name))
        if not task.output.facts.averaged:
            return None
        average = average_answer(task, store, known=labels)
        # standardised targets have the average 0
        start_at_average(self.network, average if self.standard is None else average * 0)
        return average

    def set_standard(self, middle_and_unit: tuple[Floats, Floats] | None) -> None:
        """Assigns the middle and the unit, [C] each, by which targets are standardised, if they
        are.
        """
        for variable, value in zip(self.standard or (), middle_and_unit or ()):
            variable.assign(value)

    def fold(self) -> None:
        """Moves the standardisation into the head's last layer: the compiled model goes on with a
        middle of 0 and a unit of 1.
        """
        self.model.fold()
        if self.standard is not None:
            self.set_standard((np.zeros(self.standard[0].shape), np.ones(self.standard[1].shape)))

    def network_for(self, task: Task) -> CompiledNetwork:
        """Returns a view of the training model that answers for `task`."""
        network = self.network
        return CompiledNetwork(
            task, network.encoder, network.head, self.size, self.config, model=self.model
        )


def train_on_rows(
    store: LabelStore, task: Task, program: Program, rows: Rows, judging: Batch
) -> tuple[CompiledNetwork, list[float], float]:
    """Trains a network from scratch on the teaching rows, and keeps the weights that `judging`, a
    batch of held-out samples, liked best. Returns (network, its held-out losses at the stops,
    factor of `shrink`).
    """
    teaching, _ = rows
    config = program.config
    average = program.restart(store, task, Known(config.transfer_split, teaching))
    network = program.network_for(task)
    value, target, mask = judging
    stops = {round(part) for part in np.linspace(0, config.steps, STOPS + 1)[1:]}
    best: list[Array] = []
    curve: list[float] = []
    feed = Feed(store, task, config, teaching)
    for step in range(config.steps):
        program.model.train_on_batch(*feed.batch(step))
        if step + 1 in stops:
            losses = image_losses(task.loss, target, mask, network.answer(value))
            curve.append(checked_loss(float(losses.mean()), task.name, step))
            if curve[-1] == min(curve):
                best = values_of(network)
    for weight, at_best in zip(weights_of(network), best):
        weight.assign(at_best)
    program.fold()
    if average is None or task.output.dense or composes_poses(task, config):
        return network, curve, 1.0
    return network, curve, shrink(network, average, [(network.answer(value), target, mask)])


def mean_loss(network: TaskNetwork, batch: Batch) -> float:
    """Returns the mean loss of a network's answers to a batch of training-form inputs."""
    value, target, mask = batch
    return float(image_losses(network.task.loss, target, mask, network.answer(value)).mean())


def weights_of(network: TaskNetwork) -> list[keras.Variable]:
    """Returns the variables of encoder and head, running means included."""
    return [*network.encoder.weights, *network.head.weights]


def values_of(network: TaskNetwork) -> list[Array]:
    """Returns copies of the network's weights, [...] each."""
    return [weight.numpy() for weight in weights_of(network)]


def checked_loss(loss: float, name: str, step: int) -> float:
    """Returns the loss. Raises Interrupted if it is no number."""
    if not np.isfinite(loss):
        raise Interrupted(
            f"the loss of {name} from scratch became {loss} by step {step}; lower learning_rate"
        )
    return loss
