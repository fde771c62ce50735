"""Small frozen encoders, as somebody outside would bring them."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf


def keras_file(path: Path, side: int = 32, outputs: int = 12, seed: int = 3) -> Path:
    """a `.keras` model: [B, side, side, 3] -> [B, side / 4, side / 4, outputs]."""
    keras.utils.set_random_seed(seed)
    pictures = keras.Input((side, side, 3))
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="inner")(
        pictures
    )
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Conv2D(outputs, 3, strides=2, padding="same")(x)
    path.parent.mkdir(parents=True, exist_ok=True)
    keras.Model(pictures, x).save(path)
    return path


def saved_model(path: Path, file: Path) -> Path:
    """the model of a `.keras` file as a SavedModel, without a word."""
    keras.models.load_model(file, compile=False).export(path, verbose=False)
    return path


class Exported(tf.Module):
    """`answer(pictures, kernel [3, 3, 3, 8])` with a kernel of its own, or as a constant."""

    def __init__(self, answer, spec, constant=False):
        kernel = np.random.default_rng(0).normal(size=(3, 3, 3, 8)).astype("float32")
        self.kernel = kernel if constant else tf.Variable(kernel)
        self.answer = tf.function(lambda x: answer(x, self.kernel), input_signature=[spec])


def graph_folder(path: Path, answer, shape=(None, None, None, 3), dtype="float32", **told) -> Path:
    """a SavedModel of `Exported`; its signature takes pictures of that shape and dtype."""
    module = Exported(answer, tf.TensorSpec(shape, dtype), **told)
    tf.saved_model.save(module, str(path), signatures=module.answer)
    return path


def folded(pictures, kernel, stride=8):
    """[B, S, S, 3] -> [B, S / stride, S / stride, 8]."""
    return tf.nn.conv2d(tf.cast(pictures, "float32"), kernel, stride, "SAME")


def feature_file(path: Path, keys: list[str], side: int = 4, channels: int = 10) -> Path:
    """an `.npz` of made-up features, one array a view."""
    rng = np.random.default_rng(5)
    values = {key: rng.random((side, side, channels)).astype("float32") for key in keys}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **values)
    return path
