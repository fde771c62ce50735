"""One network's optimiser steps by `keras.Model.fit`: stops at NaN, says how fast it is, and goes
on where a killed run stopped.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from pathlib import Path

import keras
import numpy as np

WINDOW = (
    500  # steps of a Keras epoch at most: a checkpoint, and a point of the curve, fall on its end
)
CURVE = 20  # at least so many points, if there are so many steps


class Interrupted(RuntimeError):
    """Training stopped with a reason; the ledger keeps what was finished."""


def window(steps: int) -> int:
    """steps between two points of the loss curve."""
    return max(1, min(steps // CURVE, WINDOW))


def fit(
    model: keras.Model,
    batches,
    steps: int,
    name: str,
    *,
    saved: Path,
    address: str,
    every: float,
    out=None,
    callbacks=(),
) -> list[float]:
    """train to `steps` optimiser steps; the loss curve, a mean a window.

    batches: PyDataset without end whose `first` is set to the step to start from. saved: the
    checkpoint, written at the end of a window if `every` seconds have passed since the last one,
    read if it is there with the same `address`. callbacks: Keras' own. Raises Interrupted for a
    loss that is no number.
    """
    length = window(steps)
    checkpoint = Checkpoint(saved, address, length, every)
    done, curve = checkpoint.restore(model)
    checkpoint.curve = curve
    batches.first = done
    watch = [
        Watch(name, done),
        checkpoint,
        Stop(steps - done),
        Progress(name, done, steps, out or sys.stderr),
        *callbacks,
    ]
    model.fit(
        fed(batches),
        initial_epoch=done // length,
        epochs=-(-steps // length),
        steps_per_epoch=length,
        verbose=0,
        shuffle=False,
        callbacks=watch,
    )
    return curve


def fed(batches):
    """what `keras.Model.fit` is given: `batches`, or on TensorFlow the same batches by a pipeline
    that is not tuned while it runs.

    The thread that tunes a tf.data pipeline sleeps twice as long every time, and whoever frees the
    pipeline waits until it wakes: for up to as long as the training took. Here the next batches are
    prepared by `batches` itself.
    """
    if keras.backend.backend() != "tensorflow":
        return batches
    import tensorflow as tf

    signature = tuple(
        tf.TensorSpec(part.shape, part.dtype) for part in batches.batch(batches.first)
    )
    pipeline, options = (
        tf.data.Dataset.from_generator(
            lambda: (batches[i] for i in itertools.count()), output_signature=signature
        ),
        tf.data.Options(),
    )
    options.autotune.enabled = False
    return pipeline.prefetch(1).with_options(options)


class Watch(keras.callbacks.Callback):
    """Raises Interrupted once the running mean of the loss is no number: at that very step, as
    nothing before it was.
    """

    def __init__(self, name: str, done: int) -> None:
        super().__init__()
        self.name, self.seen = name, done

    def on_train_batch_end(self, batch, logs=None):
        if not np.isfinite(logs["loss"]):
            hint = (
                "its labels or images hold values that are no numbers"
                if self.seen == 0
                else "lower learning_rate"
            )
            raise Interrupted(
                f"the loss of {self.name} became {logs['loss']} at step {self.seen}; {hint} "
                "(finished networks are kept)"
            )
        self.seen += 1


class Stop(keras.callbacks.Callback):
    """Ends the last, shorter window."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left <= 0:
            self.model.stop_training = True


class Progress(keras.callbacks.Callback):
    """A line every half minute: steps, rate, time left for this network."""

    def __init__(self, name: str, done: int, steps: int, out, seconds: float = 30.0) -> None:
        super().__init__()
        self.name, self.first, self.seen, self.steps, self.out, self.seconds = (
            name,
            done,
            done,
            steps,
            out,
            seconds,
        )
        self.since = self.said = time.time()

    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1
        now = time.time()
        if now - self.said >= self.seconds:
            rate, self.said = (self.seen - self.first) / (now - self.since), now
            left = (self.steps - self.seen) / rate
            print(
                f"  {self.name}: step {self.seen}/{self.steps}, loss {logs['loss']:.4f}, "
                f"{rate:.2f} steps/s, about {left:.0f} s left for it",
                file=self.out,
                flush=True,
            )


class Checkpoint(keras.callbacks.Callback):
    """Every variable of model and optimiser (random states too), the step, and the curve so far, in
    one file that is replaced at once.
    """

    def __init__(self, path: Path, address: str, length: int, every: float) -> None:
        super().__init__()
        self.path, self.address, self.length, self.every = Path(path), address, length, every
        self.curve: list[float] = []
        self.written = time.time()

    def on_epoch_end(self, epoch, logs=None):
        self.curve.append(float(logs["loss"]))
        if not self.model.stop_training and time.time() - self.written >= self.every:
            self.save((epoch + 1) * self.length)

    def save(self, step: int) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self.path.with_name(f".{self.path.name}.{os.getpid()}.npz")
        values = {
            str(i): keras.ops.convert_to_numpy(variable)
            for i, variable in enumerate(state(self.model))
        }
        np.savez(scratch, address=self.address, step=step, curve=self.curve, **values)
        os.replace(scratch, self.path)
        self.written = time.time()

    def restore(self, model: keras.Model) -> tuple[int, list[float]]:
        """(steps done, curve) of the checkpoint of the same address; (0, []) without one."""
        if not self.path.exists():
            return 0, []
        with np.load(self.path) as file:
            if str(file["address"]) != self.address:
                return 0, []
            for i, variable in enumerate(state(model)):
                variable.assign(file[str(i)])
            return int(file["step"]), file["curve"].tolist()


def state(model: keras.Model) -> list:
    """all variables that the next step depends on, in a fixed order; builds the optimiser's."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]
