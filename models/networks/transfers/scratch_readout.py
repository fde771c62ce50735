"""The other way to learn from scratch: pixels read in closed form, on exactly the samples that
teach the network from scratch.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TextIO, cast

import numpy as np

from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.task_networks.build import TaskNetwork, solved_network
from models.networks.training.inputs import training_input
from models.networks.training.split_parts import damage_generator
from models.networks.transfers.bench import CHUNK, PIXELS, PixelMaps, pixel_cells
from models.networks.transfers.closed_form.edge_readout import readout_arrays
from models.networks.transfers.closed_form.view_kernels import GlobalKernel
from models.networks.transfers.learners import SourceSet
from models.networks.transfers.ledger import key_of
from models.networks.transfers.regimes import Regime, Rows, last_buildings
from models.tasks import TASKS, Task
from models.tasks.arrays import Array, Floats, Integers

SUBSET: SourceSet = (0,)


@dataclass(frozen=True)
class PixelBench:
    """A bench (`learners.BenchView`) whose one source is pixels as a task's network sees them,
    averaged to the grid.
    """

    task: Task
    store: LabelStore
    config: NetworkConfig
    # Cells of the side.
    grid: int
    sources: Sequence[str] = (PIXELS,)
    kernels: dict[int, GlobalKernel] = field(default_factory=dict)
    out: TextIO = sys.stderr

    def maps(self, index: int, split: str) -> Floats:
        """Returns cells [view, grid, grid, 12]; of whole pictures, made when taken."""
        images = self.store.images(split)
        if self.task.input == "image":
            return cast(Floats, PixelMaps(images, self.grid))
        random = damage_generator(self.task)
        parts = []
        for start in range(0, len(images), CHUNK):
            some = images[start : start + CHUNK]
            inputs = training_input(self.task, some[:, None], some, random, self.config.tile_size)
            parts.append(pixel_cells((inputs + 1) * 127.5, self.grid))
        return np.concatenate(parts)

    def key(self, subset: SourceSet, regime: Regime) -> str:
        """Returns the key of the one row that there is: that of pixels."""
        return key_of([(PIXELS, str(self.grid))], regime.name, str(regime.limit), control=PIXELS)


@dataclass(frozen=True)
class PixelsSolved:
    """A readout of pixels into one target. rows: samples that teach, and those held out."""

    bench: PixelBench
    regime: Regime
    target: str
    rows: Rows

    @property
    def grid(self) -> int:
        return self.bench.grid

    def taught(self) -> TaskNetwork:
        """Returns the readout solved on the samples that teach alone."""
        teaching, _ = self.rows
        split = self.bench.config.transfer_split
        data = self.bench.store.samples(self.target, split)
        views = np.unique(np.asarray(data.views)[teaching])
        keys = self.bench.store.views(split)
        held_out = last_buildings([keys[view] for view in views])
        regime = replace(self.regime, views=views, held_out=held_out)
        return self.network(self.arrays(regime, teaching))

    def arrays(
        self, regime: Regime | None = None, rows: Integers | None = None
    ) -> dict[str, Array]:
        """Returns the arrays that `pixel_readout` takes, solved on all samples of the regime by
        default. rows: [n], samples that teach.
        """
        return readout_arrays(self.bench, regime or self.regime, self.target, SUBSET, rows)

    def network(self, arrays: dict[str, Array]) -> TaskNetwork:
        """Returns the readout of `arrays` in the form of a task network."""
        task = TASKS[self.target]
        bench = self.bench
        return solved_network(task, arrays, bench.config, bench.store.size, bench.grid)


def pixels_solved(
    store: LabelStore,
    encoder: Any,
    regime: Regime,
    target: str,
    config: NetworkConfig,
    rows: Rows,
) -> PixelsSolved:
    """Returns the readout of pixels into one target. encoder: keras.Model whose grid the readout
    has.
    """
    shape = encoder.compute_output_shape((None, store.size, store.size, encoder.input_shape[-1]))
    return PixelsSolved(
        PixelBench(TASKS[target], store, config, int(shape[1])), regime, target, rows
    )
