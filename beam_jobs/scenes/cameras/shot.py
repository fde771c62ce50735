"""Describes a camera that is asked for: where it stands, what it fixates, how wide it sees. Cameras
of procedural buildings and of scans are both made of this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beam_jobs.scenes.buildings.scene import Room
from models.tasks import Camera
from models.tasks.arrays import Floats
from models.tasks.view import rotation_from_euler

PITCH = np.radians(22.5)  # published: no camera looks up or down more steeply


@dataclass(frozen=True)
class Shot:
    """A camera that fixates a point. point, view: numbers in the published file name; normal [3]:
    of the surface at the point; room: index.
    """

    camera: Camera
    point: int
    view: int
    normal: Floats
    room: int
    others: tuple[int, ...] = ()


def fibonacci(count: int) -> Floats:
    """Returns [count, 3] unit directions spread evenly over the sphere."""
    # half a step from either pole: the first and the last direction are as far from their
    # neighbours as the others
    i = np.arange(count) + 0.5
    polar = np.arccos(1 - 2 * i / count)
    # the golden angle: no two turns fall together, however many there are
    turn = np.pi * (1 + 5**0.5) * i
    return np.stack([np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], 1)


def field_of_view(rng: np.random.Generator) -> float:
    """Returns a random field of view in radians: 75 - 30|z| degrees, with z standard normal cut at
    1, which is the published histogram.
    """
    return float(fields_of_view(rng, 1)[0])


def fields_of_view(rng: np.random.Generator, count: int) -> Floats:
    """Returns [count] random fields of view in radians, and draws from `rng` what as many calls of
    `field_of_view` would draw.
    """
    small: list[Floats] = []
    while count:
        # never more than are still wanted: none is drawn that nobody takes
        z = np.abs(rng.standard_normal(count))
        small.append(z[z <= 1])
        count -= len(small[-1])
    return np.asarray(np.radians(75 - 30 * np.concatenate(small)))


def aimed(location: Floats, point: Floats, view_angle: float, room: Room) -> Camera:
    """Returns a level camera at `location` [3] whose axis meets `point` [3]. view_angle:
    radians.
    """
    ahead = (point - location) / np.linalg.norm(point - location)
    rotation = rotation_from_euler(
        # unturned, a camera looks straight down (-z): a quarter turn lifts it to the horizon
        np.pi / 2 + np.arcsin(ahead[2]),
        0.0,
        np.arctan2(-ahead[0], ahead[1]),
    )
    return Camera(location, rotation, view_angle, np.stack([room.low, room.high], 1), point)
