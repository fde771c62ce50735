"""Places small things that lived-in rooms are full of: on tops, on shelves, on the floor. Every
function that places one takes (kit, place, offset).
"""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes.buildings.materials import Kit
from beam_jobs.scenes.buildings.scene import Placement
from beam_jobs.scenes.geometry import shapes, soft
from beam_jobs.scenes.geometry.shapes import Triple


def vase(kit: Kit, place: Placement, offset: Triple = (0, 0, 0), height: float = 0.3) -> None:
    t = np.linspace(0, 1, 14)
    radius = height * (0.16 + 0.2 * np.sin(np.pi * t ** kit.rng.uniform(0.5, 1.6)) ** 1.4)
    neck = slice(None, 8, -1)  # the inside, as far as one looks in
    shape = shapes.joined(
        [
            shapes.revolved([0, radius[0]], [0, 0], 14),
            shapes.revolved(radius, t * height, 14),
            shapes.revolved(radius[neck] * 0.92, t[neck] * height, 14),
        ]
    )
    piece = kit.builder.object("vase")
    kit.put(shape, kit.one(kit.ceramics), piece, offset, place)
    if kit.rng.random() < 0.5:  # flowers
        for _ in range(kit.rng.integers(4, 8)):
            lean = kit.rng.normal(0, 0.06, 2)
            top = np.array([*lean, height + kit.rng.uniform(0.08, 0.22)])
            path = np.linspace(0, 1, 4)[:, None] * (top - [0, 0, height * 0.8]) + [
                0,
                0,
                height * 0.8,
            ]
            kit.put(soft.tube(path, 0.004, 5), kit.leaves[0], piece, offset, place)
            kit.put(
                shapes.ball(kit.rng.uniform(0.018, 0.035), 6),
                kit.one(kit.paints),
                piece,
                np.add(offset, top),
                place,
            )


def bottle(kit: Kit, place: Placement, offset: Triple = (0, 0, 0)) -> None:
    t = np.linspace(0, 1, 16)
    height = kit.rng.uniform(0.2, 0.32)
    radius = kit.rng.uniform(0.03, 0.045) * (
        1 - 0.68 / (1 + np.exp(-(t - kit.rng.uniform(0.55, 0.75)) * 22))
    )
    shape = shapes.joined(
        [
            shapes.revolved([0, radius[0]], [0, 0]),
            shapes.revolved(radius, t * height),
            shapes.revolved([radius[-1], 0], [height, height]),
        ]
    )
    piece = kit.builder.object("bottle")
    kit.put(shape, kit.one(kit.glass + kit.paints[:1]), piece, offset, place)
    kit.put(
        # outside the glass: of two surfaces in one place a ray may meet either
        shapes.revolved([radius[0] + 0.001] * 2, [height * 0.15, height * 0.45]),
        kit.one(kit.paints + [kit.papers]),
        piece,
        offset,
        place,
        True,
    )


def cup(kit: Kit, place: Placement, offset: Triple = (0, 0, 0)) -> None:
    piece = kit.builder.object("cup")
    height = kit.rng.uniform(0.08, 0.11)
    radius = 0.04
    outside = ([0, radius], [0, 0]), ([radius, radius * 1.05], [0, height])
    inside = ([radius * 0.98, radius * 0.9], [height, 0.012]), ([radius * 0.9, 0], [0.012, 0.012])
    colour = kit.one(kit.ceramics)
    kit.put(
        shapes.joined([shapes.revolved(*profile) for profile in outside + inside]),
        colour,
        piece,
        offset,
        place,
    )
    t = np.linspace(-np.pi / 2, np.pi / 2, 8)
    path = np.stack([radius + 0.028 * np.cos(t), 0 * t, height / 2 + 0.03 * np.sin(t)], -1)
    kit.put(soft.tube(path, 0.006, 6), colour, piece, offset, place)


def bowl(kit: Kit, place: Placement, offset: Triple = (0, 0, 0)) -> None:
    piece = kit.builder.object("bowl")
    t = np.linspace(0.25, 1, 9) * np.pi / 2
    profile = 0.12 * np.sin(t), 0.09 * (1 - np.cos(t))
    colour = kit.one(kit.ceramics)
    inside = shapes.revolved(profile[0][::-1] * 0.95, profile[1][::-1] + 0.003, 16)
    kit.put(shapes.joined([shapes.revolved(*profile, 16), inside]), colour, piece, offset, place)
    for j in range(5):
        spot = (
            offset[0] + 0.055 * np.cos(j * 1.26),
            offset[1] + 0.055 * np.sin(j * 1.26),
            offset[2] + 0.07,
        )
        kit.put(shapes.ball(0.042, 8), kit.one(kit.paints + kit.leaves[:1]), piece, spot, place)


def pile(kit: Kit, place: Placement, offset: Triple = (0, 0, 0)) -> None:
    z = offset[2]
    for _ in range(kit.rng.integers(2, 6)):
        thick, wide, deep = (
            kit.rng.uniform(0.02, 0.05),
            kit.rng.uniform(0.13, 0.2),
            kit.rng.uniform(0.2, 0.27),
        )
        spot = np.add(offset[:2], kit.rng.normal(0, 0.008, 2))
        kit.box(
            (wide, deep, thick),
            (*spot, z + thick / 2),
            kit.one(kit.paints + kit.woods[:2]),
            kit.builder.object("book"),
            place,
            0.006,
        )
        z += thick


def papers(kit: Kit, place: Placement, offset: Triple = (0, 0, 0)) -> None:
    piece = kit.builder.object("paper")
    for j in range(kit.rng.integers(1, 4)):
        turn = kit.rng.normal(0, 0.4)
        sheet = soft.cloth(kit.rng, 0.21, 0.29, 0.002, 6).placed((0, 0, 0), turn)
        kit.put(
            sheet,
            kit.papers,
            piece,
            (
                offset[0] + 0.04 * j,
                offset[1] + kit.rng.normal(0, 0.03),
                offset[2] + 0.003 + 0.004 * j,
            ),
            place,
            True,
        )


def photo(kit: Kit, place: Placement, offset: Triple = (0, 0, 0)) -> None:
    """Places a small picture that leans back on its stand."""
    piece = kit.builder.object("picture")
    wide = kit.rng.uniform(0.11, 0.2)
    tall = kit.rng.uniform(0.14, 0.24)
    lean = shapes.turned_back(0.25)
    frame = shapes.rounded_box((wide + 0.03, 0.016, tall + 0.03), 0.007, 1)
    canvas = shapes.quad((-wide / 2, -0.0085, -tall / 2), (wide, 0, 0), (0, 0, tall))
    spot = np.add(offset, (0, 0, tall / 2 + 0.02))
    kit.put(
        frame.oriented(lean),
        kit.one([*kit.woods, kit.dark, kit.white, kit.metal]),
        piece,
        spot,
        place,
    )
    kit.put(canvas.oriented(lean), kit.one(kit.prints), piece, spot, place, True)


def candles(kit: Kit, place: Placement, offset: Triple = (0, 0, 0)) -> None:
    piece = kit.builder.object("candle")
    wax = kit.one([kit.white, *kit.paints])
    for x in (-0.05, 0.0, 0.06)[: kit.rng.integers(1, 4)]:
        kit.put(
            shapes.cylinder(kit.rng.uniform(0.02, 0.035), kit.rng.uniform(0.06, 0.22), 12),
            wax,
            piece,
            np.add(offset, (x, kit.rng.normal(0, 0.02), 0)),
            place,
        )


def carton(kit: Kit, place: Placement, offset: Triple = (0, 0, 0), size: float = 0.3) -> None:
    rng = kit.rng
    piece = kit.builder.object("box")
    extent = size * rng.uniform(0.6, 1.2, 3)
    kit.box(
        extent,
        (offset[0], offset[1], offset[2] + extent[2] / 2),
        kit.one([kit.cardboard, kit.cardboard, *kit.paints]),
        piece,
        place,
        0.012,
    )


def tin(kit: Kit, place: Placement, offset: Triple = (0, 0, 0)) -> None:
    height = kit.rng.uniform(0.08, 0.2)
    radius = kit.rng.uniform(0.03, 0.06)
    kit.put(
        shapes.cylinder(radius, height, 18),
        kit.one(kit.paints + [kit.metal]),
        kit.builder.object("tin"),
        offset,
        place,
    )


def toy(kit: Kit, place: Placement, offset: Triple = (0, 0, 0)) -> None:
    """Places building blocks, scattered."""
    piece = kit.builder.object("toy")
    for _ in range(6):
        spot = np.add(offset, (*kit.rng.uniform(-0.16, 0.16, 2), 0.035))
        block = shapes.rounded_box((0.07, 0.07, 0.07), 0.01, 1)
        kit.put(block, kit.one(kit.paints), piece, spot, place)


def basket(kit: Kit, place: Placement, offset: Triple = (0, 0, 0)) -> None:
    piece = kit.builder.object("basket")
    t = np.linspace(0, 1, 21)
    height = kit.rng.uniform(0.25, 0.4)
    radius = 0.16 + 0.05 * t + 0.006 * np.sin(t * 2 * np.pi * 5)
    kit.put(
        shapes.revolved(radius, t * height, 14),
        kit.one(kit.woods[:3] + [kit.white, kit.metal]),
        piece,
        offset,
        place,
    )
    kit.put(
        shapes.revolved([0.2, 0.15], [height, height - 0.12], 14),
        kit.woods[1],
        piece,
        offset,
        place,
    )
    kit.put(
        soft.heap(kit.rng, 0.17, 0.1),
        kit.one(kit.fabrics + [kit.papers]),
        piece,
        np.add(offset, (0, 0, height - 0.1)),
        place,
    )


def clothes(kit: Kit, place: Placement, offset: Triple = (0, 0, 0)) -> None:
    for _ in range(kit.rng.integers(1, 3)):
        shape = soft.heap(kit.rng, kit.rng.uniform(0.15, 0.3), kit.rng.uniform(0.06, 0.16))
        kit.put(
            shape,
            kit.one(kit.fabrics),
            kit.builder.object("clothes"),
            np.add(offset, (*kit.rng.normal(0, 0.1, 2), 0.01)),
            place,
        )


def bag(kit: Kit, place: Placement, offset: Triple = (0, 0, 0)) -> None:
    piece = kit.builder.object("bag")
    colour = kit.one(kit.fabrics + [kit.dark])
    wide = kit.rng.uniform(0.15, 0.22)
    kit.put(
        soft.pillow(kit.rng, (wide, 0.1, 0.2), 0.45, 0.08),
        colour,
        piece,
        np.add(offset, (0, 0, 0.2)),
        place,
    )
    t = np.linspace(0, np.pi, 10)
    for y in (-0.03, 0.03):
        kit.put(
            soft.tube(
                np.stack([0.09 * np.cos(t), 0 * t + y, 0.37 + 0.14 * np.sin(t)], -1), 0.009, 6
            ),
            colour,
            piece,
            offset,
            place,
        )


def shoes(kit: Kit, place: Placement, offset: Triple = (0, 0, 0)) -> None:
    piece = kit.builder.object("shoe")
    colour = kit.one(kit.paints + [kit.dark, kit.white])
    for x in (-0.06, 0.07):
        spot = np.add(offset, (x, kit.rng.normal(0, 0.03), 0.045))
        kit.put(
            soft.pillow(kit.rng, (0.045, 0.14, 0.045), 0.7, 0.03, 14), colour, piece, spot, place
        )
        kit.put(
            soft.pillow(kit.rng, (0.042, 0.06, 0.05), 0.6, 0.03, 14),
            colour,
            piece,
            np.add(spot, (0, 0.07, 0.035)),
            place,
        )


def throw(kit: Kit, place: Placement, offset: Triple, piece: int | None = None) -> None:
    """Places a cushion that leans back, as part of `piece`, or as an object of its own if it is
    None.
    """
    lean = kit.rng.uniform(0.2, 0.5)
    side = kit.rng.uniform(0.18, 0.26)
    shape = soft.pillow(kit.rng, (side, 0.09, side), 0.6, 0.1).oriented(shapes.turned_back(lean))
    kit.put(
        shape,
        kit.one(kit.patterns + kit.brights + [kit.linen]),
        kit.builder.object("cushion") if piece is None else piece,
        offset,
        place,
    )


def cable(kit: Kit, place: Placement, offset: Triple = (0, 0, 0)) -> None:
    t = np.linspace(0, 1, 26)
    wander = 0.12 * np.cumsum(kit.rng.normal(0, 0.4, 26))
    path = np.stack(
        [
            (t - 0.5) * kit.rng.uniform(0.6, 1.4),
            np.convolve(wander, np.ones(7) / 7, "same"),
            0 * t + 0.007,
        ],
        -1,
    )
    kit.put(
        soft.tube(path, 0.006, 6),
        kit.one([kit.dark, kit.white]),
        kit.builder.object("cable"),
        offset,
        place,
    )


def plant(kit: Kit, place: Placement, offset: Triple = (0, 0, 0), size: float = 1.0) -> None:
    piece = kit.builder.object("potted plant")
    rng = kit.rng
    kit.put(
        shapes.cone(0.12 * size, 0.17 * size, 0.28 * size),
        kit.one([kit.clay, kit.white, *kit.paints[:1]]),
        piece,
        offset,
        place,
    )
    kit.put(
        shapes.cylinder(0.015 * size, 0.4 * size, 8),
        kit.woods[1],
        piece,
        (offset[0], offset[1], offset[2] + 0.25 * size),
        place,
    )
    slim = rng.uniform(0.2, 0.48)
    green = kit.one(kit.leaves)
    bend = rng.uniform(0.4, 1.4)
    blades = [
        blade(slim, bend, rise, rng.uniform(0.14, 0.28) * size)
        for rise in rng.uniform(0.1, 1.35, 5)
    ]
    leaves = [
        blades[rng.integers(5)].placed(
            (0, 0, (0.32 + 0.33 * rng.random()) * size), rng.uniform(0, 6.28)
        )
        for _ in range(int(rng.integers(16, 30) * max(1.0, size**0.7)))
    ]
    kit.put(shapes.joined(leaves), green, piece, offset, place, True)


def blade(slim: float, bend: float, rise: float, long: float) -> shapes.Shape:
    """Returns a leaf from the origin along x that climbs by `rise` radians, is twice `long` metres
    long, and droops. Its ends are blunt, since in a point there is no normal.
    """
    u, v = np.meshgrid(np.linspace(0.03, 0.98, 7), np.linspace(-1, 1, 3), indexing="ij")
    wide = slim * long * np.sin(np.pi * u**0.8) * v
    droop = -bend * long * u**2 + 0.6 * wide**2 / (slim * long) + 0.012 * np.sin(9 * u)
    return shapes.from_lattice(
        np.stack([2 * long * u * np.cos(rise), wide, 2 * long * u * np.sin(rise) + droop], -1)
    )
