"""One network, from pixels: built, fitted, measured on the test split, written whole."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TextIO

import keras
import numpy as np

from models.examples.label_store import LabelStore
from models.networks.architecture.heads import composes_poses
from models.networks.config import NetworkConfig
from models.networks.losses.losses import image_losses
from models.networks.task_networks.answers import answers_in_parts, losses_beside
from models.networks.task_networks.build import TaskNetwork, build_task_network, in_float32
from models.networks.task_networks.records import NetworkRecord, TaskRecord, read_back
from models.networks.task_networks.warm import Start, begin_at
from models.networks.training.adversarial import AdversarialSiamese, PublishedAdam
from models.networks.training.averages import average_answer, balance, has_labels, standard_of
from models.networks.training.batches import Batches, batch_size
from models.networks.training.devices import replicas, spread, synchronise
from models.networks.training.fit import fit
from models.networks.training.muon import FlatMuon
from models.networks.training.recipes import Recipe, learning_rate, recipe
from models.networks.training.siamese import Siamese
from models.networks.weights import save_weights
from models.provenance.address import address_of
from models.provenance.atomic import write_json
from models.provenance.seals import sealed_folder
from models.tasks import Task
from models.tasks.addressing import rows_of, settings_of
from models.tasks.arrays import Array, Floats

# Factors by which an answer is pulled towards the average.
SHRINKAGES = (1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
# Tracing a step's program took as long as six steps without one (smoke's networks, two cores).
FEW_STEPS = 5


def network_address(task: Task, store: LabelStore, config: NetworkConfig, start: str = "") -> str:
    """Returns 16 hex digits of everything that a trained network depends on: its own task's labels,
    the fields of the entry and of the configuration that training reads, and the code that trains.
    start: address of the network that it begins from; "" for a cold start.
    """
    labels = [store.views_address, store.address(task.name)] if task.trained else []
    return address_of(
        train_task,
        inputs=[store.size, labels, *([{"start": start}] if start else [])],
        settings=(*settings_of(task), config_of_one_task(config, task)),
        choices=rows_of(task),
    )


def config_of_one_task(config: NetworkConfig, task: Task) -> NetworkConfig:
    """Returns the configuration with this task's share of the steps worked in, and all fields reset
    that only networks of other tasks, kinds or schedules read.
    """
    task_recipe = recipe(task, config)
    narrowed = replace(config, steps=task_recipe.steps, shares=())
    if task.input != "tiles":
        narrowed = replace(narrowed, tile_size=1)
    if task_recipe.norm_share == 1:
        # no discriminator, whose turn would come
        narrowed = replace(narrowed, adversarial=False, warm_up=0)
    if config.schedule != "step":
        narrowed = replace(narrowed, decay_after=0)
    if task.output.dense:
        narrowed = replace(narrowed, head_width=1)
    # A lean encoder is not without widths of a decoder, even where there is none.
    elif config.encoder == "lean":
        narrowed = replace(narrowed, decoder_widths=(1,))
    if config.encoder != "lean":
        narrowed = replace(narrowed, encoder_widths=(), decoder_widths=())
    return narrowed


def train_task(
    store: LabelStore,
    folder: Path,
    entry: Task,
    config: NetworkConfig,
    out: TextIO = sys.stderr,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    start: Start | None = None,
) -> TaskRecord:
    """Trains one network, judges it on the test split, and writes it whole; returns its record.
    callbacks: Keras' own, for `fit`. start: the network that it begins from; None for a cold start.
    """
    # Keras' global state would keep every network that is trained here
    keras.backend.clear_session()
    since = time.time()
    network, curve, shrinkage = (
        train_network(store, folder, entry, config, out, callbacks, start)
        if entry.trained
        else (build_task_network(entry, config, store.size), [], 1.0)
    )
    seconds = time.time() - since
    loss = None
    win_average = 0.5
    with sealed_folder(folder) as scratch:
        save_weights(network.encoder, scratch / "encoder.weights.h5")
        if network.head is not None:
            save_weights(network.head, scratch / "head.weights.h5")
            constant = average_answer(entry, store, balance(entry, store, config))
            losses, average = losses_beside(network, store, config, constant)
            np.save(scratch / "test_losses.npy", losses)
            loss = float(losses.mean())
            wins = (losses < average).mean() + 0.5 * (losses == average).mean()
            win_average = float(wins)
        record: TaskRecord = {
            **network_record(
                network,
                network_address(entry, store, config, start.address if start else ""),
                steps=recipe(entry, config).steps if entry.trained else 0,
                seconds=seconds,
                loss=loss,
                curve=curve,
                shrinkage=shrinkage,
            ),
            "start": start.address if start else None,
            "win_average": win_average,
        }
        write_json(scratch / "network.json", record)
    # not before the network is whole
    checkpoint_of(folder).unlink(missing_ok=True)
    return read_back(record)


def network_record(
    network: TaskNetwork,
    address: str,
    *,
    steps: int,
    seconds: float,
    loss: float | None,
    curve: list[float],
    shrinkage: float,
) -> NetworkRecord:
    """Returns the fields that the records of task networks and of networks from scratch share."""
    models = [network.encoder, *([network.head] if network.head is not None else [])]
    return {
        "task": network.task.name,
        "address": address,
        "size": network.size,
        "config": asdict(network.config),
        "seconds": seconds,
        "steps": steps,
        "parameters": sum(int(model.count_params()) for model in models),
        "loss": loss,
        "curve": curve,
        "shrinkage": shrinkage,
    }


def train_network(
    store: LabelStore,
    folder: Path,
    entry: Task,
    config: NetworkConfig,
    out: TextIO,
    callbacks: Sequence[keras.callbacks.Callback],
    start: Start | None,
) -> tuple[TaskNetwork, list[float], float]:
    """Returns (trained network that computes in float32, loss curve, factor of
    `shrink_to_average`).
    """
    average = average_answer(entry, store) if entry.output.facts.averaged else None
    batch = batch_size(entry, config)
    with spread(devices_for(entry, config), batch) as devices:
        if config.devices > 1:
            line = f"  {entry.name}: {devices} of {config.devices} devices share a batch of {batch}"
            print(line, file=out, flush=True)
        network, curve = run_steps(store, folder, entry, config, average, out, callbacks, start)
    if devices > 1 or config.precision != "float32":
        network = in_float32(network)
    return network, curve, shrink_to_average(network, store, config, average)


def devices_for(task: Task, config: NetworkConfig) -> int:
    """Returns how many devices may share a task's steps. On TensorFlow each draws random numbers of
    its own, others than one device would: what has dropout (vectors and classes), or noise on what
    a discriminator sees, is trained by one device there.
    """
    random = not task.output.dense or recipe(task, config).norm_share < 1
    return 1 if random and keras.backend.backend() == "tensorflow" else config.devices


def run_steps(
    store: LabelStore,
    folder: Path,
    entry: Task,
    config: NetworkConfig,
    average: Floats | None,
    out: TextIO,
    callbacks: Sequence[keras.callbacks.Callback],
    start: Start | None,
) -> tuple[TaskNetwork, list[float]]:
    """Runs all optimiser steps; returns (network as it is after the last one, loss curve). average:
    [1, ...], as `average_answer` returns it.
    """
    network, model = trainer(entry, config, store.size, standard_of(entry, store, config))
    if start is not None:
        begin_at(network, start)
        model.unfold()
    elif average is not None:
        # standardised targets have the average 0
        start_at_average(network, average if model.standard is None else average * 0)
    if composes_poses(entry, config):
        network.head.get_layer("poses").whiten(*store.whitening(entry.name))
    batches = Batches(store, entry, config)
    try:
        curve = fit(
            model,
            batches,
            recipe(entry, config).steps,
            entry.name,
            saved=checkpoint_of(folder),
            address=network_address(entry, store, config, start.address if start else ""),
            every=config.checkpoint_seconds,
            out=out,
            callbacks=callbacks,
        )
    finally:
        batches.close()
    model.fold()
    return network, curve


def checkpoint_of(folder: Path) -> Path:
    """Returns where a network in training is saved: beside the folder that it will be."""
    return folder.with_name(f".{folder.name}.checkpoint.npz")


def trainer(
    entry: Task, config: NetworkConfig, size: int, standard: tuple[Floats, Floats] | None = None
) -> tuple[TaskNetwork, Any]:
    """Returns a fresh network and the compiled model that `fit` trains, which share variables; None
    in the model's place for the untrained control. standard: (middle, unit), [channels] each, as
    `Siamese` takes it.
    """
    with precision(config.precision):
        network = build_task_network(entry, config, size)
        if not entry.trained:
            return network, None
        task_recipe = recipe(entry, config)
        if task_recipe.norm_share == 1:
            model = Siamese(network, standard, task_recipe.counted)
        else:
            model = AdversarialSiamese(network, task_recipe, config.warm_up)
    synchronise(network.encoder)
    synchronise(network.head)
    eager = few_steps(config) and replicas() == 1
    model.compile(
        optimizer=optimizer_of(entry, config, model),
        jit_compile=compiled(config) and not eager,
        run_eagerly=eager,
    )
    # Now, since a first step that makes variables is traced twice.
    model.optimizer.build(model.trainable_variables)
    return network, model


def optimizer_of(
    task: Task, config: NetworkConfig, model: keras.Model
) -> keras.optimizers.Optimizer:
    """Returns the recipe's optimiser for a model."""
    task_recipe = recipe(task, config)
    rate = learning_rate(task, config)
    rival = getattr(model, "discriminator", None)
    if not task_recipe.coupled and rival is None:
        return FlatMuon(rate, task_recipe.clip_global, task_recipe.weight_decay)
    rivals = tuple(variable.path for variable in rival.trainable_variables) if rival else ()
    return PublishedAdam(
        rate,
        kernel_decays(model, task_recipe),
        rivals,
        config.warm_up,
        clipnorm=task_recipe.clip_variable,
        global_clipnorm=task_recipe.clip_global,
    )


def kernel_decays(model: keras.Model, task_recipe: Recipe) -> dict[str, float]:
    """Returns path -> decay of the kernels of a model; ten times as much for a discriminator's."""
    decays = [(model.encoder, task_recipe.weight_decay), (model.head, task_recipe.head_decay)]
    if hasattr(model, "discriminator"):
        decays.append((model.discriminator, 10 * task_recipe.weight_decay))
    return {
        variable.path: decay
        for part, decay in decays
        for variable in part.trainable_variables
        if variable.path.endswith("kernel")
    }


@contextlib.contextmanager
def precision(policy: str) -> Iterator[None]:
    """Lets layers that are made inside compute by this policy; the process's own comes back
    afterwards.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def compiled(config: NetworkConfig) -> bool:
    """Returns whether XLA compiles a training step. JAX without it runs operation by operation."""
    return config.jit or keras.backend.backend() == "jax"


def few_steps(config: NetworkConfig) -> bool:
    """Returns whether the steps are so few that tracing a program takes longer than running them
    without one.
    """
    return config.steps <= FEW_STEPS and keras.backend.backend() == "tensorflow"


def start_at_average(network: TaskNetwork, average: Array) -> None:
    """Sets the last layer's bias to the best constant answer [1, ...] and shrinks its weights:
    training starts where the average estimator ends.
    """
    if composes_poses(network.task, network.config):
        return
    kernel, bias = network.head.get_layer("answer").weights
    if average.shape[-1] == bias.shape[0]:
        bias.assign(average.reshape(-1, average.shape[-1]).mean(0))
        kernel.assign(kernel * 0.1)


def shrink_to_average(
    network: TaskNetwork, store: LabelStore, config: NetworkConfig, average: Floats | None = None
) -> float:
    """Pulls a vector or class answer towards the best constant one, in the last layer, by the
    factor that validation samples like best; returns the factor.

    answer' = average + factor (answer - average): few buildings teach a network to be surer than it
    may be. Maps and embeddings keep their answer (factor 1). average: [1, K], as `average_answer`
    returns it.
    """
    task = network.task
    if task.output.dense or composes_poses(task, config) or not has_labels(store, task, "val"):
        return 1.0
    average = average_answer(task, store) if average is None else average
    return shrink(network, average, answers_in_parts(network, store, "val", config))


def shrink(
    network: TaskNetwork, average: Floats, parts: Iterable[tuple[Array, Array, Array]]
) -> float:
    """Pulls the answers of a last layer towards `average` by the factor that some samples like
    best; returns the factor. parts: (the network's answer, target, mask), [n, ...] each, of some of
    these samples at a time.
    """
    losses: dict[float, list[Floats]] = {factor: [] for factor in SHRINKAGES}
    for answer, target, mask in parts:
        for factor, row in losses.items():
            shrunk = average + factor * (answer - average)
            row.append(image_losses(network.task.loss, target, mask, shrunk))
    means = {factor: float(np.concatenate(row).mean()) for factor, row in losses.items()}
    factor = min(SHRINKAGES, key=means.__getitem__)
    kernel, bias = network.head.get_layer("answer").weights
    kernel.assign(kernel * factor)
    bias.assign(bias * factor + (1 - factor) * average.reshape(-1))
    return factor
