"""One network's optimiser steps by `keras.Model.fit`: stops at NaN, says how fast it is, and goes
on where a killed run stopped.
"""

from __future__ import annotations

import itertools
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import keras
import numpy as np

from models.networks.training.batch_maker import Batch
from models.networks.training.batches import Batches
from models.provenance.atomic import atomic_path
from models.provenance.seals import set_aside

# Steps of a Keras epoch at most: a checkpoint, and a point of the curve, fall on its end.
WINDOW = 500
CURVE = 20  # at least so many points, if there are so many steps
QUIET = 30.0  # seconds between two lines of progress


class Interrupted(RuntimeError):
    """Training stopped with a reason; the ledger keeps what was finished."""


def curve_window(steps: int) -> int:
    """Returns the steps between two points of the loss curve."""
    return max(1, min(steps // CURVE, WINDOW))


def fit(
    model: keras.Model,
    batches: Batches,
    steps: int,
    name: str,
    *,
    saved: Path,
    address: str,
    every: float,
    out: TextIO | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> list[float]:
    """Trains to `steps` optimiser steps; returns the loss curve, a mean a window.

    batches: begins anew at the step to start from. name: of the task, for messages. saved: the
    checkpoint, written at the end of a window if `every` seconds have passed since the last one,
    read if it is there with the same `address`. callbacks: Keras' own. Raises Interrupted for a
    loss that is no number.
    """
    length = curve_window(steps)
    checkpoint = Checkpoint(saved, address, length, every)
    first_step, curve = checkpoint.restore(model)
    checkpoint.curve = curve
    batches.first = first_step
    watch = [
        Watch(name, first_step),
        checkpoint,
        Stop(steps - first_step),
        Progress(name, first_step, steps, out or sys.stderr),
        *callbacks,
    ]
    model.fit(
        fit_input(batches),
        initial_epoch=first_step // length,
        # rounded up: `Stop` ends the last, shorter window
        epochs=-(-steps // length),
        steps_per_epoch=length,
        verbose=0,
        # they are shuffled already, as a function of their number
        shuffle=False,
        callbacks=watch,
    )
    return curve


def fit_input(batches: Batches) -> Any:
    """Returns what `keras.Model.fit` is given: `batches`, or on TensorFlow the same batches by a
    pipeline that is not tuned while it runs.

    The thread that tunes a tf.data pipeline sleeps twice as long every time, and whoever frees the
    pipeline waits until it wakes: for up to as long as the training took. Here the next batches are
    prepared by `batches` itself.
    """
    if keras.backend.backend() != "tensorflow":
        return batches
    import tensorflow as tf  # where JAX trains, TensorFlow need not be there

    def endless() -> Iterator[Batch]:
        return (batches[i] for i in itertools.count())

    signature = tuple(
        tf.TensorSpec(part.shape, part.dtype)
        # by `batch`: an index would take the batch out of those that wait
        for part in batches.batch(batches.first)
    )
    options = tf.data.Options()
    options.autotune.enabled = False
    pipeline = tf.data.Dataset.from_generator(endless, output_signature=signature)
    return pipeline.prefetch(1).with_options(options)


# What Keras tells a callback.
Logs = Mapping[str, float]


class Watch(keras.callbacks.Callback):
    """Raises Interrupted once the running mean of the loss is no number: at that very step, as
    nothing before it was.
    """

    def __init__(self, name: str, first_step: int) -> None:
        super().__init__()
        self.name = name
        self.seen = first_step

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        if not np.isfinite(logs["loss"]):
            hint = "lower learning_rate"
            if self.seen == 0:
                hint = "its labels or images hold values that are no numbers"
            raise Interrupted(
                f"the loss of {self.name} became {logs['loss']} at step {self.seen}; {hint}"
            )
        self.seen += 1


class Stop(keras.callbacks.Callback):
    """Ends the last, shorter window."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.left -= 1
        if self.left <= 0:
            self.model.stop_training = True


class Progress(keras.callbacks.Callback):
    """Prints a line every `QUIET` seconds: steps, rate, time left for this network."""

    def __init__(self, name: str, first_step: int, steps: int, out: TextIO) -> None:
        super().__init__()
        self.name = name
        self.first = first_step
        self.seen = first_step
        self.steps = steps
        self.out = out
        self.since = time.time()
        self.said = self.since

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        self.seen += 1
        now = time.time()
        if now - self.said < QUIET:
            return
        self.said = now
        rate = (self.seen - self.first) / (now - self.since)
        seconds_left = (self.steps - self.seen) / rate
        print(
            f"  {self.name}: step {self.seen}/{self.steps}, loss {logs['loss']:.4f}, "
            f"{rate:.2f} steps/s, about {seconds_left:.0f} s left for it",
            file=self.out,
            flush=True,
        )


class Checkpoint(keras.callbacks.Callback):
    """Every variable of model and optimiser (random states too), the step, and the curve so far, in
    one file that is replaced at once.
    """

    def __init__(self, path: Path, address: str, length: int, every: float) -> None:
        super().__init__()
        self.path = Path(path)
        self.address = address
        self.length = length
        self.every = every
        self.curve: list[float] = []
        self.written = time.time()

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        self.curve.append(float(logs["loss"]))
        # after the last window the network itself is written
        if not self.model.stop_training and time.time() - self.written >= self.every:
            self.save((epoch + 1) * self.length)

    def save(self, step: int) -> None:
        """Writes the checkpoint. step: how many steps are done."""
        # by place: Keras gives other names to variables of the next build
        values = {
            str(i): keras.ops.convert_to_numpy(variable)
            for i, variable in enumerate(state_variables(self.model))
        }
        with atomic_path(self.path) as scratch:
            np.savez(scratch, address=self.address, step=step, curve=self.curve, **values)
        self.written = time.time()

    def restore(self, model: keras.Model) -> tuple[int, list[float]]:
        """(steps done, curve) of the checkpoint of the same address; (0, []) without one, or with
        one that is damaged, which is set aside (its members carry checksums).
        """
        if not self.path.exists():
            return 0, []
        variables = state_variables(model)
        try:
            with np.load(self.path) as file:
                if str(file["address"]) != self.address:
                    return 0, []
                values = [file[str(i)] for i in range(len(variables))]
                step, curve = int(file["step"]), file["curve"].tolist()
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            set_aside(self.path, f"{type(error).__name__}: {error}")
            return 0, []
        for variable, value in zip(variables, values):
            variable.assign(value)
        return step, curve


def state_variables(model: keras.Model) -> list[keras.Variable]:
    """Returns all variables that the next step depends on, in a fixed order; builds the
    optimiser's.
    """
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]
