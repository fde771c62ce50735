"""A network that is solved, not trained: a readout in closed form of pixels, in the form of a task
network.
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from models.networks.architecture.readout_layers import GlobalReadout, LocalReadout
from models.networks.losses.block_losses import block_channels, sharpness
from models.networks.tensors import Tensor
from models.tasks import Task
from models.tasks.arrays import Array

# Of a cell: its four quarters' mean colours.
CHANNELS = 12
# Grey levels about 127.5 that become 1, also in `transfers/bench.py` `pixel_cells`.
UNIT = 64.0


class PixelCells(keras.layers.Layer):
    """[B, S, S, 3] in [-1, 1] -> [B, grid, grid, 12], about unit variance."""

    def __init__(self, grid: int) -> None:
        super().__init__(trainable=False)
        self.grid = grid

    def call(self, image: Tensor) -> Tensor:
        grid = self.grid
        side = image.shape[1] // (2 * grid)
        quarters = ops.average_pool(image, side, side) * (127.5 / UNIT)
        cells = ops.reshape(quarters, (-1, grid, 2, grid, 2, 3))
        return ops.reshape(ops.transpose(cells, (0, 1, 3, 2, 4, 5)), (-1, grid, grid, CHANNELS))


def pixel_readout(
    task: Task, arrays: Mapping[str, Array], size: int, grid: int, enlarge: int
) -> tuple[keras.Model, keras.Model]:
    """Returns (encoder: [B, S, S, 3] in [-1, 1] to `PixelCells`; head: the readout that `arrays`
    hold, as `closed_form/edge_readout.py` solves them for one source). enlarge: of maps,
    `output_stride`.
    """
    image = keras.Input((size, size, 3), name="image")
    encoder = keras.Model(image, PixelCells(grid)(image), name=f"encoder_{task.name}")
    cells = (grid, grid, CHANNELS)
    source = keras.Input(
        cells if task.images == 1 else (task.images, *cells), name="representation"
    )
    whole = {
        "mean": np.zeros(CHANNELS, "float32"),
        "deviation": np.ones(CHANNELS, "float32"),
        **arrays,
    }
    if task.output.dense:
        form = (block_channels(task), enlarge, sharpness(task))
        answer = LocalReadout(whole, [CHANNELS], *form)(source)
    else:
        answer = GlobalReadout(whole, [CHANNELS], task.images)(source)
    return encoder, keras.Model(source, answer, name="head")
