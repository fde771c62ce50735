"""A seeded building: two to four rooms in a grid that share walls, with doorways, windows, curtains, lamps and furniture by kind of room."""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes import furniture, shapes, textures
from beam_jobs.scenes.plan import WALL, Plan, doorways
from beam_jobs.scenes.scene import Builder, Light, Room, Scene

KINDS = ("living_room", "bedroom", "kitchen", "dining_room", "home_office", "bathroom")


def building(seed: int) -> Scene:
    """the same scene for the same seed."""
    builder = Builder(np.random.default_rng(seed))
    rng, kit = builder.rng, furniture.Kit(builder)
    height, count = rng.uniform(2.4, 3.1), int(rng.integers(2, 5))
    columns = 2 if count > 2 else count
    widths, depths = rng.uniform(3.4, 6.6, columns), rng.uniform(3.2, 6.0, -(-count // columns))
    kinds = rng.permutation(KINDS)[:count]
    plans = []
    for i, kind in enumerate(kinds):
        column, row = i % columns, i // columns
        x, y = widths[:column].sum() + WALL * column, depths[:row].sum() + WALL * row
        plans.append(Plan(str(kind), x, y, x + widths[column], y + depths[row], height))
    doorways(plans, columns, rng)
    for plan in plans:
        windows(kit, plan)
        shell(kit, plan)
        ceiling_lights(kit, plan)
        FURNISH[plan.kind](kit, plan)
        fill(kit, plan)
        builder.rooms.append(Room(plan.kind, (plan.x0, plan.y0, 0.0), (plan.x1, plan.y1, height)))
    return builder.finished()


def windows(kit, plan: Plan) -> None:
    """openings in outer walls with a bright picture behind, a frame, and sometimes curtains of folded cloth."""
    rng, builder = kit.rng, kit.builder
    frame = kit.white
    for wall in plan.outer_walls():
        side = plan.side(wall)
        if rng.random() > (0.8 if not plan.has("window") else 0.4) or side.length < 1.8:
            continue
        width, low = min(rng.uniform(0.9, 2.4), side.length - 0.8), float(rng.choice([0.45, 0.85, 0.9])) if plan.kind != "bathroom" else 1.3
        high, at = min(plan.height - 0.25, low + rng.uniform(1.0, 1.5)), rng.uniform(width / 2 + 0.3, side.length - width / 2 - 0.3)
        plan.openings[wall].append((at - width / 2, at + width / 2, low, high, "window"))
        piece = builder.object("window")
        outside = builder.material(textures.outdoor(rng), glow=rng.uniform(1.6, 2.4))
        corner = side.point(at + width / 2, -0.16)
        builder.add(shapes.quad((*corner, low), (*(-side.along * width), 0), (0, 0, high - low)), outside, piece, stretch=True)
        place = (*side.point(at, -0.07), 0.0, side.yaw)
        for x in (-width / 2, 0, width / 2):
            kit.box((0.05, 0.16 if x else 0.05, high - low), (x, 0, (low + high) / 2), frame, piece, place, 0.008)
        for z in (low, high):
            kit.box((width + 0.08, 0.2, 0.05), (0, 0, z), frame, piece, place, 0.012)
        builder.lights.append(
            Light((*side.point(at, 0.05), (low + high) / 2), width / 2, tuple(rng.uniform(1.2, 2.0) * width * (high - low) * np.array([0.92, 0.97, 1.06])))
        )
        if rng.random() < 0.6:
            curtains(kit, side, at, width, low, high)


def curtains(kit, side, at, width, low, high) -> None:
    cloth, piece = kit.one(kit.fabrics), kit.builder.object("curtain")
    for x in (-1, 1):
        wide, bottom = kit.rng.uniform(0.3, 0.55), low - 0.15 if low > 0.6 else 0.02
        u, v = np.meshgrid(np.linspace(0, 1, 40), np.linspace(bottom, high + 0.15, 5), indexing="ij")
        fold = 0.035 * np.sin(u * 2 * np.pi * wide / 0.11)
        points = np.stack([x * (width / 2 + 0.05) + (u - 0.5) * wide, fold, v], -1)
        kit.put(shapes.from_lattice(points), cloth, piece, (0, 0, 0), (*side.point(at, 0.09), 0.0, side.yaw))


def shell(kit, plan: Plan) -> None:
    """walls around their openings, floor, ceiling, baseboards, door frames, and concave 3 cm fillets in the edges."""
    rng, builder = kit.rng, kit.builder
    paint = textures.tinted(rng, [(0.86, 0.84, 0.8), (0.8, 0.82, 0.84), (0.75, 0.7, 0.6), (0.62, 0.7, 0.72), (0.7, 0.62, 0.62)][rng.integers(5)])
    style = rng.integers(8)
    if plan.kind == "bathroom":
        walls = builder.material(textures.tiles(rng, paint, 0.75), 0.8)
    elif style == 0:
        walls = builder.material(textures.stripes(rng, paint, paint * 0.9), 0.8)
    elif style == 1:
        walls = builder.material(textures.dots(rng, paint, paint * 0.75), 0.8)
    elif style == 2:
        walls = builder.material(textures.bricks(rng, textures.tinted(rng, (0.6, 0.35, 0.27))), 1.2)
    else:
        walls = builder.material(textures.plain(rng, paint, 0.02), 1.5)
    wood = [(0.55, 0.38, 0.22), (0.7, 0.55, 0.38), (0.35, 0.24, 0.16)][rng.integers(3)]
    ground = (
        builder.material(textures.tiles(rng, textures.tinted(rng, (0.72, 0.68, 0.62), 0.1)), 1.4)
        if plan.kind in ("kitchen", "bathroom")
        else builder.material(textures.planks(rng, textures.tinted(rng, wood)), 1.1)
        if rng.random() < 0.7
        else builder.material(textures.granite(rng, textures.tinted(rng, (0.55, 0.5, 0.45))), 0.4)
    )
    above = builder.material(textures.plain(rng, textures.tinted(rng, (0.93, 0.93, 0.92), 0.015)), 1.5)
    wall_piece, floor_piece, ceiling_piece = builder.object("wall"), builder.object("floor"), builder.object("ceiling")
    for wall in range(4):
        panels(kit, plan, wall, walls, wall_piece)
    size = (plan.x1 - plan.x0, plan.y1 - plan.y0)
    builder.add(uneven(rng, size), ground, floor_piece, (plan.x0 - WALL / 2, plan.y0 - WALL / 2, 0))
    builder.add(shapes.quad((0, size[1], 0), (size[0], 0, 0), (0, -size[1], 0)), above, ceiling_piece, (plan.x0, plan.y0, plan.height))
    for x, sx in ((plan.x0, 1), (plan.x1, -1)):
        for y, sy in ((plan.y0, 1), (plan.y1, -1)):
            builder.add(fillet(plan.height, (sx, sy)), walls, wall_piece, (x, y, 0))


def uneven(rng, size) -> shapes.Shape:
    """a floor that undulates by a few millimetres, as scanned floors do, reaching half under the walls."""
    nx, ny = (int(side / 0.25) + 3 for side in size)
    u, v = np.meshgrid(np.linspace(0, size[0] + WALL, nx), np.linspace(0, size[1] + WALL, ny), indexing="ij")
    waves = 0.004 * np.sin(u * rng.uniform(1, 3) + v * rng.uniform(1, 3)) - 0.004
    return shapes.from_lattice(np.stack([u, v, waves], -1))


def fillet(length: float, quadrant, radius: float = 0.03) -> shapes.Shape:
    """a concave quarter cylinder along z in a corner: curvature (-1/r, 0)."""
    t, z = np.meshgrid(np.linspace(0, np.pi / 2, 6), [0.0, length], indexing="ij")
    points = np.stack([quadrant[0] * radius * (1 - np.cos(t)), quadrant[1] * radius * (1 - np.sin(t)), z], -1)
    normals = np.stack([quadrant[0] * np.cos(t), quadrant[1] * np.sin(t), 0 * z], -1)
    return shapes.sheet(points, normals, np.stack([t * radius, z], -1), np.stack([np.full_like(t, -1 / radius), 0 * t], -1))


def panels(kit, plan: Plan, wall: int, material: int, piece: int) -> None:
    """the wall as rectangles around its openings, a baseboard, and frames of doorways (once, from the first of two rooms)."""
    side, openings = plan.side(wall), plan.openings[wall]
    xs = sorted({0.0, side.length, *(edge for opening in openings for edge in opening[:2])})
    zs = sorted({0.0, plan.height, *(edge for opening in openings for edge in opening[2:4] if 0 < edge < plan.height)})
    for x0, x1 in zip(xs, xs[1:]):
        for z0, z1 in zip(zs, zs[1:]):
            if not any(a < (x0 + x1) / 2 < b and c < (z0 + z1) / 2 < d for a, b, c, d, _ in openings):
                part = shapes.quad((*side.point(x1, 0), z0), (*(side.along * (x0 - x1)), 0), (0, 0, z1 - z0))
                kit.builder.add(shapes.Shape(part.vertices, part.faces, part.normals, part.uv + [side.length - x1, z0], part.curvature), material, piece)
    doors = sorted(opening for opening in openings if opening[4] == "door")
    for start, end in zip([0.0] + [door[1] for door in doors], [door[0] for door in doors] + [side.length]):
        if end - start > 0.1:
            kit.box((end - start, 0.02, 0.1), (0, 0, 0.05), kit.white, piece, (*side.point((start + end) / 2, 0.01), 0.0, side.yaw), 0.006)
    for a, b, _, high, _ in doors:
        if wall in (1, 2):
            place = (*side.point((a + b) / 2, -WALL / 2), 0.0, side.yaw)
            for x in (-1, 1):
                kit.box((0.05, WALL + 0.05, high), (x * (b - a) / 2, 0, high / 2), kit.white, piece, place, 0.012)
            kit.box((b - a + 0.05, WALL + 0.05, 0.05), (0, 0, high), kit.white, piece, place, 0.012)


def ceiling_lights(kit, plan: Plan) -> None:
    rng, piece = kit.rng, kit.builder.object("lamp")
    x, y, drop = (plan.x0 + plan.x1) / 2, (plan.y0 + plan.y1) / 2, float(rng.choice([0.12, 0.6]))
    kit.put(shapes.ball(0.16), kit.shade, piece, (0, 0, -drop), (x, y, plan.height, 0.0))
    if drop > 0.2:
        kit.put(shapes.cylinder(0.006, drop, 6), kit.dark, piece, (0, 0, -drop), (x, y, plan.height, 0.0))
    kit.builder.lights.append(Light((x, y, plan.height - drop - 0.2), 0.2, tuple(rng.uniform(1.6, 3.0) * np.array([1.0, 0.93, 0.8]))))


def living_room(kit, plan: Plan) -> None:
    spot = plan.against_wall(kit.rng, 1.9, 0.9, tall=False)
    if spot:
        furniture.couch(kit, spot)
        ahead = plan.in_front(spot, 1.1, 1.1, 0.6)
        if ahead:
            furniture.clutter(kit, ahead, furniture.table(kit, ahead, 1.05, 0.55, 0.42, "coffee table"), 3)
            furniture.rug(kit, ahead, 2.2, 1.5)
    spot = plan.against_wall(kit.rng, 1.5, 0.45, tall=False)
    if spot:
        furniture.cabinet(kit, spot, 1.5, 0.42, 0.5)
        furniture.screen(kit, spot, (0, 0, 0.5))
    for piece, width, depth in ((furniture.shelf, 0.9, 0.34), (furniture.plant, 0.5, 0.5), (furniture.lamp, 0.45, 0.45)):
        attempt(kit, plan, piece, width, depth)
    spot = plan.somewhere(kit.rng, 0.95, 0.9)
    if spot:
        furniture.couch(kit, spot, 0.95, 0.85)


def bedroom(kit, plan: Plan) -> None:
    attempt(kit, plan, furniture.bed, 1.65, 2.1, tall=False)
    for _ in range(2):
        dresser(kit, plan, 0.5, 0.4, 0.55, 2)
    spot = plan.against_wall(kit.rng, 1.6, 0.6)
    if spot:
        furniture.cabinet(kit, spot, 1.6, 0.58, 2.1, name="wardrobe")
    dresser(kit, plan, 1.1, 0.45, 0.85, 3)
    spot = plan.somewhere(kit.rng, 1.6, 1.1, 0.0)
    if spot:
        furniture.rug(kit, spot, 1.6, 1.1)
    attempt(kit, plan, furniture.lamp, 0.45, 0.45)


def kitchen(kit, plan: Plan) -> None:
    width = min(2.4, max(plan.x1 - plan.x0, plan.y1 - plan.y0) - 1.6)
    spot = plan.against_wall(kit.rng, width, 0.66, tall=False, tries=60)
    if spot:
        furniture.counter(kit, spot, width)
    attempt(kit, plan, furniture.oven, 0.62, 0.64)
    attempt(kit, plan, furniture.refrigerator, 0.74, 0.72)
    dinner(kit, plan, 1.2)


def dining_room(kit, plan: Plan) -> None:
    dinner(kit, plan, 1.8)
    dresser(kit, plan, 1.5, 0.45, 0.85, 4)
    attempt(kit, plan, furniture.plant, 0.5, 0.5)
    attempt(kit, plan, furniture.shelf, 0.9, 0.34)


def home_office(kit, plan: Plan) -> None:
    spot = plan.against_wall(kit.rng, 1.4, 0.7, tall=False)
    if spot:
        width, _, height = furniture.table(kit, spot, 1.4, 0.7, 0.74, "desk")
        furniture.screen(kit, spot, (0, 0.12, height), 0.6)
        furniture.clutter(kit, spot, (width, 0.3, height), 3)
        ahead = plan.in_front(spot, 0.8, 0.5, 0.5)
        if ahead:
            furniture.chair(kit, (*ahead[:3], ahead[3] + np.pi + kit.rng.normal(0, 0.3)))
    for _ in range(2):
        attempt(kit, plan, furniture.shelf, 0.95, 0.36)
    dresser(kit, plan, 0.8, 0.42, 0.9, 2)
    attempt(kit, plan, furniture.plant, 0.5, 0.5)


def bathroom(kit, plan: Plan) -> None:
    attempt(kit, plan, furniture.toilet, 0.5, 0.8)
    attempt(kit, plan, furniture.bathtub, 1.7, 0.8, tall=False)
    spot = plan.against_wall(kit.rng, 0.9, 0.52, tall=False)
    if spot:
        furniture.cabinet(kit, spot, 0.9, 0.5, 0.82, kit.white)
        furniture.sink(kit, spot, (0, -0.02, 0.825))
        furniture.bottle(kit, spot, (0.3, 0.1, 0.82))
    spot = plan.somewhere(kit.rng, 0.9, 0.6, 0.05)
    if spot:
        furniture.rug(kit, spot, 0.9, 0.55)


FURNISH = {"living_room": living_room, "bedroom": bedroom, "kitchen": kitchen, "dining_room": dining_room, "home_office": home_office, "bathroom": bathroom}


def attempt(kit, plan: Plan, piece, width: float, depth: float, tall: bool = True) -> None:
    spot = plan.against_wall(kit.rng, width, depth, tall=tall)
    if spot:
        piece(kit, spot)


def dresser(kit, plan: Plan, width, depth, height, things) -> None:
    spot = plan.against_wall(kit.rng, width, depth + 0.05, tall=False)
    if spot:
        furniture.clutter(kit, spot, furniture.cabinet(kit, spot, width, depth, height), things)


def dinner(kit, plan: Plan, width: float) -> None:
    """a table with chairs drawn up to it."""
    spot = plan.somewhere(kit.rng, width + 0.5, 1.9, 0.1)
    if not spot:
        return
    furniture.clutter(kit, spot, furniture.table(kit, spot, width, 0.9), int(kit.rng.integers(2, 5)))
    x, y, _, yaw = spot
    for side in (-1, 1):
        for j in range(2 if width > 1.3 else 1):
            dx, dy = (j - (0.5 if width > 1.3 else 0)) * 0.65, side * (0.45 + kit.rng.uniform(0.0, 0.25))
            furniture.chair(
                kit,
                (
                    x + np.cos(yaw) * dx - np.sin(yaw) * dy,
                    y + np.sin(yaw) * dx + np.cos(yaw) * dy,
                    0.0,
                    yaw + (0 if side > 0 else np.pi) + kit.rng.normal(0, 0.15),
                ),
            )


def fill(kit, plan: Plan) -> None:
    """clutter that every lived-in room has: one more piece for every 5 square metres, and things on the walls."""
    for _ in range(int((plan.x1 - plan.x0) * (plan.y1 - plan.y0) / 5)):
        choice = kit.rng.integers(4)
        if choice == 0:
            attempt(kit, plan, furniture.shelf, 0.95, 0.36)
        elif choice == 1:
            dresser(kit, plan, kit.rng.uniform(0.6, 1.4), 0.45, kit.rng.uniform(0.5, 1.0), int(kit.rng.integers(2, 6)))
        elif choice == 2:
            attempt(kit, plan, furniture.plant, 0.5, 0.5)
        else:
            spot = plan.somewhere(kit.rng, 0.55, 0.55, 0.2)
            if spot:
                furniture.chair(kit, (*spot[:3], kit.rng.uniform(0, 6.28)))
    for _ in range(int(kit.rng.integers(2, 6))):
        wall, width, height = int(kit.rng.integers(4)), kit.rng.uniform(0.35, 0.95), kit.rng.uniform(0.3, 0.7)
        side = plan.side(wall)
        at = kit.rng.uniform(width / 2 + 0.15, side.length - width / 2 - 0.15)
        if any(at + width / 2 + 0.1 > a and at - width / 2 - 0.1 < b for a, b, *_ in plan.openings[wall]):
            continue
        place = (*side.point(at, 0.025), min(1.65, plan.height - 0.5), side.yaw)
        furniture.clock(kit, place) if kit.rng.random() < 0.2 else furniture.picture(kit, place, width, height)
