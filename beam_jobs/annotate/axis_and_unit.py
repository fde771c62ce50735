"""Checks what a mesh file does not say and what is therefore taken on trust: which axis points
upwards, and how long a unit is. Taken wrongly, a building still gets labels, but they describe
rooms that nobody could live in.
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
# A building lies on its side if its rooms are TALL times as high as they are long along the file's
# other axis, and SIDEWAYS times as much surface faces along that axis as upwards. Scans may lack
# ceilings, so neither sign is enough alone.
TALL = 1.25
SIDEWAYS = 1.2


@dataclass(frozen=True)
class Assumption:
    """What is taken as the axis and the unit of a mesh file. up: the file's axis that points
    upwards, "y" or "z"; asked: whether a person named that axis; units_per_metre: as a person gave
    it, else 1.
    """

    up: str
    asked: bool
    units_per_metre: float

    @property
    def words(self) -> str:
        """The axis and the unit in words, for messages."""
        units = "1 unit" if self.units_per_metre == 1 else f"{self.units_per_metre:g} units"
        return f"{self.up} is taken as up, {units} as a metre"


def free_size(scan: Scan, cameras: Sequence[Shot]) -> Floats:
    """Returns [3] metres along x, y and z from one surface to the next through a camera, the median
    over all cameras; NaN along an axis on which no camera has a surface on both sides.
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


def doubts(scan: Scan, size: Floats, assumption: Assumption) -> list[str]:
    """Returns warnings, each with the flag that would help, about a building that seems to lie on
    its side or whose rooms are too low or too high; an empty list if nothing is in doubt. size: [3]
    m, what `free_size` returns.
    """
    other = "z" if assumption.up == "y" else "y"
    if not assumption.asked and lies_on_its_side(scan, size):
        # not doubted too: the height will be another once the building stands
        return [
            f"{assumption.words}, and more of its surface faces along {other} than up, in rooms "
            f"that are higher than wide; say --up {other} if the building lies on its side"
        ]
    height = float(size[2])
    # nothing is known of rooms without ceilings
    if height < LOWEST or height > HIGHEST:
        return [
            f"{assumption.words}, and rooms are {height:.3g} m high where {LOWEST:g} to "
            f"{HIGHEST:g} m are usual; {cure(height, assumption)}"
        ]
    return []


def cure(height: float, assumption: Assumption) -> str:
    """Returns what to do about rooms of `height` metres as taken: the units in which they would be
    of usual height, or, if there are none, what to check.
    """
    units = height * assumption.units_per_metre
    fitting = [
        f"{factor:g} ({name}: {units / factor:.3g} m)"
        for name, factor in {"metres": 1.0, **UNITS}.items()
        if LOWEST <= units / factor <= HIGHEST
    ]
    if fitting:
        return f"say --units-per-metre {' or '.join(fitting)} if these are its units"
    return "check --up and --units-per-metre, or look at the file in a viewer"


def lies_on_its_side(scan: Scan, size: Floats) -> bool:
    """Returns whether rooms would look more like rooms if the file's other axis pointed upwards. In
    the scan that other axis is y, unless askew walls were turned onto the axes (`scan.yaw`): then
    it is no axis any more, and the answer is False. size: [3] m, of `free_size`.
    """
    if scan.yaw:
        return False
    sideways, level = (scan.area[np.abs(scan.normal[:, axis]) > ALONG].sum() for axis in (1, 2))
    return bool(sideways > SIDEWAYS * level and size[2] > TALL * size[1] and size[1] > LOWEST)
