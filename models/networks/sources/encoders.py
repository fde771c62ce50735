"""A source's encoder over pictures in [0, 1]: its own preprocessing in front of it, its features
pooled to the run's grid behind it.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from models.networks.sources.description import OutsideSource, SourceError, check_map
from models.networks.sources.frozen_graph import FrozenGraph
from models.networks.tensors import Tensor
from models.tasks.arrays import Array, Floats

# Levels of brightness that pictures must keep as whole numbers.
FEWEST_LEVELS = 128


class Preprocessed(keras.layers.Layer):
    """[B, S, S, 3] in [0, 1] -> what a source's encoder takes, [B, size, size, 3]."""

    def __init__(self, source: OutsideSource) -> None:
        super().__init__(trainable=False)
        self.side = source.size
        self.blue_first = source.blue_first
        self.mean = np.array(source.mean, "float32")
        self.deviation = np.array(source.deviation, "float32")

    def call(self, pictures: Tensor) -> Tensor:
        if self.side and self.side != pictures.shape[1]:
            pictures = ops.image.resize(pictures, (self.side, self.side), antialias=True)
        value = (pictures - self.mean) / self.deviation
        # last: mean and deviation are of red, green, blue
        return value[..., ::-1] if self.blue_first else value


class Pooled(keras.layers.Layer):
    """[B, h, w, c] -> [B, grid, grid, c] means; smaller maps are enlarged."""

    def __init__(self, grid: int) -> None:
        super().__init__(trainable=False)
        self.grid = grid

    def call(self, maps: Tensor) -> Tensor:
        height, width = maps.shape[1:3]
        if height == width == self.grid:
            return maps
        # whole cells have an exact mean
        if height is not None and height == width and height % self.grid == 0:
            return ops.average_pool(maps, height // self.grid, height // self.grid, "valid")
        return ops.image.resize(maps, (self.grid, self.grid), antialias=True)


class Reduced(keras.layers.Layer):
    """[B, h, w, c] -> [B, h, w, k]: (features - mean) on principal components [c, k]."""

    def __init__(self, mean: Array, components: Array) -> None:
        super().__init__(trainable=False)
        self.offset = self.add_weight(shape=mean.shape, initializer="zeros", trainable=False)
        self.components = self.add_weight(
            shape=components.shape, initializer="zeros", trainable=False
        )
        self.offset.assign(mean)
        self.components.assign(components)

    def call(self, maps: Tensor) -> Tensor:
        return ops.matmul(maps - self.offset, self.components)


def features_model(source: OutsideSource, folder: Path, size: int, grid: int) -> keras.Model:
    """Pictures [B, size, size, 3] in [0, 1] -> pooled features [B, grid, grid, c], of a source that
    a bundle can hold. Raises SourceError for an encoder of another form.
    """
    pictures = keras.Input((size, size, 3), name="pictures")
    inputs = Preprocessed(source)(pictures)
    encoder = ENCODERS[source.form](source, folder / source.file, source.size or size)
    maps = encoder(inputs)
    if len(maps.shape) != 4:
        raise SourceError(
            f"{source.name} gives features of shape {tuple(maps.shape)}; expected maps [B, h, w, "
            "c]: name an inner layer with --layer, or export the model without its top"
        )
    check_map(source.name, tuple(maps.shape[1:]))
    return keras.Model(pictures, Pooled(grid)(maps), name=source.name)


def keras_encoder(source: OutsideSource, path: Path, side: int) -> Callable[[Tensor], Tensor]:
    """Returns the model in a `.keras` file up to the layer that was named, never trained, for
    pictures of the side `side`.
    """
    try:
        # what it was trained by is of no use here, and may be unknown
        model = keras.models.load_model(path, compile=False)
    except (OSError, ValueError, TypeError) as error:
        raise SourceError(
            f"{path} is no model that Keras can read: {str(error).splitlines()[0]}"
        ) from error
    if source.layer:
        names = layer_names(model)
        if source.layer not in names:
            raise SourceError(
                f"{path} has no layer {source.layer!r}; there are {', '.join(names[-12:])}"
            )
        model = model_up_to(model, source.layer)
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise SourceError(
            f"{path} has {len(model.inputs)} inputs and {len(model.outputs)} outputs; expected one "
            "picture in and one map out (--layer names one)"
        )
    if not model.count_params():
        raise SourceError(f"{path} has no weights: it is no trained encoder")
    dtype = keras.backend.standardize_dtype(model.inputs[0].dtype)
    check_pictures(path, tuple(model.inputs[0].shape), side)
    check_values(path, source, dtype)
    model.trainable = False
    return lambda value: model(as_dtype(value, dtype), training=False)


def layer_names(model: keras.Model) -> list[str]:
    """Returns the names of a model's layers; of a model inside it, INNER, and INNER/LAYER for its
    layers.
    """
    names = []
    for layer in model.layers:
        names.append(layer.name)
        if isinstance(layer, keras.Model):
            names += [f"{layer.name}/{name}" for name in layer_names(layer)]
    return names


def model_up_to(model: keras.Model, layer: str) -> keras.Model:
    """Returns the model cut behind a layer of `layer_names`."""
    name, _, inner = layer.partition("/")
    part = model.get_layer(name)
    if not isinstance(part, keras.Model):
        return keras.Model(model.inputs, part.output)
    # `output` of a model inside another is that of its own inputs: its call in this one is asked
    for call in reversed(part._inbound_nodes):
        tensors = call.input_tensors
        outputs = (
            model_up_to(part, inner)(single_or_all(tensors))
            if inner
            else single_or_all(call.output_tensors)
        )
        try:
            return keras.Model(model.inputs, outputs)
        except ValueError:
            # another model's call of the same layers
            continue
    return keras.Model(model.inputs, part.output)


def single_or_all(tensors: Sequence[Tensor]) -> Tensor | Sequence[Tensor]:
    """Returns the only tensor, or all of several: a model of [map] answers with a list."""
    return tensors[0] if len(tensors) == 1 else tensors


def graph_encoder(source: OutsideSource, path: Path, side: int) -> Callable[[Tensor], Tensor]:
    """Returns the default signature of a SavedModel, for pictures of the side `side`."""
    graph = FrozenGraph(path)
    check_pictures(path, graph.picture_shape, side)
    check_values(path, source, graph.picture_dtype)
    return lambda value: graph(as_dtype(value, graph.picture_dtype))


def check_pictures(path: Path, shape: tuple[int | None, ...], side: int) -> None:
    """Raises SourceError unless an encoder takes [B, S, S, 3] of that side; (): it does not say."""
    if not shape:
        return
    if len(shape) != 4 or shape[-1] != 3:
        raise SourceError(f"{path} takes {shape}; expected pictures [B, S, S, 3], colours last")
    if not {side, None}.issuperset(shape[1:3]):
        height, width = shape[1:3]
        raise SourceError(
            f"{path} takes pictures of {height} x {width}, and is given {side} x {side}; "
            + (f"resize them with --size {height}" if height == width else "expected square ones")
        )


def check_values(path: Path, source: OutsideSource, dtype: str) -> None:
    """Raises SourceError where preprocessed pictures would lose most of what they show as whole
    numbers of an encoder's dtype.
    """
    if not whole_numbers(dtype):
        return
    mean, deviation = np.array(source.mean), np.array(source.deviation)
    darkest, lightest = -mean / deviation, (1 - mean) / deviation
    room = np.iinfo(dtype)
    fits = darkest.min() > room.min - 0.5 and lightest.max() < room.max + 0.5
    if not fits or (lightest - darkest).min() < FEWEST_LEVELS:
        raise SourceError(
            f"{path} takes whole numbers ({dtype}), and pictures are preprocessed to "
            f"{darkest.min():.3g} to {lightest.max():.3g}; give --preprocess bytes"
        )


def whole_numbers(dtype: str) -> bool:
    return dtype.startswith(("int", "uint"))


def as_dtype(pictures: Tensor, dtype: str) -> Tensor:
    """Casts preprocessed pictures to an encoder's dtype; for whole numbers they are rounded first,
    since a cast alone would cut 254.99999 down to 254.
    """
    if whole_numbers(dtype):
        pictures = ops.round(pictures)
    return pictures if pictures.dtype == dtype else ops.cast(pictures, dtype)


ENCODERS: dict[str, Callable[[OutsideSource, Path, int], Callable[[Tensor], Tensor]]] = {
    "keras": keras_encoder,
    "saved_model": graph_encoder,
}


def onnx_features(source: OutsideSource, path: Path, grid: int) -> Callable[[Floats], Floats]:
    """Pictures [B, S, S, 3] in [0, 1] -> pooled features, by onnxruntime, which is given as many
    pictures at a time, of the side and the dtype, as the file says. Raises SourceError for a file
    that cannot be an encoder, and where onnxruntime is not installed.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        raise SourceError(
            f"{path} is an ONNX file, and onnxruntime is not installed; `pip install onnxruntime` "
            "(the extra `onnx`), or give a .keras model, a SavedModel, or arrays of its features"
        )
    session = onnx_session(path)
    port = session.get_inputs()[0]
    count, side, channels_first = onnx_pictures(path, port.shape)
    if side and source.size not in (0, side):
        raise SourceError(
            f"{path} takes pictures of {side} x {side}, and --size says {source.size}; leave that "
            "out"
        )
    dtype = onnx_dtype(path, port.type)
    # a side that the file says goes without being said
    source = dataclasses.replace(source, size=side or source.size)
    check_values(path, source, dtype)
    prepare, pool = Preprocessed(source), Pooled(grid)

    def features(pictures: Floats) -> Floats:
        value = prepare(ops.convert_to_tensor(pictures))
        value = np.asarray(as_dtype(value, dtype))
        value = value.transpose(0, 3, 1, 2) if channels_first else value
        maps = np.concatenate([run(part) for part in batches_of(value, count or len(value))])
        # without those of the rows that fill the last batch
        maps = maps[: len(maps) - (-len(value) % (count or 1))]
        maps = maps.transpose(0, 2, 3, 1) if channels_first else maps
        return np.asarray(pool(ops.convert_to_tensor(maps)))

    def run(part: Array) -> Floats:
        try:
            maps = np.asarray(session.run(None, {port.name: part})[0], "float32")
        except Exception as error:
            # onnxruntime's errors have no class of their own
            raise SourceError(
                f"{path} cannot encode pictures of shape {part.shape}: {in_a_line(error)}"
            ) from error
        if maps.ndim != 4:
            raise SourceError(f"{path} gives features of shape {maps.shape}; expected maps")
        return maps

    return features


def onnx_session(path: Path) -> Any:
    """Returns onnxruntime's session of a file. Raises SourceError for one that it cannot read, or
    that takes something beside pictures.
    """
    onnxruntime: Any = importlib.import_module("onnxruntime")
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:
        raise SourceError(
            f"onnxruntime cannot read {path}: {in_a_line(error)}; export it anew"
        ) from error
    names = [each.name for each in session.get_inputs()]
    if len(names) != 1:
        raise SourceError(f"{path} takes {', '.join(names) or 'nothing'}; expected pictures alone")
    return session


def onnx_pictures(path: Path, shape: Sequence[object]) -> tuple[int | None, int | None, bool]:
    """Returns (pictures at a time, side, whether colours come first) of an encoder's input, None
    for what is any number. Raises SourceError unless it takes square pictures of three colours.
    """
    # what is any number has a name, or none
    sizes = [size if isinstance(size, int) else None for size in shape]
    if len(sizes) != 4 or 3 not in (sizes[1], sizes[3]):
        raise SourceError(
            f"{path} takes {list(shape)}; expected pictures [B, 3, S, S] or [B, S, S, 3]"
        )
    channels_first = sizes[1] == 3  # as PyTorch exports
    height, width = sizes[2:] if channels_first else sizes[1:3]
    if None not in (height, width) and height != width:
        raise SourceError(f"{path} takes pictures of {height} x {width}; expected square ones")
    return sizes[0], height or width, channels_first


# ONNX's names of the numbers that a picture may be of -> numpy's.
ONNX_DTYPES = {"float": "float32", "double": "float64"} | {
    name: name for name in ("float16", "uint8", "int8", "uint16", "int16", "int32", "int64")
}


def onnx_dtype(path: Path, kind: str) -> str:
    """Returns numpy's name of an input's type, tensor(float) and the like. Raises SourceError for
    what pictures cannot be cast to.
    """
    name = kind.removeprefix("tensor(").removesuffix(")")
    if name not in ONNX_DTYPES:
        raise SourceError(f"{path} takes {kind}; expected one of {', '.join(ONNX_DTYPES)}")
    return ONNX_DTYPES[name]


def batches_of(value: Array, count: int) -> Iterator[Array]:
    """Yields `count` rows of an array [n, ...] at a time; the last are filled up with the
    last row.
    """
    for start in range(0, len(value), count):
        part = value[start : start + count]
        yield np.concatenate([part, np.repeat(part[-1:], count - len(part), 0)])


def in_a_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
