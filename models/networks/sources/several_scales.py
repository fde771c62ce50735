"""An encoder that gives maps of several of a network's layers, side by side on one grid."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

from models.tasks.arrays import Floats


def several_scales(
    model: keras.Model, names: Sequence[str], grid: int, probe: Floats
) -> keras.Model:
    """pictures -> [B, grid, grid, c]: the maps of layers `names`, averaged to the grid, each
    divided by its root mean square on the pictures of `probe`. Raises ValueError for maps whose
    side is no multiple of the grid.
    """
    pooled = []
    for name in names:
        maps = model.get_layer(name).output
        if maps.shape[1] % grid:
            raise ValueError(f"{name} gives {maps.shape[1]} cells a side; expected {grid}, or more")
        pooled.append(layers.AveragePooling2D(maps.shape[1] // grid)(maps))
    sizes = [
        float(np.sqrt((np.asarray(value) ** 2).mean()))
        for value in keras.Model(model.inputs, pooled).predict_on_batch(probe)
    ]
    # Without scale and shift, and with one variance for all channels: a network that is drawn anew
    # takes its own.
    norms = [
        layers.BatchNormalization(center=False, scale=False, epsilon=1e-12, name=f"{name}_scale")
        for name in names
    ]
    scaled = [norm(maps) for norm, maps in zip(norms, pooled)]
    for norm, size in zip(norms, sizes):
        norm.moving_variance.assign(np.full(norm.moving_variance.shape, size**2, "float32"))
    return keras.Model(model.inputs, layers.Concatenate(name="features")(scaled), name=model.name)


def made_up_pictures(count: int, side: int, seed: int = 0) -> Floats:
    """Draws [count, side, side, 3] float32 in [0, 1]: noise of several sizes, as coarse as a
    quarter of the picture and as fine as its pixels.
    """
    rng = np.random.default_rng(seed)
    total = np.zeros((count, side, side, 3), "float32")
    for cells in (4, 16, side):
        noise = rng.random((count, cells, cells, 3)).astype("float32")
        rows = np.arange(side) * cells // side
        total += noise[:, rows][:, :, rows] / 3
    return total
