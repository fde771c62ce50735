"""What a mesh file does not say and is taken on trust: which axis points upwards, and how long a
unit is. A building that has been taken wrongly still has labels, of rooms that nobody lives in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from beam_jobs.scenes.cameras.shot import Shot
from beam_jobs.scenes.scans.mesh_file import UNITS
from beam_jobs.scenes.scans.scan import Scan
from models.tasks.arrays import Floats

LOWEST = 2.0  # metres from floor to ceiling of a usual room
HIGHEST = 6.0
ALONG = 0.9  # least share of a normal along an axis for a surface that faces that way
# A building that lies on its side has rooms so many times higher than along the file's other axis,
# and so many times as much surface that faces along it as upwards. Ceilings may lack in scans:
# either alone says little.
TALL = 1.25
SIDEWAYS = 1.2


@dataclass(frozen=True)
class Taken:
    """up: "y" or "z", the file's axis; asked: did a person say so? units_per_metre: as said."""

    up: str
    asked: bool
    units_per_metre: float

    @property
    def words(self) -> str:
        units = "1 unit" if self.units_per_metre == 1 else f"{self.units_per_metre:g} units"
        return f"{self.up} is taken as up, {units} as a metre"


def free_size(scan: Scan, cameras: Sequence[Shot]) -> Floats:
    """[3] metres along x, y and z from one surface to the next through a camera, the median of all
    cameras; NaN along an axis on which no camera has something on both sides.
    """
    places = np.unique([shot.camera.location for shot in cameras], axis=0)
    ways = np.concatenate([np.eye(3), -np.eye(3)])
    far = scan.cast(np.repeat(places, len(ways), 0), np.tile(ways, (len(places), 1)))[0]
    across = far.reshape(len(places), 2, 3).sum(1)
    size = np.full(3, np.nan)
    for axis, values in enumerate(across.T):
        if np.isfinite(values).any():
            size[axis] = np.median(values[np.isfinite(values)])
    return size


def doubts(scan: Scan, size: Floats, taken: Taken) -> list[str]:
    """a warning, with the flag that would cure it, of a building that seems to lie on its side, or
    of rooms that are too low or too high. size: of `free_size`.
    """
    other = "z" if taken.up == "y" else "y"
    if not taken.asked and lies_on_its_side(scan, size):
        # the height is another once it stands
        return [
            f"{taken.words}, and more of its surface faces along {other} than up, in rooms that "
            f"are higher than wide; say --up {other} if the building lies on its side"
        ]
    height = float(size[2])
    # nothing is known of rooms without ceilings
    if height < LOWEST or height > HIGHEST:
        return [
            f"{taken.words}, and rooms are {height:.3g} m high where {LOWEST:g} to {HIGHEST:g} m "
            f"are usual; {cure(height, taken)}"
        ]
    return []


def cure(height: float, taken: Taken) -> str:
    units = height * taken.units_per_metre
    fitting = [
        f"{factor:g} ({name}: {units / factor:.3g} m)"
        for name, factor in {"metres": 1.0, **UNITS}.items()
        if LOWEST <= units / factor <= HIGHEST
    ]
    if fitting:
        return f"say --units-per-metre {' or '.join(fitting)} if these are its units"
    return "check --up and --units-per-metre, or look at the file in a viewer"


def lies_on_its_side(scan: Scan, size: Floats) -> bool:
    """would rooms be more like rooms with the file's other axis upwards? That is y here, unless the
    walls stood askew: then it is none.
    """
    if scan.yaw:
        return False
    sideways, level = (scan.area[np.abs(scan.normal[:, axis]) > ALONG].sum() for axis in (1, 2))
    return bool(sideways > SIDEWAYS * level and size[2] > TALL * size[1] and size[1] > LOWEST)
