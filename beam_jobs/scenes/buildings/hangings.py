"""Places what hangs on walls. Every function takes (kit, place) and mostly (width, height); place =
(x, y, z, yaw) is the thing's middle, the wall behind it (+y).
"""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes.buildings import tops
from beam_jobs.scenes.buildings.materials import FLAT, Kit
from beam_jobs.scenes.buildings.scene import Placement
from beam_jobs.scenes.geometry import shapes, soft


def picture(kit: Kit, place: Placement, width: float, height: float) -> None:
    piece = kit.builder.object("picture")
    wood = kit.one([*kit.woods, kit.dark, kit.dark, kit.white])
    canvas = kit.one(kit.pictures)
    for side in (-1, 1):
        kit.box(
            (width + 0.06, 0.025, 0.04), (0, 0.01, side * height / 2), wood, piece, place, 0.012
        )
        kit.box((0.04, 0.025, height), (side * width / 2, 0.01, 0), wood, piece, place, 0.012)
    kit.put(
        shapes.quad((-width / 2, -0.004, -height / 2), (width, 0, 0), (0, 0, height)),
        canvas,
        piece,
        (0, 0, 0),
        place,
        True,
    )
    kit.rim(width + 0.06, height + 0.04, wood, piece, place, (0, 0.024, 0))


def gallery(kit: Kit, place: Placement, width: float, height: float) -> None:
    """Hangs small pictures in two rows."""
    for x in np.arange(-width / 2 + 0.15, width / 2 - 0.1, 0.34):
        for z in (-0.17, 0.2):
            wide, tall = kit.rng.uniform(0.16, 0.25, 2)
            piece = kit.builder.object("picture")
            offset = (x, 0, z + kit.rng.normal(0, 0.02))
            kit.box(
                (wide + 0.05, 0.03, tall + 0.05),
                offset,
                kit.one([*kit.woods, kit.dark, kit.white]),
                piece,
                place,
                0.012,
            )
            kit.put(
                shapes.quad((-wide / 2, 0, -tall / 2), (wide, 0, 0), (0, 0, tall)),
                kit.one(kit.prints),
                piece,
                np.add(offset, (0, -0.0165, 0)),
                place,
                True,
            )


def mirror(kit: Kit, place: Placement, width: float, height: float) -> None:
    piece = kit.builder.object("mirror")
    tall = height * 1.3
    kit.box(
        (width * 0.7 + 0.08, 0.04, tall + 0.08),
        (0, 0, 0),
        kit.one([*kit.woods, kit.metal, kit.dark]),
        piece,
        place,
        0.018,
    )
    kit.put(
        shapes.quad((-width * 0.35, -0.021, -tall / 2), (width * 0.7, 0, 0), (0, 0, tall)),
        kit.mirror,
        piece,
        (0, 0, 0),
        place,
        True,
    )
    kit.rim(width * 0.7 + 0.08, tall + 0.08, kit.metal, piece, place, (0, 0.024, 0))


def coats(kit: Kit, place: Placement, width: float, height: float) -> None:
    """Hangs up a board of hooks with coats."""
    kit.box(
        (width, 0.03, 0.1),
        (0, 0, 0.1),
        kit.one(kit.woods),
        kit.builder.object("hooks"),
        place,
        0.012,
    )
    for x in np.arange(-width / 2 + 0.15, width / 2 - 0.1, 0.28):
        if kit.rng.random() < 0.8:
            shape = soft.coat(kit.rng, kit.rng.uniform(0.3, 0.45), kit.rng.uniform(0.5, 1.0))
            kit.put(
                shape,
                kit.one(kit.fabrics + [kit.dark]),
                kit.builder.object("coat"),
                (x, -0.02, 0.1),
                place,
            )


def television(kit: Kit, place: Placement, width: float, height: float) -> None:
    """Hangs up a screen."""
    piece = kit.builder.object("tv")
    wide = max(width, 0.9)
    kit.box((wide, 0.05, 0.58 * wide), (0, 0, 0), kit.dark, piece, place, 0.012)
    glass = shapes.quad((-wide / 2 + 0.015, -0.0265, -0.28 * wide), (wide - 0.03, 0, 0),
                        (0, 0, 0.56 * wide))  # fmt: skip
    kit.put(glass, kit.one([*kit.screens, kit.black]), piece, (0, 0, 0), place, True)


def clock(kit: Kit, place: Placement, width: float = 0.3, height: float = 0.3) -> None:
    piece = kit.builder.object("clock")
    kit.put(shapes.cylinder(0.15, 0.03, 26).oriented(FLAT), kit.white, piece, (0, 0, 0), place)
    kit.put(shapes.ring(0.15, 0.016).oriented(FLAT), kit.dark, piece, (0, -0.03, 0), place)
    for turn, long in ((kit.rng.uniform(0, 6.3), 0.08), (kit.rng.uniform(0, 6.3), 0.12)):
        ahead = np.array([np.sin(turn), 0, np.cos(turn)])
        kit.put(
            soft.tube(np.linspace(0, 1, 3)[:, None] * ahead * long + [0, -0.036, 0], 0.005),
            kit.dark,
            piece,
            (0, 0, 0),
            place,
        )


def wall_shelf(kit: Kit, place: Placement, width: float = 0.8, height: float = 0.3) -> None:
    """Hangs up a board with a row of things on it."""
    kit.box(
        (width, 0.2, 0.03),
        (0, -0.08, 0),
        kit.one(kit.woods),
        kit.builder.object("shelf"),
        place,
        0.01,
    )
    tops.row_of_things(kit, place, (-width / 2 + 0.04, width / 2 - 0.06), -0.07, 0.016, height)
