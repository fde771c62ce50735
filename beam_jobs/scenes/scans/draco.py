"""Unpacks surfaces of glTF files that are compressed by Draco (Khronos,
KHR_draco_mesh_compression). This is the only file that uses DracoPy, Google's decoder in a wheel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.tasks.arrays import Array, Integers

DRACO = "KHR_draco_mesh_compression"


@dataclass(frozen=True)
class Unpacked:
    """A surface that Draco held. faces [f, 3] int64; columns: name of an attribute -> [v, width],
    as the encoder was given it but for quantisation.
    """

    faces: Integers
    columns: dict[str, Array]


def unpacked(data: bytes, numbers: Mapping[str, int]) -> Unpacked:
    """Returns the surface in Draco's data. numbers: name of an attribute -> its unique id in the
    data. Raises ValueError for data that do not decode, or not to what `numbers` and the faces ask
    for: Draco has no checksum.
    """
    # imported here, so that only compressed files pay for loading it
    import DracoPy

    try:
        mesh = DracoPy.decode(data)
        faces = np.asarray(mesh.faces, "int64").reshape(-1, 3)
        arrays = {row["unique_id"]: np.asarray(row["data"]) for row in mesh.attributes}
    except Exception as error:  # the decoder raises many types for damaged data
        raise ValueError(f"{DRACO} does not decode: {error}") from error
    # attributes are found by the unique id that the file names (KHR_draco_mesh_compression): their
    # order in the data is free
    missing_names = [
        f"{name} ({number})" for name, number in numbers.items() if number not in arrays
    ]
    if missing_names:
        raise ValueError(f"{DRACO} holds no {', '.join(missing_names)}")
    columns = {name: arrays[number] for name, number in numbers.items()}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1 or (len(faces) and not 0 <= faces.min() <= faces.max() < min(lengths)):
        raise ValueError(f"{DRACO} holds faces of vertices that it does not hold")
    return Unpacked(faces, columns)
