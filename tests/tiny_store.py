"""A label store of eight made-up views a split, and a configuration small enough for one step."""

import contextlib

import numpy as np
from synthetic import SIZE, view

from models.examples.label_store import TaskSamples
from models.networks.config import NetworkConfig
from models.tasks import TASKS
from models.tasks.targets import target

TINY = NetworkConfig(
    encoder="lean",
    encoder_widths=(4, 4, 4, 4),
    decoder_widths=(4, 4, 4),
    head_width=8,
    steps=1,
    batch=4,
    learning_rate=1e-3,
    tile_size=16,
    scratch_steps=0,
    random_features=4,
    output_stride=4,
    ridges=(0.1,),
)


class TinyStore:
    """eight views a split, samples of all tasks, made up."""

    size = SIZE
    views_address = "tiny"

    def __init__(self) -> None:
        self.made = [view(i) for i in range(8)]

    def address(self, name):
        return f"tiny-{name}"

    def views(self, split):
        return [f"{split}{i}" for i in range(8)]

    def images(self, split):
        return np.stack([view.rgb for view in self.made])

    def has(self, name):
        return TASKS[name].trained

    def samples(self, name, split) -> TaskSamples:
        entry, rng = TASKS[name], np.random.default_rng(0)
        rows = np.array([[(i + k) % 8 for k in range(entry.images)] for i in range(8)], "int32")
        views = [[self.made[i] for i in row] for row in rows]
        values, masks = zip(*(target(entry, sample, lambda: rng) for sample in views))
        return TaskSamples(rows, np.stack(values), np.stack(masks))

    def keeping(self, name, split):
        return contextlib.nullcontext()

    def whitening(self, name):
        return np.zeros(1), np.ones(1)

    def sums(self, name):
        return None

    def sample_names(self, name, split):
        return [f"{split}-{i}" for i in range(8)]
