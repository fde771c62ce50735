"""The arrays in a file that `torch.save` wrote of a state dict, read without torch: a pickle of
which nothing but dictionaries and tensors is made, and raw storages.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from models.networks.sources.description import SourceError
from models.tasks.arrays import Array

# First pickle of a file of before torch 1.6, which is no zip file.
MAGIC = 0x1950A86A20F9469CFC6C
STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
# (storage's key, its type, its length)
Storage = tuple[str, str, int]
# (storage, first element, shape, strides in elements)
View = tuple[Storage, int, tuple[int, ...], tuple[int, ...]]


def rebuilt(
    storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> View:
    """Stands for `torch._utils._rebuild_tensor_v2` in the pickle."""
    return storage, offset, shape, strides


class StateUnpickler(pickle.Unpickler):
    """Makes dictionaries and views of storages. Raises SourceError for any other class."""

    def find_class(self, module: str, name: str) -> Any:
        classes: dict[tuple[str, str], Callable[..., object] | type] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): rebuilt,
        }
        if module == "torch" and name in STORAGES:
            return name
        if (module, name) not in classes:
            raise SourceError(f"expected a state dict of tensors; it names {module}.{name}")
        return classes[module, name]

    def persistent_load(self, pid: Any) -> Storage:
        _, kind, key, _, length, *_ = pid
        return str(key), str(kind), int(length)


def read_state(content: bytes) -> dict[str, Array]:
    """Returns name -> array, contiguous, of a file of either form. Raises SourceError for other
    content.
    """
    file = io.BytesIO(content)
    try:
        state, storages = zipped(file) if zipfile.is_zipfile(file) else in_a_row(file)
    except (pickle.UnpicklingError, EOFError, KeyError, struct.error, ValueError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"this is no file of torch.save: {error}") from error
    return {name: array_of(view, storages) for name, view in state.items()}


def array_of(view: View, storages: dict[str, bytes]) -> Array:
    """Returns a copy of the part of its storage that a tensor shows. Raises SourceError for one
    that shows more than there is.
    """
    (key, kind, length), offset, shape, strides = view
    values = np.frombuffer(storages[key], STORAGES[kind])[:length]
    last = offset + sum((size - 1) * step for size, step in zip(shape, strides))
    if min((*strides, offset, 0)) < 0 or (min((*shape, 1)) > 0 and last >= len(values)):
        raise SourceError(f"a tensor {shape} lies beyond its storage of {len(values)} numbers")
    step = values.itemsize
    strided = np.lib.stride_tricks.as_strided(
        values[offset:], shape, [step * number for number in strides], writeable=False
    )
    return np.array(strided, order="C")


def in_a_row(file: BinaryIO) -> tuple[dict[str, View], dict[str, bytes]]:
    """Reads (state, storages) of the form before torch 1.6: pickles, then storages, each after its
    length.
    """
    file.seek(0)
    if pickle_of_numbers(file) != MAGIC:
        raise SourceError("this is no file of torch.save: it begins otherwise")
    pickle_of_numbers(file)  # version of the form
    pickle_of_numbers(file)  # sizes of C's types
    state: dict[str, View] = StateUnpickler(file).load()
    keys: list[str] = StateUnpickler(file).load()
    kinds = {view[0][0]: view[0][1] for view in state.values()}
    storages = {}
    for key in keys:
        (length,) = struct.unpack("<q", file.read(8))
        storages[key] = file.read(length * np.dtype(STORAGES[kinds[key]]).itemsize)
    return state, storages


def pickle_of_numbers(file: BinaryIO) -> Any:
    return StateUnpickler(file).load()


def zipped(file: BinaryIO) -> tuple[dict[str, View], dict[str, bytes]]:
    """Reads (state, storages) of the form since torch 1.6."""
    with zipfile.ZipFile(file) as archive:
        [place] = [name for name in archive.namelist() if name.endswith("data.pkl")]
        state: dict[str, View] = StateUnpickler(io.BytesIO(archive.read(place))).load()
        folder = place.removesuffix("data.pkl")
        keys = {view[0][0] for view in state.values()}
        return state, {key: archive.read(f"{folder}data/{key}") for key in keys}
