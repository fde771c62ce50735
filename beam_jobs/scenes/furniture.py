"""Furniture: one function a piece, in a local frame with the footprint centred, the front towards -y, the floor at z = 0.

Every function takes (kit, place) where place = (x, y, z, yaw) in the world; a piece that can carry things returns its top (width, depth, height).
"""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes import shapes, textures
from beam_jobs.scenes.scene import Builder, Light

FLAT = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # stands a disc up: its axis from z to -y


class Kit:
    """The materials of one building, and `put` to place parts of a piece."""

    def __init__(self, builder: Builder) -> None:
        rng, make = builder.rng, builder.material
        soft = lambda: textures.tinted(rng, rng.uniform(0.15, 0.85, 3) * 0.6 + 0.2)
        woods = ((0.55, 0.36, 0.2), (0.35, 0.2, 0.1), (0.72, 0.55, 0.36), (0.85, 0.8, 0.72))
        self.builder, self.rng = builder, rng
        self.woods = [make(textures.grain(rng, textures.tinted(rng, wood)), 1.2) for wood in woods]
        self.fabrics = [make(textures.fabric(rng, soft()), 0.25) for _ in range(4)] + [make(textures.stripes(rng, soft(), soft()), 0.5)]
        self.white, self.dark = (
            make(textures.plain(rng, textures.tinted(rng, (0.88, 0.88, 0.87)))),
            make(textures.plain(rng, textures.tinted(rng, (0.08, 0.08, 0.09)))),
        )
        self.metal = make(textures.grain(rng, textures.tinted(rng, (0.62, 0.63, 0.65)), 0.03))
        self.leaves = [make(textures.grain(rng, np.array(green), 0.2), 0.3) for green in ((0.18, 0.38, 0.12), (0.25, 0.45, 0.2))]
        self.clay, self.stone = (
            make(textures.plain(rng, textures.tinted(rng, (0.6, 0.35, 0.22)))),
            make(textures.granite(rng, textures.tinted(rng, (0.35, 0.33, 0.31))), 0.5),
        )
        self.ceramics = [make(textures.marble(rng, rng.uniform(0.2, 0.9, 3)), 0.4) for _ in range(3)]
        self.spines, self.linen = make(textures.books(rng), 0.6), make(textures.fabric(rng, textures.tinted(rng, (0.9, 0.89, 0.85))), 0.5)
        self.shade = make(textures.plain(rng, np.array([0.98, 0.92, 0.78])), glow=1.0)

    def one(self, materials: list) -> int:
        return int(self.rng.choice(materials))

    def put(self, shape, material, instance, offset, place, stretch=False) -> None:
        x, y, z, yaw = place
        c, s = np.cos(yaw), np.sin(yaw)
        self.builder.add(shape, material, instance, (x + c * offset[0] - s * offset[1], y + s * offset[0] + c * offset[1], z + offset[2]), yaw, stretch)

    def box(self, extent, offset, material, instance, place, radius=0.012) -> None:
        self.put(shapes.rounded_box(extent, radius), material, instance, offset, place)

    def legs(self, width, depth, height, material, instance, place, thick=0.025) -> None:
        for x in (-1, 1):
            for y in (-1, 1):
                self.put(shapes.cone(thick * 0.7, thick, height, 10), material, instance, (x * (width / 2 - 0.06), y * (depth / 2 - 0.06), 0), place)


def table(kit, place, width=1.4, depth=0.85, height=0.74, name="dining table"):
    piece, wood = kit.builder.object(name), kit.one(kit.woods)
    kit.box((width, depth, 0.04), (0, 0, height - 0.02), wood, piece, place)
    kit.legs(width, depth, height - 0.04, wood, piece, place)
    return width * 0.8, depth * 0.8, height


def chair(kit, place):
    piece, wood = kit.builder.object("chair"), kit.one(kit.woods)
    kit.put(shapes.cushion((0.22, 0.22, 0.04)), kit.one(kit.fabrics), piece, (0, 0, 0.46), place)
    kit.legs(0.42, 0.42, 0.44, wood, piece, place, 0.018)
    for x in (-1, 1):
        kit.box((0.035, 0.03, 0.5), (x * 0.19, 0.195, 0.7), wood, piece, place, 0.008)
    for z in (0.62, 0.76, 0.9):
        kit.box((0.36, 0.02, 0.06), (0, 0.195, z), wood, piece, place, 0.008)


def couch(kit, place, width=1.9, depth=0.9):
    piece, cloth, count = kit.builder.object("couch"), kit.one(kit.fabrics), max(1, int(width / 0.65))
    kit.box((width, depth, 0.3), (0, 0, 0.22), cloth, piece, place, 0.04)
    kit.box((width, 0.22, 0.5), (0, depth / 2 - 0.11, 0.6), cloth, piece, place, 0.08)
    for x in (-1, 1):
        kit.box((0.2, depth, 0.56), (x * (width / 2 - 0.1), 0, 0.34), cloth, piece, place, 0.09)
    seat = (width - 0.4) / count
    for j in range(count):
        x = -width / 2 + 0.2 + seat * (j + 0.5)
        kit.put(shapes.cushion((seat * 0.5, depth * 0.36, 0.11), 0.4), cloth, piece, (x, -0.08, 0.42), place)
        kit.put(shapes.cushion((seat * 0.46, 0.1, 0.22), 0.6), kit.one(kit.fabrics), piece, (x, depth / 2 - 0.3, 0.66), place)


def bed(kit, place, width=1.6, depth=2.05):
    piece, wood = kit.builder.object("bed"), kit.one(kit.woods)
    kit.box((width, depth, 0.28), (0, 0, 0.16), wood, piece, place, 0.02)
    kit.put(shapes.cushion((width * 0.5, depth * 0.5, 0.16), 0.35), kit.linen, piece, (0, 0, 0.4), place)
    u, v = np.meshgrid(np.linspace(-0.51, 0.51, 26), np.linspace(-0.34, 0.34, 20), indexing="ij")
    folds = 0.012 * np.sin(u * 21 + 3 * np.sin(v * 9)) + 0.01 * np.sin(v * 25 + kit.rng.uniform(0, 6))
    kit.put(shapes.from_lattice(np.stack([u * width, v * depth - depth * 0.14, 0.57 + folds], -1)), kit.one(kit.fabrics), piece, (0, 0, 0), place)
    kit.box((width, 0.07, 1.0), (0, depth / 2 - 0.03, 0.5), wood, piece, place, 0.03)
    for x in (-1, 1):
        kit.put(shapes.cushion((width * 0.2, 0.2, 0.1)), kit.linen, piece, (x * width * 0.24, depth / 2 - 0.3, 0.62), place)


def shelf(kit, place, width=0.9, height=1.9, depth=0.32):
    piece, wood, boards = kit.builder.object("bookcase"), kit.one(kit.woods), int(kit.rng.integers(4, 6))
    for x in (-1, 1):
        kit.box((0.025, depth, height), (x * (width / 2 - 0.0125), 0, height / 2), wood, piece, place, 0.004)
    kit.box((width, 0.015, height), (0, depth / 2 - 0.008, height / 2), wood, piece, place, 0.004)
    step = (height - 0.06) / boards
    for j in range(boards + 1):
        kit.box((width - 0.05, depth, 0.025), (0, 0, 0.03 + step * j), wood, piece, place, 0.004)
    for j in range(boards):
        x = -width / 2 + 0.06
        while x < width / 2 - 0.15:
            if kit.rng.random() < 0.7:
                long, tall = min(kit.rng.uniform(0.1, 0.3), width / 2 - 0.05 - x), kit.rng.uniform(0.6, 0.9) * (step - 0.05)
                kit.box((long, 0.2, tall), (x + long / 2, -0.02, 0.045 + step * j + tall / 2), kit.spines, kit.builder.object("book"), place, 0.006)
                x += long + 0.01
            else:
                vase(kit, place, (x + 0.08, -0.02, 0.045 + step * j), min(step - 0.08, 0.22))
                x += 0.2


def vase(kit, place, offset=(0, 0, 0), height=0.3):
    t = np.linspace(0, 1, 14)
    radius = height * (0.16 + 0.2 * np.sin(np.pi * t ** kit.rng.uniform(0.5, 1.6)) ** 1.4)
    shape = shapes.joined(
        [shapes.revolved([0, radius[0]], [0, 0]), shapes.revolved(radius, t * height), shapes.revolved(radius[::-1] * 0.92, t[::-1] * height)]
    )
    kit.put(shape, kit.one(kit.ceramics), kit.builder.object("vase"), offset, place)


def bottle(kit, place, offset=(0, 0, 0)):
    t = np.linspace(0, 1, 16)
    radius = 0.036 * (1 - 0.68 / (1 + np.exp(-(t - 0.66) * 22)))
    kit.put(
        shapes.joined([shapes.revolved([0, radius[0]], [0, 0]), shapes.revolved(radius, t * 0.28), shapes.revolved([radius[-1], 0], [0.28, 0.28])]),
        kit.one(kit.leaves),
        kit.builder.object("bottle"),
        offset,
        place,
    )


def bowl(kit, place, offset=(0, 0, 0)):
    piece = kit.builder.object("bowl")
    for j in range(4):
        kit.put(
            shapes.ball(0.045, 12),
            kit.one(kit.leaves + [kit.clay]),
            piece,
            (offset[0] + 0.05 * np.cos(j * 1.6), offset[1] + 0.05 * np.sin(j * 1.6), offset[2] + 0.07),
            place,
        )
    kit.put(shapes.ring(0.1, 0.03), kit.one(kit.ceramics), piece, (offset[0], offset[1], offset[2] + 0.03), place)


def pile(kit, place, offset=(0, 0, 0)):
    z = offset[2]
    for _ in range(kit.rng.integers(1, 5)):
        thick = kit.rng.uniform(0.02, 0.05)
        kit.box((0.15, 0.22, thick), (offset[0], offset[1], z + thick / 2), kit.one(kit.fabrics), kit.builder.object("book"), place, 0.004)
        z += thick


def plant(kit, place, offset=(0, 0, 0), size=1.0):
    piece, rng = kit.builder.object("potted plant"), kit.rng
    kit.put(shapes.cone(0.12 * size, 0.17 * size, 0.28 * size), kit.one([kit.clay, kit.white]), piece, offset, place)
    kit.put(shapes.cylinder(0.015 * size, 0.4 * size, 8), kit.woods[1], piece, (offset[0], offset[1], offset[2] + 0.25 * size), place)
    for _ in range(rng.integers(12, 20)):
        turn, rise, long = rng.uniform(0, 6.28), rng.uniform(0.1, 1.35), rng.uniform(0.14, 0.26) * size
        ahead = np.array([np.cos(turn) * np.cos(rise), np.sin(turn) * np.cos(rise), np.sin(rise)])
        side = np.cross(ahead, [0, 0, 1.0]) / np.linalg.norm(np.cross(ahead, [0, 0, 1.0]))
        leaf = shapes.cushion((long, long * 0.32, long * 0.06), 0.9, 8).oriented(
            np.stack([ahead, np.cross(np.cross(side, ahead), ahead), np.cross(side, ahead)], 1)
        )
        at = ahead * long * 0.9
        kit.put(leaf, kit.one(kit.leaves), piece, (offset[0] + at[0], offset[1] + at[1], offset[2] + (0.35 + 0.3 * rng.random()) * size + at[2]), place)


def lamp(kit, place):
    piece = kit.builder.object("lamp")
    kit.put(shapes.cone(0.15, 0.13, 0.03), kit.dark, piece, (0, 0, 0), place)
    kit.put(shapes.cylinder(0.014, 1.45, 8), kit.dark, piece, (0, 0, 0.03), place)
    kit.put(shapes.joined([shapes.revolved([0.2, 0.14], [0, 0.28], 22), shapes.revolved([0.135, 0.195], [0.28, 0], 22)]), kit.shade, piece, (0, 0, 1.32), place)
    kit.builder.lights.append(Light((place[0], place[1], 1.75), 0.15, (0.9, 0.75, 0.55)))


def screen(kit, place, offset=(0, 0, 0), width=1.1):
    piece, height = kit.builder.object("tv"), width * 0.58
    kit.box((width, 0.035, height), (offset[0], offset[1], offset[2] + height / 2 + 0.06), kit.dark, piece, place, 0.008)
    picture = kit.builder.material(textures.painting(kit.rng) * kit.rng.choice([0.08, 0.8]))
    kit.put(
        shapes.quad((-width / 2 + 0.02, -0.0185, 0), (width - 0.04, 0, 0), (0, 0, height - 0.04)),
        picture,
        piece,
        (offset[0], offset[1], offset[2] + 0.08),
        place,
        True,
    )
    kit.box((width * 0.3, 0.16, 0.06), (offset[0], offset[1], offset[2] + 0.03), kit.dark, piece, place, 0.006)


def cabinet(kit, place, width=1.2, depth=0.45, height=0.8, material=None, name="cabinet"):
    piece, wood = kit.builder.object(name), kit.one(kit.woods) if material is None else material
    kit.box((width, depth, height - 0.06), (0, 0, height / 2 + 0.03), wood, piece, place, 0.008)
    columns, rows = max(1, round(width / 0.45)), max(1, round(height / 0.7))
    for a in range(columns):
        for b in range(rows):
            wide, tall = (width - 0.04) / columns, (height - 0.1) / rows
            x, z = -width / 2 + 0.02 + wide * (a + 0.5), 0.08 + tall * (b + 0.5)
            kit.box((wide - 0.012, 0.02, tall - 0.012), (x, -depth / 2 - 0.008, z), wood, piece, place, 0.006)
            kit.put(shapes.ball(0.016, 10), kit.metal, piece, (x + (wide / 2 - 0.05) * (1 if a % 2 == 0 else -1), -depth / 2 - 0.03, z), place)
    return width * 0.85, depth * 0.8, height


def refrigerator(kit, place):
    piece, skin = kit.builder.object("refrigerator"), kit.one([kit.metal, kit.white])
    kit.box((0.7, 0.66, 1.78), (0, 0, 0.9), skin, piece, place, 0.02)
    for z, tall in ((1.38, 0.78), (0.52, 0.9)):
        kit.box((0.69, 0.04, tall), (0, -0.345, z), skin, piece, place, 0.015)
        kit.box((0.025, 0.03, tall * 0.5), (0.27, -0.385, z), kit.dark, piece, place, 0.01)


def oven(kit, place):
    piece = kit.builder.object("oven")
    kit.box((0.6, 0.6, 0.88), (0, 0, 0.45), kit.metal, piece, place, 0.01)
    kit.box((0.5, 0.02, 0.42), (0, -0.305, 0.4), kit.dark, piece, place, 0.01)
    for j in range(4):
        kit.put(shapes.cylinder(0.02, 0.03, 12).oriented(FLAT), kit.dark, piece, (-0.2 + 0.13 * j, -0.3, 0.79), place)
        kit.put(shapes.ring(0.075, 0.008), kit.dark, piece, ((-0.14, 0.14)[j % 2], (-0.12, 0.14)[j // 2], 0.895), place)


def microwave(kit, place, offset):
    piece = kit.builder.object("microwave")
    kit.box((0.48, 0.34, 0.28), (offset[0], offset[1], offset[2] + 0.14), kit.white, piece, place)
    kit.box((0.32, 0.01, 0.2), (offset[0] - 0.05, offset[1] - 0.172, offset[2] + 0.14), kit.dark, piece, place, 0.004)


def toaster(kit, place, offset):
    kit.box((0.28, 0.17, 0.18), (offset[0], offset[1], offset[2] + 0.1), kit.metal, kit.builder.object("toaster"), place, 0.035)


def sink(kit, place, offset):
    piece, (x, y, z) = kit.builder.object("sink"), offset
    kit.put(shapes.ring(0.2, 0.016), kit.metal, piece, (x, y, z + 0.008), place)
    kit.put(shapes.cylinder(0.18, 0.006), kit.dark, piece, offset, place)
    kit.put(shapes.cylinder(0.016, 0.24, 12), kit.metal, piece, (x, y + 0.22, z), place)
    kit.put(shapes.cylinder(0.012, 0.16, 10).oriented(FLAT), kit.metal, piece, (x, y + 0.22, z + 0.24), place)


def toilet(kit, place):
    piece, a = kit.builder.object("toilet"), np.linspace(0, np.pi / 2, 10)
    kit.put(shapes.revolved(0.12 + 0.1 * np.sin(a), 0.36 * a / a[-1], 24), kit.white, piece, (0, -0.05, 0), place)
    kit.put(shapes.ring(0.18, 0.04), kit.white, piece, (0, -0.05, 0.38), place)
    kit.box((0.4, 0.18, 0.38), (0, 0.28, 0.56), kit.white, piece, place, 0.03)


def bathtub(kit, place):
    piece = kit.builder.object("bathtub")
    for extent, offset in (
        ((1.65, 0.08, 0.55), (0, -0.34, 0.28)),
        ((1.65, 0.08, 0.55), (0, 0.34, 0.28)),
        ((0.1, 0.7, 0.55), (-0.78, 0, 0.28)),
        ((0.1, 0.7, 0.55), (0.78, 0, 0.28)),
        ((1.5, 0.64, 0.05), (0, 0, 0.12)),
    ):
        kit.box(extent, offset, kit.white, piece, place, 0.03)


def counter(kit, place, width):
    cabinet(kit, place, width, 0.6, 0.86)
    kit.box((width + 0.02, 0.64, 0.04), (0, -0.01, 0.9), kit.stone, kit.builder.object("counter"), place, 0.01)
    sink(kit, place, (-width * 0.2, -0.02, 0.925))
    toaster(kit, place, (width * 0.1, 0.1, 0.92))
    microwave(kit, place, (width * 0.32, 0.08, 0.92))


def picture(kit, place, width, height):
    piece, wood, canvas = kit.builder.object("picture"), kit.one(kit.woods), kit.builder.material(textures.painting(kit.rng))
    for side in (-1, 1):
        kit.box((width + 0.06, 0.03, 0.035), (0, 0, side * height / 2), wood, piece, place, 0.006)
        kit.box((0.035, 0.03, height), (side * width / 2, 0, 0), wood, piece, place, 0.006)
    kit.put(shapes.quad((-width / 2, -0.004, -height / 2), (width, 0, 0), (0, 0, height)), canvas, piece, (0, 0, 0), place, True)


def clock(kit, place):
    piece = kit.builder.object("clock")
    kit.put(shapes.cylinder(0.15, 0.03, 26).oriented(FLAT), kit.white, piece, (0, 0, 0), place)
    kit.put(shapes.ring(0.15, 0.014).oriented(FLAT), kit.dark, piece, (0, -0.03, 0), place)
    kit.box((0.012, 0.004, 0.1), (0, -0.034, 0.045), kit.dark, piece, place, 0.001)


def rug(kit, place, width, depth):
    cloth = kit.builder.material(textures.carpet(kit.rng, textures.tinted(kit.rng, (0.5, 0.35, 0.3), 0.15), textures.tinted(kit.rng, (0.75, 0.7, 0.6), 0.1)))
    u, v = np.meshgrid(np.linspace(-0.5, 0.5, 24), np.linspace(-0.5, 0.5, 18), indexing="ij")
    waves = 0.012 + 0.008 * np.sin(u * kit.rng.uniform(8, 20) + v * kit.rng.uniform(-9, 9)) + 0.004 * np.sin(v * 17)
    kit.put(shapes.from_lattice(np.stack([u * width, v * depth, waves], -1)), cloth, kit.builder.object("rug"), (0, 0, 0), place, True)


def clutter(kit, place, top, count):
    """`count` small things on a top (width, depth, height), 20 cm apart."""
    width, depth, height = top
    taken: list[tuple[float, float]] = []
    for _ in range(count * 4):
        spot = (kit.rng.uniform(-width / 2, width / 2), kit.rng.uniform(-depth / 2, depth / 2))
        if len(taken) < count and all(np.hypot(spot[0] - x, spot[1] - y) > 0.2 for x, y in taken):
            taken.append(spot)
            offset, choice = (*spot, height), kit.rng.integers(5)
            if choice == 0:
                vase(kit, place, offset, kit.rng.uniform(0.15, 0.32))
            elif choice == 4:
                plant(kit, place, offset, 0.5)
            else:
                (bottle, bowl, pile)[choice - 1](kit, place, offset)
