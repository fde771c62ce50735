"""Places what stands in kitchens and bathrooms."""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes.buildings import clutter, furniture, textures
from beam_jobs.scenes.buildings.materials import FLAT, Kit
from beam_jobs.scenes.buildings.scene import Placement
from beam_jobs.scenes.geometry import shapes, soft
from beam_jobs.scenes.geometry.shapes import Triple


def refrigerator(kit: Kit, place: Placement) -> None:
    piece = kit.builder.object("refrigerator")
    skin = kit.one([kit.metal, kit.white])
    rng = kit.rng
    kit.box((0.7, 0.66, 1.78), (0, 0, 0.9), skin, piece, place, 0.04)
    kit.foot(0.7, 0.66, skin, piece, place)
    for z, tall in ((1.38, 0.78), (0.52, 0.9)):
        kit.box((0.69, 0.05, tall), (0, -0.345, z), skin, piece, place, 0.022)
        kit.box((0.03, 0.035, tall * 0.5), (0.27, -0.39, z), kit.dark, piece, place, 0.014)
    for _ in range(rng.integers(2, 8)):  # notes
        spot = (rng.uniform(-0.28, 0.12), -0.372, rng.uniform(1.05, 1.65))
        kit.put(
            shapes.quad((0, 0, 0), (0.1, 0, 0), (0, 0, 0.13)),
            kit.one([kit.papers, *kit.prints]),
            piece,
            spot,
            place,
            True,
        )


def oven(kit: Kit, place: Placement) -> None:
    piece = kit.builder.object("oven")
    skin = kit.one([kit.metal, kit.white])
    kit.box((0.6, 0.6, 0.88), (0, 0, 0.45), skin, piece, place, 0.025)
    kit.foot(0.6, 0.6, skin, piece, place)
    kit.box((0.5, 0.02, 0.42), (0, -0.305, 0.4), kit.dark, piece, place, 0.01)
    kit.put(
        soft.tube(np.array([[-0.24, -0.35, 0.66], [0, -0.355, 0.66], [0.24, -0.35, 0.66]]), 0.014),
        kit.metal,
        piece,
        (0, 0, 0),
        place,
    )
    for j in range(4):
        kit.put(
            shapes.cylinder(0.022, 0.03, 12).oriented(FLAT),
            kit.dark,
            piece,
            (-0.2 + 0.13 * j, -0.3, 0.79),
            place,
        )
        kit.put(
            shapes.ring(0.075, 0.01),
            kit.dark,
            piece,
            ((-0.14, 0.14)[j % 2], (-0.12, 0.14)[j // 2], 0.9),
            place,
        )
    pot(kit, place, (0.14, 0.14, 0.91))


def pot(kit: Kit, place: Placement, offset: Triple) -> None:
    piece = kit.builder.object("pot")
    colour = kit.one([kit.metal, *kit.paints[:2]])
    kit.put(shapes.cylinder(0.11, 0.13, 22), colour, piece, offset, place)
    kit.put(shapes.ring(0.11, 0.007), colour, piece, np.add(offset, (0, 0, 0.13)), place)
    kit.put(shapes.ball(0.02, 10), kit.dark, piece, np.add(offset, (0, 0, 0.145)), place)
    for x in (-1, 1):
        kit.box(
            (0.05, 0.03, 0.015), np.add(offset, (x * 0.13, 0, 0.1)), kit.dark, piece, place, 0.006
        )


def microwave(kit: Kit, place: Placement, offset: Triple) -> None:
    piece = kit.builder.object("microwave")
    skin = kit.one([kit.white, kit.metal, kit.dark])
    kit.box((0.48, 0.34, 0.28), np.add(offset, (0, 0, 0.14)), skin, piece, place, 0.02)
    kit.box(
        (0.32, 0.014, 0.2), np.add(offset, (-0.05, -0.172, 0.14)), kit.dark, piece, place, 0.005
    )
    kit.box((0.02, 0.03, 0.2), np.add(offset, (0.13, -0.18, 0.14)), kit.metal, piece, place, 0.009)


def toaster(kit: Kit, place: Placement, offset: Triple) -> None:
    piece = kit.builder.object("toaster")
    kit.box(
        (0.3, 0.18, 0.2),
        np.add(offset, (0, 0, 0.11)),
        kit.one([kit.metal, *kit.paints[:2]]),
        piece,
        place,
        0.05,
    )
    for y in (-0.035, 0.035):
        kit.box((0.22, 0.025, 0.006), np.add(offset, (0, y, 0.209)), kit.dark, piece, place, 0.002)
    kit.box((0.02, 0.04, 0.02), np.add(offset, (0.155, 0, 0.14)), kit.dark, piece, place, 0.008)


def sink(kit: Kit, place: Placement, offset: Triple, basin: float = 0.2) -> None:
    piece = kit.builder.object("sink")
    (x, y, z) = offset
    t = np.linspace(0, np.pi / 2, 8)
    kit.put(
        shapes.ring(basin, 0.018), kit.one([kit.metal, kit.white]), piece, (x, y, z + 0.008), place
    )
    kit.put(
        shapes.revolved(basin * np.cos(t), 0.012 + 0.0 * t, 24),
        kit.metal,
        piece,
        (x, y, z - 0.008),
        place,
    )
    bow = np.linspace(0, np.pi, 10)
    path = np.concatenate(
        [
            [[0, 0, 0.0], [0, 0, 0.12]],
            np.stack([0 * bow, -0.07 + 0.07 * np.cos(bow), 0.2 + 0.07 * np.sin(bow)], -1),
        ]
    )
    kit.put(soft.tube(path, 0.013, 10), kit.metal, piece, (x, y + basin + 0.03, z), place)


def toilet(kit: Kit, place: Placement) -> None:
    piece = kit.builder.object("toilet")
    a = np.linspace(0, np.pi / 2, 10)
    kit.put(
        shapes.revolved(0.12 + 0.1 * np.sin(a), 0.36 * a / a[-1], 24),
        kit.white,
        piece,
        (0, -0.05, 0),
        place,
    )
    kit.put(shapes.ring(0.18, 0.045), kit.white, piece, (0, -0.05, 0.38), place)
    kit.put(
        soft.pillow(kit.rng, (0.2, 0.24, 0.025), 0.8, 0.0, 22),
        kit.white,
        piece,
        (0, -0.05, 0.43),
        place,
    )
    kit.box((0.4, 0.18, 0.38), (0, 0.28, 0.56), kit.white, piece, place, 0.045)
    kit.box((0.42, 0.2, 0.04), (0, 0.28, 0.77), kit.white, piece, place, 0.018)
    kit.put(
        shapes.cylinder(0.055, 0.1, 16),
        kit.white,
        kit.builder.object("toilet paper"),
        (0.02, 0.28, 0.79),
        place,
    )


def bathtub(kit: Kit, place: Placement) -> None:
    piece = kit.builder.object("bathtub")
    for extent, offset in (
        ((1.65, 0.1, 0.55), (0, -0.34, 0.28)),
        ((1.65, 0.1, 0.55), (0, 0.34, 0.28)),
        ((0.12, 0.7, 0.55), (-0.77, 0, 0.28)),
        ((0.12, 0.7, 0.55), (0.77, 0, 0.28)),
        ((1.5, 0.64, 0.08), (0, 0, 0.12)),
    ):
        kit.box(extent, offset, kit.white, piece, place, 0.05 if extent[2] > 0.1 else 0.03)
    kit.foot(1.66, 0.78, kit.white, piece, place)
    for x in (-0.7, -0.6, 0.66):
        clutter.bottle(kit, place, (x, 0.34, 0.55))
    if kit.rng.random() < 0.8:  # a shower curtain on its rod
        kit.put(
            soft.hanging(kit.rng, 0.8, 0.12, 1.95, 0.13),
            kit.one(kit.patterns + [kit.white]),
            kit.builder.object("shower curtain"),
            (0.4, -0.45, 0),
            place,
        )
        kit.put(
            soft.tube(np.array([[-0.8, -0.45, 1.97], [0, -0.45, 1.97], [0.8, -0.45, 1.97]]), 0.012),
            kit.metal,
            piece,
            (0, 0, 0),
            place,
        )


def counter(kit: Kit, place: Placement, width: float) -> None:
    """Places base cabinets under a stone top, cabinets above it, and what stands on it."""
    rng = kit.rng
    colour = kit.one([*kit.woods, kit.white, *kit.lacquers])
    furniture.cabinet(kit, place, width, 0.6, 0.86, colour)
    kit.box(
        (width + 0.02, 0.64, 0.045),
        (0, -0.01, 0.9),
        kit.stone,
        kit.builder.object("counter"),
        place,
        0.016,
    )
    tiles = kit.builder.material(
        textures.tiles(rng, textures.tinted(rng, (0.82, 0.82, 0.8), 0.08), 0.6, 6), 0.6
    )
    kit.box(
        (width, 0.012, 0.52), (0, 0.312, 1.18), tiles, kit.builder.object("tiles"), place, 0.004
    )
    upper = kit.builder.object("cabinet")
    open_at = rng.integers(0, 4)
    for number, x in enumerate(np.arange(-width / 2 + 0.3, width / 2 - 0.25, 0.6)):
        if number == open_at:
            open_shelves(kit, place, x, colour)
            continue
        kit.box((0.59, 0.34, 0.7), (x, 0.14, 1.8), colour, upper, place, 0.014)
        kit.box((0.55, 0.022, 0.66), (x, -0.04, 1.8), colour, upper, place, 0.01)
        kit.box((0.015, 0.03, 0.14), (x + 0.22, -0.062, 1.58), kit.metal, upper, place, 0.006)
    sink(kit, place, (-width * 0.22, -0.02, 0.925))
    toaster(kit, place, (width * 0.1, 0.12, 0.925))
    microwave(kit, place, (width * 0.33, 0.1, 0.925))
    for x in (-0.44, -0.38, -0.04, 0.0, 0.2, 0.47):
        if rng.random() < 0.8:
            (clutter.bottle, clutter.tin, clutter.cup, clutter.bowl, clutter.photo)[
                rng.integers(5)
            ](kit, place, (width * x, rng.uniform(-0.1, 0.16), 0.925))
    rail = kit.builder.object("rail")
    kit.put(
        soft.tube(
            np.array([[-width * 0.35, 0.28, 1.38], [0, 0.28, 1.38], [width * 0.35, 0.28, 1.38]]),
            0.008,
        ),
        kit.metal,
        rail,
        (0, 0, 0),
        place,
    )
    for x in np.arange(-width * 0.33, width * 0.33, 0.13):
        if rng.random() < 0.6:
            kit.box(
                (rng.uniform(0.02, 0.08), 0.015, rng.uniform(0.1, 0.24)),
                (x, 0.275, 1.25),
                kit.one([kit.metal, kit.dark, *kit.woods[:2], *kit.paints]),
                rail,
                place,
                0.007,
            )


def open_shelves(kit: Kit, place: Placement, x: float, colour: int) -> None:
    """Places boards with crockery in place of a wall cabinet."""
    for z in (1.5, 1.82):
        kit.box((0.58, 0.26, 0.025), (x, 0.18, z), colour, kit.builder.object("shelf"), place, 0.01)
        for dx in (-0.2, -0.06, 0.08, 0.21):
            (clutter.cup, clutter.tin, clutter.bowl, clutter.bottle)[kit.rng.integers(4)](
                kit, place, (x + dx, 0.17, z + 0.013)
            )


def washstand(kit: Kit, place: Placement) -> None:
    furniture.cabinet(kit, place, 0.9, 0.5, 0.82, kit.one([kit.white, *kit.woods[:3]]))
    sink(kit, place, (0, -0.04, 0.825))
    for x in (-0.36, -0.28, 0.34):
        (clutter.bottle, clutter.tin, clutter.cup)[kit.rng.integers(3)](
            kit, place, (x, kit.rng.uniform(-0.05, 0.12), 0.82)
        )
    piece = kit.builder.object("mirror")
    kit.put(
        shapes.quad((-0.35, 0, 0), (0.7, 0, 0), (0, 0, 0.8)),
        kit.mirror,
        piece,
        (0, 0.22, 1.15),
        place,
        True,
    )
    for x in (-0.36, 0.36):
        kit.box((0.03, 0.03, 0.84), (x, 0.225, 1.55), kit.metal, piece, place, 0.01)


def towels(kit: Kit, place: Placement) -> None:
    """Places a rail with towels, on a wall."""
    piece = kit.builder.object("towel")
    kit.put(
        soft.tube(np.array([[-0.32, -0.06, 1.4], [0, -0.06, 1.4], [0.32, -0.06, 1.4]]), 0.012),
        kit.metal,
        piece,
        (0, 0, 0),
        place,
    )
    for x in (-0.16, 0.16):
        kit.put(
            soft.hanging(kit.rng, 0.28, kit.rng.uniform(0.75, 0.95), 1.41, 0.16, 0.012),
            kit.one(kit.fabrics + [kit.linen]),
            piece,
            (x, -0.075, 0),
            place,
        )
