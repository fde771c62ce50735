"""Builds the shell of a room: walls around their openings, floor, ceiling, doors, baseboards,
fillets in the edges, ceiling lights.
"""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes.buildings import textures
from beam_jobs.scenes.buildings.materials import WOODS, Kit
from beam_jobs.scenes.buildings.plan import WALL, Plan, Side
from beam_jobs.scenes.buildings.scene import Light, Placement
from beam_jobs.scenes.geometry import shapes
from models.tasks.arrays import Floats

DADO = 0.95  # m, where the lower part of a wall in two colours ends
REACH = WALL / 2 + 0.04  # m that a floor goes beyond its room
WHITES = ((0.86, 0.85, 0.82), (0.84, 0.84, 0.83), (0.82, 0.79, 0.74), (0.78, 0.78, 0.76))
PAINTS = {
    "living_room": (*WHITES, (0.8, 0.77, 0.71), (0.72, 0.7, 0.63), (0.66, 0.7, 0.71)),
    "bedroom": (*WHITES, (0.76, 0.79, 0.84), (0.84, 0.77, 0.75), (0.77, 0.81, 0.76)),
    "kitchen": (*WHITES, (0.85, 0.81, 0.68), (0.8, 0.84, 0.8)),
    "dining_room": (*WHITES, (0.72, 0.62, 0.55), (0.64, 0.67, 0.6), (0.8, 0.73, 0.62)),
    "home_office": (*WHITES, (0.7, 0.75, 0.79), (0.8, 0.8, 0.76)),
    "bathroom": ((0.84, 0.87, 0.88), (0.76, 0.83, 0.84), (0.88, 0.87, 0.84), (0.7, 0.75, 0.76)),
    "childs_room": (*WHITES, (0.74, 0.82, 0.88), (0.88, 0.82, 0.68), (0.86, 0.76, 0.78)),
    "nursery": (*WHITES, (0.82, 0.86, 0.88), (0.9, 0.84, 0.82), (0.84, 0.88, 0.8)),
    "utility_room": (*WHITES, (0.78, 0.81, 0.82)),
    "storage_room": (*WHITES, (0.72, 0.71, 0.69)),
    "conference_room": (*WHITES, (0.75, 0.78, 0.8), (0.68, 0.67, 0.65)),
    "television_room": (*WHITES, (0.6, 0.58, 0.58), (0.66, 0.68, 0.72)),
    "recreation_room": (*WHITES, (0.62, 0.68, 0.64), (0.74, 0.66, 0.56)),
    "waiting_room": (*WHITES, (0.78, 0.82, 0.8), (0.8, 0.78, 0.72)),
}
TILED = ("kitchen", "bathroom", "utility_room")
CARPETED = ("bedroom", "childs_room", "nursery", "home_office", "television_room",
            "conference_room", "waiting_room")  # fmt: skip
PAPERED = ("bedroom", "dining_room", "living_room", "nursery", "childs_room")


def shell(kit: Kit, plan: Plan) -> None:
    """Builds walls, floor, ceiling, and concave fillets of 5 to 10 cm in the edges, as fused scans
    have them.
    """
    rng = kit.rng
    builder = kit.builder
    paint = PAINTS[plan.kind]
    walls = [
        wall_material(kit, plan.kind, textures.tinted(rng, paint[rng.integers(len(paint))], 0.03))
    ] * 4
    if plan.kind in PAPERED and rng.random() < 0.35:  # one wall differs
        accent = textures.tinted(rng, paint[rng.integers(len(paint))], 0.03) * 0.75
        walls[rng.integers(4)] = wall_material(kit, plan.kind, accent)
    above = ceiling_material(kit, plan.kind)
    lower = None
    if plan.kind != "bathroom" and rng.random() < 0.1:  # a dado
        below = textures.tinted(rng, paint[rng.integers(len(paint))], 0.05) * rng.uniform(0.5, 0.9)
        lower = builder.material(textures.plaster(rng, below), 2.2, relief="plaster")
    wall_piece = builder.object("wall")
    floor_piece = builder.object("floor")
    ceiling_piece = builder.object("ceiling")
    for wall in range(4):
        panels(kit, plan, wall, walls[wall], wall_piece, lower)
    size = (plan.x1 - plan.x0, plan.y1 - plan.y0)
    radius = rng.uniform(0.05, 0.1)
    builder.add(
        uneven(rng, size),
        floor_material(kit, plan.kind),
        floor_piece,
        (plan.x0 - REACH, plan.y0 - REACH, 0),
    )
    builder.add(
        # along x, then against y: by the right-hand rule its normal points down
        shapes.quad((0, size[1], 0), (size[0], 0, 0), (0, -size[1], 0)),
        above,
        ceiling_piece,
        (plan.x0, plan.y0, plan.height),
    )
    for x, sx in ((plan.x0, 1), (plan.x1, -1)):
        for y, sy in ((plan.y0, 1), (plan.y1, -1)):
            builder.add(fillet(plan.height, (sx, sy), radius), walls[0], wall_piece, (x, y, 0))
    for wall in range(4):
        side = plan.side(wall)
        builder.add(
            cove(side, 0.0, side.length, radius, 1),
            above,
            ceiling_piece,
            (*side.start, plan.height),
        )
        if rng.random() < 0.6:
            socket(kit, plan, wall)
    if plan.kind in ("living_room", "dining_room", "kitchen") and rng.random() < 0.15:
        beams(kit, plan, ceiling_piece)


def ceiling_material(kit: Kit, kind: str) -> int:
    """Returns the id of a new ceiling material: plaster, or in some offices and waiting rooms
    panels in a grid.
    """
    rng = kit.rng
    white = textures.tinted(rng, (0.9, 0.9, 0.89), 0.015)
    if kind in ("home_office", "conference_room", "waiting_room") and rng.random() < 0.35:
        return kit.builder.material(textures.tiles(rng, white, 0.76, 4), 2.4, relief="ceiling")
    return kit.builder.material(textures.plaster(rng, white, 0.004), 2.0, relief="ceiling")


def beams(kit: Kit, plan: Plan, piece: int) -> None:
    """Places timbers below the ceiling, about a metre apart, none above the lamp in the middle."""
    wood = kit.one([*kit.woods, kit.white])
    high = kit.rng.uniform(0.1, 0.16)
    count = max(2, round((plan.y1 - plan.y0) / 1.1 / 2) * 2)
    step = (plan.y1 - plan.y0) / count
    for j in range(count):
        place = Placement((plan.x0 + plan.x1) / 2, plan.y0 + step * (j + 0.5), plan.height, 0.0)
        kit.box((plan.x1 - plan.x0, 0.13, 2 * high), (0, 0, 0), wood, piece, place, 0.025)


def wall_material(kit: Kit, kind: str, paint: Floats) -> int:
    """Returns the id of a new wall material: tiles in bathrooms, elsewhere plaster, or sometimes
    wallpaper or bricks. paint: [3] in [0, 1].
    """
    rng = kit.rng
    make = kit.builder.material
    style = rng.random()
    if kind == "bathroom":
        return make(
            textures.tiles(
                rng, paint, float(rng.uniform(0.82, 1.06) * paint.mean()), int(rng.integers(3, 7))
            ),
            0.9,
            relief="plaster",
        )
    if style < 0.12 and kind in PAPERED:
        return make(textures.wallpaper(rng, paint), float(rng.uniform(0.5, 1.2)), relief="plaster")
    if style > 0.96 and kind in ("living_room", "dining_room"):
        return make(
            textures.bricks(rng, textures.tinted(rng, (0.6, 0.47, 0.41), 0.04)), 1.0, relief="cloth"
        )
    return make(textures.plaster(rng, paint), 2.2, relief="plaster")


def floor_material(kit: Kit, kind: str) -> int:
    """Returns the id of a new floor material: tiles, carpet or boards by the kind of room."""
    rng = kit.rng
    make = kit.builder.material
    if kind in TILED:
        stone = textures.tinted(rng, (0.72, 0.69, 0.64), 0.04) * rng.uniform(0.75, 1.1)
        return make(
            textures.tiles(rng, stone, 0.84 * float(stone.mean()), int(rng.integers(2, 5))),
            1.3,
            relief="boards",
        )
    if kind in CARPETED and rng.random() < 0.6:
        return make(
            textures.granite(rng, textures.tinted(rng, (0.62, 0.58, 0.53), 0.04)),
            0.5,
            relief="pile",
        )
    return make(
        textures.planks(
            rng, textures.tinted(rng, WOODS[rng.integers(4)], 0.04), int(rng.integers(8, 13))
        ),
        1.2,
        relief="boards",
    )


def uneven(rng: np.random.Generator, size: tuple[float, float]) -> shapes.Shape:
    """Returns a floor that undulates by a few millimetres, as scanned floors do. It reaches under
    the walls, so that it meets the next room's floor without a gap.
    """
    nx, ny = (int(side / 0.3) + 3 for side in size)
    u, v = np.meshgrid(
        np.linspace(0, size[0] + 2 * REACH, nx),
        np.linspace(0, size[1] + 2 * REACH, ny),
        indexing="ij",
    )
    # never above 0, on which everything stands: no thing sinks into the floor
    waves = 0.004 * np.sin(u * rng.uniform(1, 3) + v * rng.uniform(1, 3)) - 0.004
    return shapes.from_lattice(np.stack([u, v, waves], -1))


def fillet(length: float, quadrant: tuple[int, int], radius: float = 0.03) -> shapes.Shape:
    """Returns a concave quarter cylinder along z in a corner, with curvature (-1/r, 0)."""
    t, z = np.meshgrid(np.linspace(0, np.pi / 2, 6), [0.0, length], indexing="ij")
    points = np.stack(
        [quadrant[0] * radius * (1 - np.cos(t)), quadrant[1] * radius * (1 - np.sin(t)), z], -1
    )
    normals = np.stack([quadrant[0] * np.cos(t), quadrant[1] * np.sin(t), 0 * z], -1)
    return shapes.sheet(
        points,
        normals,
        np.stack([t * radius, z], -1),
        np.stack([np.full_like(t, -1 / radius), 0 * t], -1),
    )


def cove(side: Side, start: float, end: float, radius: float, up: int) -> shapes.Shape:
    """Returns the fillet between a wall and the ceiling (up 1) or the floor (up -1), from `start`
    to `end` along the wall.
    """
    t, s = np.meshgrid(np.linspace(0, np.pi / 2, 6), [start, end], indexing="ij")
    inward = np.array([*side.inward, 0])
    along = np.array([*side.along, 0])
    rise = np.array([0, 0, float(up)])
    normals = np.cos(t)[..., None] * inward - np.sin(t)[..., None] * rise
    points = s[..., None] * along + radius * (
        (1 - np.cos(t))[..., None] * inward + (np.sin(t) - 1)[..., None] * rise
    )
    return shapes.sheet(
        points,
        normals,
        np.stack([s, t * radius], -1),
        np.stack([np.full_like(t, -1 / radius), 0 * t], -1),
    )


def socket(kit: Kit, plan: Plan, wall: int) -> None:
    """Places a socket on a wall, unless an opening is in the way."""
    side = plan.side(wall)
    at = kit.rng.uniform(0.2, side.length - 0.2)
    if not any(at + 0.15 > a and at - 0.15 < b for a, b, *_ in plan.openings[wall]):
        place = side.place(at, 0.008, float(kit.rng.choice([0.3, 1.1])))
        kit.box(
            (0.085, 0.016, 0.085), (0, 0, 0), kit.white, kit.builder.object("socket"), place, 0.007
        )


def panels(
    kit: Kit, plan: Plan, wall: int, material: int, piece: int, lower: int | None = None
) -> None:
    """Builds a wall as rectangles around its openings, with a baseboard and frames of doorways
    (once, from the first of two rooms).

    lower: another material below a rail at DADO.
    """
    side = plan.side(wall)
    openings = plan.openings[wall]
    # cut at every edge of every opening: a rectangle of this grid is open or wall as a whole
    xs = sorted({0.0, side.length, *(edge for opening in openings for edge in opening[:2])})
    zs = sorted(
        {
            0.0,
            plan.height,
            *(edge for opening in openings for edge in opening[2:4] if 0 < edge < plan.height),
            *([DADO] if lower is not None else []),
        }
    )
    for x0, x1 in zip(xs, xs[1:]):
        for z0, z1 in zip(zs, zs[1:]):
            if not any(
                a < (x0 + x1) / 2 < b and c < (z0 + z1) / 2 < d for a, b, c, d, _ in openings
            ):
                # from its far end back, then up: by the right-hand rule its normal points inwards
                part = shapes.quad(
                    (*side.point(x1, 0), z0), (*(side.along * (x0 - x1)), 0), (0, 0, z1 - z0)
                )
                painted = lower if lower is not None and z1 <= DADO else material
                kit.builder.add(
                    shapes.Shape(
                        part.vertices,
                        part.faces,
                        part.normals,
                        # coordinates of the whole wall: the texture goes on from rectangle to
                        # rectangle
                        part.uv + [side.length - x1, z0],
                        part.curvature,
                    ),
                    painted,
                    piece,
                )
                if lower is not None and z1 == DADO:
                    kit.box(
                        (x1 - x0, 0.02, 0.05),
                        (0, 0, z1),
                        kit.white,
                        piece,
                        side.place((x0 + x1) / 2, 0.006),
                        0.01,
                    )
    doors = sorted(opening for opening in openings if opening[4] == "door")
    for start, end in zip(
        [0.0] + [door[1] for door in doors], [door[0] for door in doors] + [side.length]
    ):
        if end - start > 0.1:
            kit.box(
                (end - start, 0.02, 0.09),
                (0, 0, 0.045),
                kit.white,
                piece,
                side.place((start + end) / 2, 0.012),
                0.011,
            )
            kit.builder.add(
                cove(side, start, end, 0.045, -1), kit.white, piece, (*side.point(0, 0.024), 0.0)
            )
    for a, b, _, high, _ in doors:
        if wall in (1, 2):
            place = side.place((a + b) / 2, -WALL / 2)
            for x in (-1, 1):
                kit.box(
                    (0.07, WALL + 0.03, high),
                    (x * (b - a) / 2, 0, high / 2),
                    kit.white,
                    piece,
                    place,
                    0.03,
                )
            kit.box((b - a + 0.07, WALL + 0.03, 0.07), (0, 0, high), kit.white, piece, place, 0.03)
            if b - a < 1.0 and kit.rng.random() < 0.6:
                edge = float(kit.rng.choice([a, b]))
                leaf(
                    kit,
                    side.place(edge, 0.44).facing(side.yaw + np.pi / 2 + kit.rng.normal(0, 0.06)),
                    0.84,
                    high - 0.04,
                )


def leaf(kit: Kit, place: Placement, width: float, height: float, deep: float = 0.04) -> None:
    """Places a door leaf across x with panels and handles on both sides."""
    piece = kit.builder.object("door")
    colour = kit.one([kit.white, kit.white, *kit.woods])
    kit.box((width, deep, height), (0, 0, height / 2 + 0.01), colour, piece, place, 0.012)
    rows = kit.rng.integers(1, 4)
    tall = (height - 0.2) / rows
    for x in (-width / 4 + 0.02, width / 4 - 0.02):
        for j in range(rows):
            kit.box(
                (width / 2 - 0.16, deep + 0.025, tall - 0.14),
                (x, 0, 0.12 + tall * (j + 0.5)),
                colour,
                piece,
                place,
                0.014,
            )
    for y in (-1, 1):
        kit.put(
            shapes.ball(0.03, 8),
            kit.metal,
            piece,
            (width / 2 - 0.07, y * (deep / 2 + 0.035), 1.0),
            place,
        )


def closet(kit: Kit, place: Placement) -> None:
    """Places a closed door in its frame, on a wall."""
    piece = kit.builder.object("door")
    leaf(kit, place, 0.8, 2.0, 0.03)
    for x in (-0.43, 0.43):
        kit.box((0.07, 0.08, 2.06), (x, 0, 1.03), kit.white, piece, place, 0.015)
    kit.box((0.93, 0.08, 0.07), (0, 0, 2.06), kit.white, piece, place, 0.015)


def ceiling_lights(kit: Kit, plan: Plan) -> None:
    """Places a flat disc, a pendant over a table, or spots in a row. None lights its own ceiling
    other than by what the room reflects.
    """
    rng = kit.rng
    piece = kit.builder.object("lamp")
    x, y = (plan.x0 + plan.x1) / 2, (plan.y0 + plan.y1) / 2
    warm = (
        np.array([1.0, 0.93, 0.82])
        if plan.kind not in (*TILED, "home_office", "conference_room", "storage_room")
        else np.array([0.97, 0.98, 1.0])
    )
    power = rng.uniform(1.2, 2.4) * warm
    place = Placement(x, y, plan.height, 0.0)
    drop = 0.25
    if plan.kind in ("dining_room", "conference_room") or rng.random() < 0.25:
        drop = rng.uniform(0.55, 0.8)
        kit.put(shapes.cylinder(0.006, drop, 6), kit.dark, piece, (0, 0, -drop), place)
        kit.put(
            shapes.revolved([0.2, 0.05], [0, 0.2], 24),
            kit.one(kit.paints + [kit.white, kit.metal]),
            piece,
            (0, 0, -drop),
            place,
        )
        kit.put(shapes.ball(0.06, 14), kit.shade, piece, (0, 0, -drop + 0.06), place)
        drop += 0.08
    elif rng.random() < 0.6:
        kit.put(
            shapes.cylinder(rng.uniform(0.16, 0.26), 0.07, 26),
            kit.shade,
            piece,
            (0, 0, -0.07),
            place,
        )
    else:
        for along in np.linspace(-0.3, 0.3, 3):
            spot = (along * (plan.x1 - plan.x0), 0, -0.025)
            kit.put(shapes.cylinder(0.06, 0.024, 18), kit.shade, piece, spot, place)
            kit.builder.lights.append(
                Light((x + spot[0], y, plan.height - 0.2), 0.1, tuple(power / 3))
            )
        return
    kit.builder.lights.append(Light((x, y, plan.height - drop), 0.15, tuple(power)))
