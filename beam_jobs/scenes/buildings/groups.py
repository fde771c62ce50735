"""Places groups of pieces that stand out in a room together, wherever the plan has space for them.
Every function takes (kit, plan).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from beam_jobs.scenes.buildings import clutter, furniture, stationery, tops
from beam_jobs.scenes.buildings.materials import Kit, Piece
from beam_jobs.scenes.buildings.plan import Plan
from beam_jobs.scenes.buildings.scene import Placement
from beam_jobs.scenes.geometry import shapes


def seats(kit: Kit, plan: Plan) -> None:
    """Places armchairs on either side of a low table, on a rug."""
    spot = plan.somewhere(kit.rng, 2.9, 1.2, 0.1)
    if not spot:
        return
    (x, y, _, yaw) = spot
    furniture.rug(kit, spot, 2.6, 1.8)
    tops.on_top(kit, spot, furniture.table(kit, spot, 0.8, 0.6, 0.42, "coffee table"), 4)
    for side in (-1, 1):
        furniture.armchair(
            kit,
            Placement(
                x + side * np.cos(yaw) * 1.05,
                y + side * np.sin(yaw) * 1.05,
                0.0,
                yaw - side * (np.pi / 2 + kit.rng.normal(0, 0.15)),
            ),
        )


def sofa(kit: Kit, plan: Plan) -> None:
    """Places a couch that divides the room."""
    wide = kit.rng.uniform(1.7, 2.3)
    spot = plan.somewhere(kit.rng, wide, 0.95, 0.25)
    if spot:
        furniture.rug(kit, spot, wide + 0.4, 1.7)
        furniture.couch(kit, spot, wide)


def low_table(kit: Kit, plan: Plan) -> None:
    spot = plan.somewhere(kit.rng, 1.0, 0.7, 0.2)
    if spot:
        tops.on_top(kit, spot, furniture.table(kit, spot, 0.95, 0.6, 0.5, "coffee table"), 6)


def poufs(kit: Kit, plan: Plan) -> None:
    standing(kit, plan, furniture.pouf, 0.55, 2)


def laundry(kit: Kit, plan: Plan) -> None:
    """Places baskets and heaps of clothes."""
    standing(kit, plan, clutter.basket, 0.45, 1)
    standing(kit, plan, clutter.clothes, 0.5, 1)


def island(kit: Kit, plan: Plan) -> None:
    """Places a counter to walk around, with stools at one side."""
    spot = plan.somewhere(kit.rng, 1.7, 1.5, 0.1)
    if spot:
        furniture.cabinet(kit, spot, 1.5, 0.7, 0.87)
        kit.box(
            (1.66, 0.84, 0.05), (0, 0, 0.9), kit.stone, kit.builder.object("counter"), spot, 0.024
        )
        tops.on_top(kit, spot, (1.4, 0.6, 0.925), 6, tops.EATING)
        for x in (-0.5, 0.0, 0.5):
            c, s = np.cos(spot.yaw), np.sin(spot.yaw)
            furniture.stool(
                kit, Placement(spot.x + c * x - s * 0.6, spot.y + s * x + c * 0.6, 0.0, spot.yaw)
            )


def dinner(kit: Kit, plan: Plan, width: float = 1.3, things: Sequence[str] = tops.EATING) -> None:
    """Places a table with chairs drawn up to it. width: metres; things: what may lie on it."""
    heads = width > 1.7  # chairs at the ends too
    spot = plan.somewhere(kit.rng, width + (1.3 if heads else 0.5), 1.9, 0.1)
    if not spot:
        return
    if plan.kind != "kitchen" and kit.rng.random() < 0.5:
        furniture.rug(kit, spot, width + 0.9, 2.1)
    top = furniture.table(kit, spot, width, 0.9)
    tops.on_top(kit, spot, top, int(kit.rng.integers(4, 8)), things)
    (x, y, _, yaw) = spot
    seats = 1 if width < 1.3 else 2 if width < 2.1 else 3
    for side in (-1, 1):
        for j in range(seats):
            dx, dy = (j - (seats - 1) / 2) * 0.65, side * (0.5 + kit.rng.uniform(0.0, 0.25))
            place = Placement(
                x + np.cos(yaw) * dx - np.sin(yaw) * dy,
                y + np.sin(yaw) * dx + np.cos(yaw) * dy,
                0.0,
                yaw + (0 if side > 0 else np.pi) + kit.rng.normal(0, 0.15),
            )
            furniture.chair(kit, place)
    for side in (-1, 1) if heads and top[0] > 1.2 else ():  # a round table has none
        dx = side * (width / 2 + kit.rng.uniform(0.1, 0.3))
        end = Placement(x + np.cos(yaw) * dx, y + np.sin(yaw) * dx, 0.0, yaw - side * np.pi / 2)
        furniture.chair(kit, end.turned(kit.rng.normal(0, 0.15)))


def desk(kit: Kit, plan: Plan, things: Sequence[str]) -> None:
    """Places a desk against a wall with a computer, and a chair before it."""
    place = plan.against_wall(kit.rng, 1.4, 0.7, tall=False)
    if not place:
        return
    width, _, height = furniture.table(kit, place, 1.4, 0.7, 0.74, "desk")
    furniture.screen(kit, place, (0, 0.14, height), 0.6)
    keyboard = kit.assembly("keyboard", place, (0, -0.14, height))
    keyboard.box((0.42, 0.14, 0.02), kit.dark, (0, 0, 0.01), 0.008)
    # above the case: of two surfaces in one plane a ray may meet either
    keys = shapes.quad((-0.2, -0.06, 0.0203), (0.4, 0, 0), (0, 0.12, 0))
    keyboard.put(keys, kit.keyboard, stretch=True)
    stationery.mouse(kit, place, (0.28, -0.14, height))
    for side in (-1, 1):
        offset = (side * 0.25 * width + side * 0.17, 0, 0)
        corner = Placement(*place.at(offset), place.yaw)
        tops.on_top(kit, corner, (0.2, 0.4, height), 2, things)
    if kit.rng.random() < 0.5:
        furniture.table_lamp(kit, place, (-0.55, 0.2, height))
    ahead = plan.in_front(place, 0.8, 0.5, 0.5)
    if ahead:
        turned = ahead.facing(ahead.yaw + np.pi + kit.rng.normal(0, 0.4))
        furniture.office_chair(kit, turned)


def standing(kit: Kit, plan: Plan, piece: Piece, width: float, count: int) -> None:
    """Places up to `count` pieces out in the room, turned at random; at most `plan.ALIKE` of a
    kind.
    """
    for _ in range(count):
        if not plan.another(piece.__name__):
            return
        spot = plan.somewhere(kit.rng, width, width, 0.1)
        if spot:
            piece(kit, spot.facing(kit.rng.uniform(0, 6.28)))
