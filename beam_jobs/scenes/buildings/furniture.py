"""Places furniture: one function for each piece, in a local frame with the footprint centred, the
front towards -y, the floor at z = 0.

Every function takes (kit, place) where place = (x, y, z, yaw) in the world; a piece that can carry
things returns its top (width, depth, height).
"""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes.buildings import clutter, stationery, textures, tops
from beam_jobs.scenes.buildings.materials import Kit
from beam_jobs.scenes.buildings.scene import Light, Placement, Top
from beam_jobs.scenes.geometry import shapes, soft
from beam_jobs.scenes.geometry.shapes import Triple

CORNER = (2.6, 1.7)  # metres


def table(
    kit: Kit,
    place: Placement,
    width: float = 1.4,
    depth: float = 0.85,
    height: float = 0.74,
    name: str = "dining table",
) -> Top:
    piece = kit.builder.object(name)
    wood = kit.one(kit.woods)
    if kit.rng.random() < 0.3 and name != "desk":
        radius = depth / 2 + 0.08
        edge = np.linspace(-np.pi / 2, np.pi / 2, 7)
        kit.put(shapes.revolved([0, radius], [0, 0], 32), wood, piece, (0, 0, height - 0.04), place)
        kit.put(
            shapes.revolved(radius + 0.02 * np.cos(edge), 0.02 + 0.02 * np.sin(edge), 32),
            wood,
            piece,
            (0, 0, height - 0.04),
            place,
        )
        kit.put(shapes.revolved([radius, 0], [0, 0], 32), wood, piece, (0, 0, height), place)
        kit.put(shapes.cone(0.07, 0.05, height - 0.04, 14), wood, piece, (0, 0, 0), place)
        kit.put(shapes.cone(radius * 0.6, 0.06, 0.06), wood, piece, (0, 0, 0), place)
        return radius * 1.2, radius * 1.2, height
    kit.box((width, depth, 0.05), (0, 0, height - 0.025), wood, piece, place, 0.024)
    kit.box((width - 0.14, depth - 0.14, 0.07), (0, 0, height - 0.085), wood, piece, place, 0.01)
    kit.legs(width, depth, height - 0.05, wood, piece, place, 0.035)
    return width * 0.8, depth * 0.8, height


def chair(kit: Kit, place: Placement) -> None:
    style = kit.rng.random()
    if style < 0.3:
        office_chair(kit, place)
        return
    piece = kit.builder.object("chair")
    wood = kit.one(kit.woods + [kit.white])
    kit.put(
        soft.pillow(kit.rng, (0.22, 0.22, 0.045), 0.5, 0.03, 14),
        kit.one(kit.fabrics),
        piece,
        (0, 0, 0.46),
        place,
    )
    kit.legs(0.42, 0.42, 0.44, wood, piece, place, 0.024)
    if style < 0.6:
        shell = (
            np.linspace(0, 1, 9)[:, None] * np.ones(9),
            np.ones(9)[:, None] * np.linspace(-1, 1, 9),
        )
        points = np.stack(
            [
                0.21 * shell[1] * (1 - 0.25 * shell[0] ** 3),
                0.2 + 0.05 * shell[0] - 0.07 * shell[1] ** 2,
                0.46 + 0.44 * shell[0],
            ],
            -1,
        )
        kit.put(shapes.from_lattice(points), wood, piece, (0, 0, 0), place)
        return
    for x in (-1, 1):
        kit.box((0.04, 0.035, 0.5), (x * 0.19, 0.195, 0.7), wood, piece, place, 0.012)
    for z in (0.62, 0.76, 0.9):
        kit.box((0.36, 0.022, 0.07), (0, 0.195, z), wood, piece, place, 0.01)


def office_chair(kit: Kit, place: Placement) -> None:
    piece = kit.builder.object("chair")
    kit.put(
        soft.pillow(kit.rng, (0.25, 0.25, 0.06), 0.5, 0.03, 16),
        kit.one(kit.cloths),
        piece,
        (0, 0, 0.48),
        place,
    )
    kit.put(
        soft.pillow(kit.rng, (0.22, 0.06, 0.3), 0.5, 0.03, 16),
        kit.one(kit.cloths),
        piece,
        (0, 0.23, 0.86),
        place,
    )
    kit.put(shapes.cylinder(0.03, 0.4, 12), kit.metal, piece, (0, 0, 0.05), place)
    for turn in np.arange(5) * 2 * np.pi / 5:
        ahead = np.array([np.cos(turn), np.sin(turn)])
        path = np.stack(
            [*(ahead[:, None] * np.linspace(0, 0.27, 4)), np.linspace(0.11, 0.06, 4)], -1
        )
        kit.put(soft.tube(path, 0.02), kit.dark, piece, (0, 0, 0), place)
        kit.put(shapes.ball(0.03, 10), kit.dark, piece, (*(0.27 * ahead), 0.03), place)
    for x in (-1, 1):
        kit.box((0.05, 0.26, 0.03), (x * 0.27, 0.02, 0.68), kit.dark, piece, place, 0.014)
        kit.box((0.03, 0.04, 0.2), (x * 0.27, 0.05, 0.58), kit.dark, piece, place, 0.014)


def couch(
    kit: Kit, place: Placement, width: float = 1.9, depth: float = 0.9, chaise: float = 0.0
) -> None:
    """Places a couch with cushions. chaise: metres by which the seat at one end is extended towards
    the front, to lie on.
    """
    piece = kit.builder.object("couch")
    covering = kit.one(kit.cloths)
    count = max(1, int(width / 0.65))
    rng = kit.rng
    arm = kit.rng.uniform(0.16, 0.24)
    high = kit.rng.uniform(0.5, 0.62)
    kit.box((width, depth, 0.3), (0, 0, 0.2), covering, piece, place, 0.06)
    kit.foot(width, depth, covering, piece, place)
    kit.box(
        (width, 0.24, high), (0, depth / 2 - 0.12, 0.35 + high / 2), covering, piece, place, 0.1
    )
    for side in (-1, 1):
        kit.box(
            (arm, depth, 0.56),
            (side * (width / 2 - arm / 2), 0, 0.34),
            covering,
            piece,
            place,
            0.08,
        )
        kit.put(
            shapes.cylinder(0.03, 0.08, 10),
            kit.woods[1],
            piece,
            (side * (width / 2 - 0.1), -depth / 2 + 0.08, 0),
            place,
        )
    seat = (width - 2 * arm) / count
    for j in range(count):
        x = -width / 2 + arm + seat * (j + 0.5)
        kit.put(
            soft.pillow(rng, (seat * 0.5, depth * 0.37, 0.11), 0.5, 0.1),
            covering,
            piece,
            (x, -0.08, 0.43),
            place,
        )
        kit.put(
            soft.pillow(rng, (seat * 0.5, 0.13, 0.24), 0.6, 0.12),
            covering,
            piece,
            (x, depth / 2 - 0.28, 0.68),
            place,
        )
    if chaise:
        x = float(rng.choice([-1.0, 1.0])) * (width - seat - arm) / 2
        y = -(depth + chaise) / 2
        kit.box((seat + arm, chaise + 0.1, 0.3), (x, y + 0.05, 0.2), covering, piece, place, 0.06)
        long = soft.pillow(rng, ((seat + arm) / 2, chaise / 2 + 0.03, 0.11), 0.5, 0.1)
        kit.put(long, covering, piece, (x, y, 0.43), place)
    for _ in range(rng.integers(1, 2 + count)):
        x = rng.uniform(-0.5, 0.5) * (width - 2 * arm - 0.4)
        clutter.throw(kit, place, (x, depth / 2 - 0.44, 0.66), piece)
    if rng.random() < 0.5:
        blanket = soft.cloth(rng, 0.7, depth * 0.6, 0.025)
        kit.put(
            blanket,
            kit.one(kit.patterns + kit.brights),
            piece,
            (rng.uniform(-0.3, 0.3) * width, -0.1, 0.55),
            place,
        )


def corner_couch(kit: Kit, place: Placement) -> None:
    """Places a couch with one long seat, CORNER wide and deep. place: the middle of its
    footprint.
    """
    width, deep = CORNER
    back = Placement(*place.at((0.0, (deep - 0.9) / 2, 0.0)), place.yaw)
    couch(kit, back, width - 0.1, 0.9, deep - 0.9)


def armchair(kit: Kit, place: Placement) -> None:
    couch(kit, place, 0.95, 0.85)


def bed(kit: Kit, place: Placement, width: float = 1.6, depth: float = 2.05) -> None:
    piece = kit.builder.object("bed")
    wood = kit.one(kit.woods + kit.cloths)
    rng = kit.rng
    kit.box((width, depth, 0.3), (0, 0, 0.15), wood, piece, place, 0.04)
    kit.foot(width, depth, wood, piece, place)
    kit.box((width - 0.04, depth - 0.06, 0.26), (0, 0, 0.43), kit.linen, piece, place, 0.08)
    u, v = np.meshgrid(np.linspace(-0.56, 0.56, 44), np.linspace(-0.5, 0.22, 34), indexing="ij")
    # 0 on the mattress, 1 at the hem, where the quilt hangs down
    over = np.maximum(np.abs(u) - 0.49, 0) / 0.07
    folds = (
        0.02 * np.sin(u * 21 + 3 * np.sin(v * 9))
        + 0.02 * np.sin(v * 25 + rng.uniform(0, 6))
        + 0.015 * np.sin(u * 13 - v * 17 + rng.uniform(0, 6))
    )
    points = np.stack(
        [
            np.clip(u, -0.51, 0.51) * width + 0.03 * np.sign(u) * over,
            v * depth,
            0.625 + folds - 0.25 * over**1.2,
        ],
        -1,
    )
    quilt = kit.builder.object("quilt")
    kit.put(shapes.from_lattice(points), kit.one(kit.fabrics), quilt, (0, 0, 0), place)
    kit.box(
        (width + 0.06, 0.08, rng.uniform(0.9, 1.4)),
        (0, depth / 2 - 0.03, 0.55),
        wood,
        piece,
        place,
        0.035,
    )
    for x in (-1, 1):
        for layer in range(int(rng.integers(1, 3))):
            shape = soft.pillow(rng, (width * 0.21, 0.21, 0.09), 0.6, 0.08)
            kit.put(
                shape,
                kit.linen if layer == 0 else kit.one(kit.fabrics),
                piece,
                (x * width * 0.24, depth / 2 - 0.32 - 0.1 * layer, 0.65 + 0.1 * layer),
                place,
            )
    if rng.random() < 0.6:
        throw = soft.cloth(rng, width * 1.02, 0.6, 0.025)
        kit.put(throw, kit.one(kit.patterns + kit.brights), piece, (0, -depth * 0.3, 0.675), place)


def shelf(
    kit: Kit, place: Placement, width: float = 0.9, height: float = 1.9, depth: float = 0.32
) -> None:
    piece = kit.builder.object("bookcase")
    wood = kit.one([*kit.woods, kit.white])
    boards = int(kit.rng.integers(4, 6))
    for x in (-1, 1):
        kit.box(
            (0.035, depth, height),
            (x * (width / 2 - 0.017), 0, height / 2),
            wood,
            piece,
            place,
            0.016,
        )
    kit.box((width, 0.015, height), (0, depth / 2 - 0.008, height / 2), wood, piece, place, 0.004)
    kit.foot(width, depth, wood, piece, place, radius=0.04)
    step = (height - 0.06) / boards
    for j in range(boards + 1):
        kit.box((width - 0.05, depth, 0.03), (0, 0, 0.03 + step * j), wood, piece, place, 0.014)
    for j in range(boards):
        tops.row_of_things(
            kit, place, (-width / 2 + 0.05, width / 2 - 0.05), -0.02, 0.045 + step * j, step - 0.06
        )


def bookshelves(kit: Kit, place: Placement) -> None:
    """Places a wide bookcase, higher than a person, filled with books."""
    shelf(kit, place, 1.65, float(kit.rng.uniform(2.0, 2.3)), 0.34)


def nightstand(kit: Kit, place: Placement) -> None:
    top = cabinet(kit, place, 0.46, 0.4, 0.52)
    table_lamp(kit, place, (0.08, 0.05, top[2]))
    (clutter.pile, stationery.digital_clock, clutter.cup)[kit.rng.integers(3)](
        kit, place, (-0.12, -0.03, top[2])
    )


def table_lamp(kit: Kit, place: Placement, offset: Triple) -> None:
    piece = kit.builder.object("lamp")
    (x, y, z) = offset
    t = np.linspace(0, 1, 10)
    kit.put(
        shapes.revolved(0.05 + 0.035 * np.sin(np.pi * t), t * 0.22, 16),
        kit.one(kit.ceramics),
        piece,
        offset,
        place,
    )
    kit.put(shapes.revolved([0.14, 0.09], [0, 0.19], 18), kit.shade, piece, (x, y, z + 0.24), place)
    c, s = np.cos(place.yaw), np.sin(place.yaw)
    kit.builder.lights.append(
        Light((place.x + c * x - s * y, place.y + s * x + c * y, z + 0.5), 0.1, (0.35, 0.28, 0.2))
    )


def lamp(kit: Kit, place: Placement) -> None:
    piece = kit.builder.object("lamp")
    kit.put(shapes.cone(0.15, 0.13, 0.03), kit.dark, piece, (0, 0, 0), place)
    kit.put(shapes.cylinder(0.014, 1.45, 8), kit.dark, piece, (0, 0, 0.03), place)
    kit.put(
        shapes.joined(
            [
                shapes.revolved([0.2, 0.14], [0, 0.28], 22),
                shapes.revolved([0.135, 0.195], [0.28, 0], 22),
            ]
        ),
        kit.shade,
        piece,
        (0, 0, 1.32),
        place,
    )
    kit.builder.lights.append(Light((place.x, place.y, 1.75), 0.15, (0.9, 0.75, 0.55)))


def screen(kit: Kit, place: Placement, offset: Triple = (0, 0, 0), width: float = 1.1) -> None:
    piece = kit.builder.object("tv" if width > 0.8 else "monitor")
    height = width * 0.58
    kit.box(
        (width, 0.04, height),
        (offset[0], offset[1], offset[2] + height / 2 + 0.06),
        kit.dark,
        piece,
        place,
        0.012,
    )
    lit = kit.rng.random() < 0.35
    content = textures.window_of_words(kit.rng) if width < 0.8 else textures.painting(kit.rng)
    picture = kit.builder.material(
        content if lit else content * 0.04 + 0.05, glow=0.9 if lit else 0.0
    )
    kit.put(
        # in front of the case: of two surfaces in one plane a ray may meet either
        shapes.quad((-width / 2 + 0.02, -0.0215, 0), (width - 0.04, 0, 0), (0, 0, height - 0.04)),
        picture,
        piece,
        (offset[0], offset[1], offset[2] + 0.08),
        place,
        True,
    )
    kit.box(
        (width * 0.3, 0.16, 0.06),
        (offset[0], offset[1], offset[2] + 0.03),
        kit.dark,
        piece,
        place,
        0.012,
    )


def cabinet(
    kit: Kit,
    place: Placement,
    width: float = 1.2,
    depth: float = 0.45,
    height: float = 0.8,
    material: int | None = None,
    name: str = "cabinet",
) -> Top:
    piece = kit.builder.object(name)
    wood = kit.one([*kit.woods, kit.white, kit.lacquers[0]]) if material is None else material
    kit.box((width, depth, height - 0.06), (0, 0, height / 2 + 0.03), wood, piece, place, 0.035)
    kit.foot(width - 0.02, depth - 0.02, wood, piece, place, (0, 0, 0.0), 0.06)
    columns, rows = (
        max(1, round(width / 0.45)),
        max(1, round(height / 0.7)) if kit.rng.random() < 0.6 else max(2, round(height / 0.28)),
    )
    rows = rows if height < 1.5 else 1
    wide, tall = (width - 0.04) / columns, (height - 0.1) / rows
    front = shapes.rounded_box((wide - 0.016, 0.05, tall - 0.016), 0.024, 1)
    knob = shapes.ball(0.016, 6)
    for a in range(columns):
        for b in range(rows):
            x, z = -width / 2 + 0.02 + wide * (a + 0.5), 0.08 + tall * (b + 0.5)
            kit.put(front, wood, piece, (x, -depth / 2 + 0.008, z), place)
            kit.put(
                knob,
                kit.metal,
                piece,
                (x + (wide / 2 - 0.06) * (1 if a % 2 == 0 else -1), -depth / 2 - 0.026, z),
                place,
            )
    return width * 0.85, depth * 0.8, height


def radiator(kit: Kit, place: Placement, width: float = 0.9) -> None:
    """Places a plate with a front of ribs that run into each other, as in scans."""
    piece = kit.builder.object("radiator")
    ribs = round(width / 0.07)
    u, v = np.meshgrid(np.linspace(-0.5, 0.5, 6 * ribs + 1), [0.15, 0.69], indexing="ij")
    front = shapes.from_lattice(
        np.stack([u * (width - 0.02), -0.03 - 0.014 * np.cos(2 * np.pi * ribs * u), v], -1)
    )
    kit.put(front, kit.white, piece, (0, 0, 0), place)
    kit.box((width, 0.06, 0.58), (0, 0, 0.42), kit.white, piece, place)


def pouf(kit: Kit, place: Placement) -> None:
    """Places a round seat of cloth, or a beanbag."""
    piece = kit.builder.object("pouf")
    high = kit.rng.uniform(0.17, 0.24)
    kit.put(
        soft.pillow(kit.rng, (0.27, 0.27, high), 0.7, 0.1),
        kit.one(kit.fabrics),
        piece,
        (0, 0, high),
        place,
    )


def stool(kit: Kit, place: Placement) -> None:
    piece = kit.builder.object("stool")
    high = kit.rng.uniform(0.45, 0.7)
    kit.put(
        soft.pillow(kit.rng, (0.18, 0.18, 0.05), 0.6, 0.05, 16),
        kit.one(kit.fabrics + kit.woods),
        piece,
        (0, 0, high),
        place,
    )
    kit.legs(0.34, 0.34, high, kit.one(kit.woods + [kit.metal]), piece, place, 0.022)


def bench(kit: Kit, place: Placement) -> None:
    """Places a bench with a cushion, and sometimes a bag or clothes on it."""
    piece = kit.builder.object("bench")
    wood = kit.one(kit.woods)
    kit.box((1.1, 0.36, 0.06), (0, 0, 0.4), wood, piece, place, 0.02)
    kit.legs(1.1, 0.36, 0.38, wood, piece, place, 0.03)
    kit.put(
        soft.pillow(kit.rng, (0.54, 0.18, 0.05), 0.4, 0.1),
        kit.one(kit.fabrics),
        piece,
        (0, 0, 0.47),
        place,
    )
    if kit.rng.random() < 0.7:
        (clutter.bag, clutter.clothes)[kit.rng.integers(2)](
            kit, place, (kit.rng.uniform(-0.3, 0.3), 0, 0.5)
        )


def side_table(kit: Kit, place: Placement) -> None:
    """Places a small table with a lamp or a plant, and books, a cup or papers beside it."""
    width, depth, height = table(kit, place, 0.5, 0.45, kit.rng.uniform(0.45, 0.62), "side table")
    if kit.rng.random() < 0.5:
        table_lamp(kit, place, (0.06, 0.05, height))
    else:
        clutter.plant(kit, place, (0.06, 0.05, height), 0.6)
    (clutter.pile, clutter.cup, clutter.papers)[kit.rng.integers(3)](
        kit, place, (-0.1, -0.06, height)
    )


def rug(kit: Kit, place: Placement, width: float, depth: float) -> None:
    material = kit.one(kit.rugs)
    piece = kit.builder.object("rug")
    kit.put(
        shapes.quad((-width / 2, -depth / 2, 0.016), (width, 0, 0), (0, depth, 0)),
        material,
        piece,
        (0, 0, 0),
        place,
        True,
    )
    kit.put(soft.skirt(width, depth, 0.016), material, piece, (0, 0, 0), place)


def television(kit: Kit, place: Placement) -> None:
    """Places a screen on a low cabinet, with a few things beside it."""
    width, depth, height = cabinet(kit, place, 1.5, 0.42, 0.5, name="entertainment center")
    screen(kit, place, (0, 0, height), kit.rng.uniform(1.1, 1.6))
    tops.row_of_things(kit, place, (0.55, 0.75), 0, height, 0.3)
