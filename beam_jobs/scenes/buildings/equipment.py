"""Places large things of single rooms: what people play on, what children sleep in, and what is
washed with. Every function takes (kit, place), as those of `furniture` do.
"""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes.buildings.materials import FLAT, Kit
from beam_jobs.scenes.buildings.scene import Placement
from beam_jobs.scenes.geometry import shapes, soft


def pool_table(kit: Kit, place: Placement) -> None:
    table = kit.assembly("pool table", place)
    wood = kit.one(kit.woods[:2])
    table.box((2.1, 1.15, 0.16), wood, (0, 0, 0.72), 0.03)
    cloth = shapes.quad((-0.95, -0.48, 0.806), (1.9, 0, 0), (0, 0.96, 0))
    table.put(cloth, kit.baize)
    for y in (-0.53, 0.53):
        table.box((2.1, 0.1, 0.07), wood, (0, y, 0.82), 0.024)
    for x in (-1.0, 1.0):
        table.box((0.1, 1.15, 0.07), wood, (x, 0, 0.82), 0.024)
        for y in (-0.45, 0.45):
            table.box((0.14, 0.14, 0.66), wood, (0.88 * x, y, 0.33), 0.03)
    for _ in range(9):
        spot = (kit.rng.uniform(-0.9, 0.9), kit.rng.uniform(-0.42, 0.42), 0.835)
        table.put(shapes.ball(0.029, 8), kit.one([*kit.paints, kit.white, kit.yellow]), spot)


def piano(kit: Kit, place: Placement) -> None:
    """Places an upright piano with its stool."""
    case = kit.assembly("piano", place)
    wood = kit.one([kit.dark, *kit.woods[:2]])
    case.box((1.45, 0.36, 1.18), wood, (0, 0.12, 0.6), 0.02)
    case.box((1.45, 0.3, 0.06), wood, (0, -0.18, 0.68), 0.02)
    keys = shapes.quad((-0.65, -0.32, 0.713), (1.3, 0, 0), (0, 0.15, 0))
    case.put(keys, kit.piano_keys, stretch=True)
    for x in (-0.69, 0.69):
        case.box((0.08, 0.3, 0.68), wood, (x, -0.18, 0.34), 0.02)
    kit.foot(1.45, 0.36, wood, case.piece, place, (0, 0.12, 0))
    stool = kit.assembly("stool", place, (0, -0.75, 0))
    stool.put(
        soft.pillow(kit.rng, (0.26, 0.17, 0.04), 0.4, 0.05, 12), kit.one(kit.fabrics), (0, 0, 0.5)
    )
    for x in (-0.2, 0.2):
        stool.box((0.05, 0.28, 0.46), wood, (x, 0, 0.23), 0.012)


def washer(kit: Kit, place: Placement) -> None:
    """Places a washing machine or a dryer: a round door in a white front."""
    case = kit.assembly("washer", place)
    skin = kit.one([kit.white, kit.white, kit.grey])
    case.box((0.6, 0.58, 0.85), skin, (0, 0, 0.43), 0.025)
    kit.foot(0.6, 0.58, skin, case.piece, place)
    case.put(shapes.ring(0.17, 0.024, 22).oriented(FLAT), kit.metal, (0, -0.3, 0.45))
    case.put(shapes.cylinder(0.15, 0.01, 22).oriented(FLAT), kit.dark, (0, -0.29, 0.45))
    case.box((0.56, 0.02, 0.1), kit.grey, (0, -0.288, 0.78), 0.006)
    case.put(shapes.cylinder(0.03, 0.025, 14).oriented(FLAT), kit.metal, (0.14, -0.29, 0.78))


def crib(kit: Kit, place: Placement) -> None:
    """Places a child's bed with bars."""
    bed = kit.assembly("crib", place)
    wood = kit.one([*kit.woods, kit.white])
    bed.box((1.24, 0.66, 0.14), kit.linen, (0, 0, 0.42), 0.05)
    bed.put(soft.cloth(kit.rng, 0.7, 0.6, 0.02, 14), kit.one(kit.patterns), (-0.2, 0, 0.51))
    for y in (-0.35, 0.35):
        for z in (0.3, 0.9):
            bed.box((1.3, 0.03, 0.045), wood, (0, y, z), 0.01)
        for x in np.linspace(-0.56, 0.56, 9):
            bed.box((0.02, 0.02, 0.6), wood, (x, y, 0.6), 0.006)
    for x in (-0.64, 0.64):
        bed.box((0.04, 0.72, 0.9), wood, (x, 0, 0.52), 0.014)


def bunk_bed(kit: Kit, place: Placement) -> None:
    """Places two beds above each other, with a ladder."""
    bed = kit.assembly("bed", place)
    wood = kit.one([*kit.woods, kit.white])
    for z in (0.35, 1.35):
        bed.box((0.96, 2.0, 0.16), kit.linen, (0, 0, z + 0.08), 0.06)
        bed.box((1.02, 2.06, 0.12), wood, (0, 0, z - 0.04), 0.02)
        cover = soft.cloth(kit.rng, 0.96, 1.4, 0.03, 18)
        bed.put(cover, kit.one(kit.patterns + kit.brights), (0, -0.3, z + 0.18))
        pillow = soft.pillow(kit.rng, (0.3, 0.19, 0.08), 0.6, 0.08, 14)
        bed.put(pillow, kit.linen, (0, 0.75, z + 0.22))
    for x in (-0.5, 0.5):
        for y in (-1.0, 1.0):
            bed.box((0.07, 0.07, 1.75), wood, (x, y, 0.875), 0.02)
        bed.box((0.03, 2.0, 0.1), wood, (x, 0, 1.62), 0.012)
    for z in np.arange(0.3, 1.6, 0.28):
        bed.box((0.4, 0.035, 0.035), wood, (0.25, -1.05, z), 0.01)
    for x in (0.06, 0.44):
        bed.box((0.04, 0.05, 1.6), wood, (x, -1.05, 0.8), 0.014)


def rocking_chair(kit: Kit, place: Placement) -> None:
    chair = kit.assembly("rocking chair", place)
    wood = kit.one(kit.woods + [kit.white])
    chair.box((0.5, 0.46, 0.04), wood, (0, 0, 0.42), 0.014)
    chair.put(soft.pillow(kit.rng, (0.22, 0.2, 0.05), 0.5, 0.06, 12), kit.one(kit.fabrics),
              (0, -0.02, 0.47))  # fmt: skip
    for x in np.linspace(-0.2, 0.2, 5):
        chair.tube([(x, 0.22, 0.42), (1.05 * x, 0.29, 0.75), (1.1 * x, 0.36, 1.08)], 0.012, wood)
    chair.box((0.5, 0.03, 0.1), wood, (0, 0.36, 1.1), 0.012)
    t = np.linspace(-0.5, 0.5, 9)
    for x in (-0.23, 0.23):
        chair.tube(np.stack([0 * t + x, t, 0.02 + 0.35 * t**2], -1), 0.018, wood)
        chair.tube([(x, -0.2, 0.03), (x, -0.2, 0.62), (x, 0.24, 0.64)], 0.016, wood)
        chair.tube([(x, 0.2, 0.03), (x, 0.2, 0.44)], 0.016, wood)


def file_cabinet(kit: Kit, place: Placement) -> None:
    case = kit.assembly("file cabinet", place)
    skin = kit.one([kit.grey, kit.metal, *kit.lacquers])
    rows = int(kit.rng.integers(2, 5))
    case.box((0.46, 0.58, 0.34 * rows), skin, (0, 0, 0.17 * rows), 0.014)
    kit.foot(0.46, 0.58, skin, case.piece, place, (0, 0, 0), 0.03)
    for row in range(rows):
        case.box((0.43, 0.02, 0.31), skin, (0, -0.292, 0.34 * row + 0.17), 0.008)
        case.box((0.12, 0.03, 0.02), kit.metal, (0, -0.31, 0.34 * row + 0.24), 0.008)


def park_bench(kit: Kit, place: Placement) -> None:
    """Places a bench with a back, as they stand in halls and waiting rooms."""
    bench = kit.assembly("park bench", place)
    wood = kit.one(kit.woods + [kit.metal])
    for y in (-0.18, -0.03, 0.12):
        bench.box((1.5, 0.12, 0.035), wood, (0, y, 0.44), 0.012)
    for z in (0.62, 0.78):
        bench.box((1.5, 0.03, 0.11), wood, (0, 0.22, z), 0.012)
    for x in (-0.62, 0.62):
        bench.box((0.05, 0.42, 0.42), kit.dark, (x, -0.02, 0.21), 0.014)
        bench.box((0.05, 0.04, 0.45), kit.dark, (x, 0.22, 0.62), 0.014)


def sewing_machine(kit: Kit, place: Placement) -> None:
    """Places a sewing machine on its own small table."""
    table = kit.assembly("desk", place)
    wood = kit.one(kit.woods)
    table.box((0.9, 0.48, 0.04), wood, (0, 0, 0.72), 0.016)
    kit.legs(0.9, 0.48, 0.7, wood, table.piece, place, 0.024)
    machine = kit.assembly("sewing machine", place, (0, 0, 0.74))
    skin = kit.one([kit.white, kit.dark, *kit.paints])
    machine.box((0.4, 0.17, 0.05), skin, (0, 0, 0.025), 0.016)
    machine.box((0.11, 0.12, 0.28), skin, (0.14, 0, 0.17), 0.03)
    machine.box((0.34, 0.1, 0.09), skin, (0, 0, 0.28), 0.03)
    machine.put(shapes.cylinder(0.012, 0.12, 8), kit.metal, (-0.14, 0, 0.12))
    machine.put(shapes.cylinder(0.05, 0.03, 12), kit.metal, (0.14, 0, 0.32))
