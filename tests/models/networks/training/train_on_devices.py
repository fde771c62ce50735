"""Run by test_devices.py, whose environment chooses the backend: networks and stacked transfers on
one of three logical CPU devices, and on as many as share a batch of four when two or three are
asked for; prints their losses.
"""

import dataclasses
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "fixtures" / "data")]
import keras  # noqa: E402
import numpy as np  # noqa: E402

BACKEND = keras.backend.backend()
DEVICES = 3
if BACKEND == "tensorflow":
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    logical = [tf.config.LogicalDeviceConfiguration()] * DEVICES
    tf.config.set_logical_device_configuration(cpu, logical)
else:
    import jax

    jax.config.update("jax_num_cpu_devices", DEVICES)

from tiny_store import TINY, TinyStore  # noqa: E402

from models.networks.task_networks.train import train_task  # noqa: E402
from models.networks.training.devices import TooFewDevices  # noqa: E402
from models.networks.training.siamese import Siamese  # noqa: E402
from models.networks.transfers.gradient.learner import learn  # noqa: E402
from models.networks.transfers.gradient.schedule import Schedule  # noqa: E402
from models.tasks import TASKS  # noqa: E402

SAMPLES: set[int] = set()


def said(**row):
    print(json.dumps(row), flush=True)


def watched(self, inputs, training=False, call=Siamese.call):
    """notes how many samples a traced program is for."""
    SAMPLES.add(int(inputs.shape[0]))
    return call(self, inputs, training)


Siamese.call = watched
# Task, devices asked for. On TensorFlow what draws random numbers stays on one.
NETWORKS = [("normal", 1), ("normal", 3)]
if BACKEND == "jax":
    NETWORKS += [("class_scene", 1), ("class_scene", 2)]
store = TinyStore()
with tempfile.TemporaryDirectory() as folder:
    for name, devices in NETWORKS:
        SAMPLES.clear()
        config = dataclasses.replace(TINY, steps=3, learning_rate=0.03, devices=devices)
        place = Path(folder) / f"{name}{devices}"
        curve = train_task(store, place, TASKS[name], config)["curve"]
        losses = [*curve, *np.load(place / "test_losses.npy").tolist()]
        said(what=name, devices=devices, samples=min(SAMPLES), losses=losses)
    try:
        config = dataclasses.replace(TINY, devices=4)
        train_task(store, Path(folder) / "x", TASKS["normal"], config)
    except TooFewDevices as error:
        said(what="error", devices=4, said=str(error))


def maps(index, split):
    """representations of eight views, made up."""
    return np.random.default_rng([index, len(split)]).normal(size=(8, 4, 4, 3)).astype("float32")


for devices in (1, 2) if BACKEND == "jax" else ():
    config = dataclasses.replace(TINY, devices=devices)
    rows = (np.arange(5), np.arange(5, 8))  # three samples stop it, which two cannot share
    schedule = Schedule(batch=4, epochs=3)
    learned = learn(
        store, maps, "normal", np.array([[0, 1], [1, 2]]), [1, 2], config, schedule, rows=rows
    )
    losses = [*learned.validation.ravel().tolist(), *learned.losses.ravel().tolist()]
    said(what="transfers", devices=devices, shared=learned.devices, losses=losses)
