"""Places what lies on desks and sideboards: paper, small machines, clocks and hourglasses. Every
function takes (kit, place, offset), as those of `tableware` do.
"""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes.buildings.materials import FLAT, Kit
from beam_jobs.scenes.buildings.scene import ORIGIN, Placement
from beam_jobs.scenes.geometry import shapes
from beam_jobs.scenes.geometry.shapes import Triple


def laptop(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    """Places an open laptop, its screen leaning back."""
    thing = kit.assembly("laptop", place, offset)
    case = kit.one([kit.metal, kit.dark, kit.white])
    thing.box((0.33, 0.23, 0.018), case, (0, 0, 0.009), 0.006)
    thing.put(
        shapes.quad((-0.14, -0.05, 0.0185), (0.28, 0, 0), (0, 0.14, 0)), kit.keyboard, stretch=True
    )
    lean = shapes.turned_back(0.3)
    lid = shapes.rounded_box((0.33, 0.01, 0.22), 0.004, 1).oriented(lean)
    thing.put(lid, case, (0, 0.145, 0.12))
    glass = shapes.quad((-0.15, -0.0055, -0.1), (0.3, 0, 0), (0, 0, 0.2)).oriented(lean)
    thing.put(glass, kit.one(kit.screens), (0, 0.145, 0.12), stretch=True)


def telephone(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("telephone", place, offset)
    case = kit.one([kit.dark, kit.white, *kit.paints[:1]])
    thing.box((0.17, 0.19, 0.05), case, (0, 0, 0.025), 0.02)
    thing.put(shapes.cylinder(0.05, 0.012, 14), kit.white, (0, -0.02, 0.05))
    thing.tube([(-0.1, 0.06, 0.06), (-0.05, 0.06, 0.085), (0.05, 0.06, 0.085), (0.1, 0.06, 0.06)],
               0.018, case)  # fmt: skip


def remote_control(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("remote control", place, offset)
    for x in (-0.05, 0.02)[: int(kit.rng.integers(1, 3))]:
        thing.box((0.045, 0.18, 0.02), kit.dark, (x, 0, 0.01), 0.008)
        thing.put(
            shapes.quad((x - 0.016, -0.06, 0.0203), (0.032, 0, 0), (0, 0.12, 0)),
            kit.keyboard,
            stretch=True,
        )


def radio(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("radio", place, offset)
    case = kit.one([*kit.woods[:3], kit.dark, *kit.paints])
    thing.box((0.26, 0.1, 0.16), case, (0, 0, 0.08), 0.02)
    thing.put(shapes.cylinder(0.055, 0.008, 14).oriented(FLAT), kit.dark, (-0.06, -0.05, 0.08))
    for z in (0.05, 0.11):
        thing.put(shapes.cylinder(0.016, 0.015, 8).oriented(FLAT), kit.metal, (0.07, -0.05, z))
    thing.tube([(0.1, 0.02, 0.16), (0.16, 0.02, 0.34)], 0.003, kit.metal)


def envelope(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("envelope", place, offset)
    for level in range(int(kit.rng.integers(1, 4))):
        middle = (kit.rng.normal(0, 0.01), kit.rng.normal(0, 0.01), 0.003 + 0.005 * level)
        thing.box((0.22, 0.12, 0.005), kit.one([kit.white, kit.cardboard]), middle, 0.002)


def binder(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    """Places a few ring binders side by side."""
    thing = kit.assembly("binder", place, offset)
    for j in range(int(kit.rng.integers(2, 4))):
        colour = kit.one([kit.dark, *kit.paints])
        thing.box((0.06, 0.25, 0.3), colour, (0.066 * j - 0.066, 0, 0.15), 0.006)
        spine = shapes.quad((0.066 * j - 0.086, -0.1255, 0.17), (0.04, 0, 0), (0, 0, 0.09))
        thing.put(spine, kit.papers, stretch=True)


def hourglass(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("hourglass", place, offset)
    wood = kit.one(kit.woods)
    t = np.linspace(-1, 1, 9)
    thing.put(shapes.revolved(0.006 + 0.03 * np.abs(t) ** 0.8, 0.085 + 0.07 * t, 10), kit.glass[2])
    for z in (0.0, 0.155):
        thing.put(shapes.cylinder(0.042, 0.015, 12), wood, (0, 0, z))
    for x in (-0.034, 0.034):
        thing.put(shapes.cylinder(0.004, 0.15, 6), wood, (x, 0, 0.01))


def pencil_box(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    """Places a beaker of pencils."""
    thing = kit.assembly("pencil box", place, offset)
    thing.put(shapes.revolved([0.035, 0.04], [0, 0.1], 10), kit.one(kit.paints + kit.woods))
    for _ in range(5):
        lean = kit.rng.normal(0, 0.012, 2)
        top = (2.5 * lean[0], 2.5 * lean[1], kit.rng.uniform(0.15, 0.19))
        thing.tube([(lean[0], lean[1], 0.02), top], 0.004, kit.one(kit.paints))


def digital_clock(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("digital clock", place, offset)
    thing.box((0.17, 0.07, 0.08), kit.one([kit.dark, kit.white]), (0, 0, 0.04), 0.015)
    face = shapes.quad((-0.07, -0.0355, 0.018), (0.14, 0, 0), (0, 0, 0.045))
    thing.put(face, kit.digits, stretch=True)


def printer(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("printer", place, offset)
    case = kit.one([kit.white, kit.dark, kit.grey])
    thing.box((0.44, 0.36, 0.2), case, (0, 0, 0.1), 0.03)
    thing.box((0.34, 0.06, 0.02), kit.dark, (0, -0.17, 0.1), 0.006)
    sheet = shapes.quad((-0.105, -0.29, 0.105), (0.21, 0, 0), (0, 0.14, 0))
    thing.put(sheet, kit.papers, stretch=True)


def mouse(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("mouse", place, offset)
    thing.put(shapes.cushion((0.032, 0.055, 0.02), 0.8, 10), kit.one([kit.dark, kit.white]),
              (0, 0, 0.018))  # fmt: skip


def globe(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("globe", place, offset)
    thing.put(shapes.cone(0.09, 0.03, 0.03, 12), kit.one(kit.woods))
    thing.put(shapes.cylinder(0.01, 0.07, 6), kit.metal, (0, 0, 0.03))
    thing.put(shapes.ball(0.11, 14), kit.one(kit.ceramics[:3]), (0, 0, 0.2))
