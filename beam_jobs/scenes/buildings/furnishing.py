"""Finds places for pieces: against walls, out in the room, on the floor, on the walls."""

from __future__ import annotations

from collections.abc import Sequence

from beam_jobs.scenes.buildings import (
    appliances,
    belongings,
    clutter,
    equipment,
    furniture,
    hangings,
    tops,
)
from beam_jobs.scenes.buildings.materials import Kit, Piece, Thing
from beam_jobs.scenes.buildings.plan import Plan
from beam_jobs.scenes.buildings.scene import ORIGIN, Placement

# How often each kind of thing hangs on walls, as a share of all.
HANGINGS = {
    hangings.picture: 0.36,
    hangings.television: 0.06,
    hangings.wall_shelf: 0.16,
    hangings.gallery: 0.16,
    hangings.mirror: 0.06,
    hangings.coats: 0.12,
    hangings.clock: 0.08,
}


def attempt(
    kit: Kit, plan: Plan, piece: Piece, width: float, depth: float, tall: bool = True
) -> None:
    """Places a piece against a wall, if a place of width x depth metres is found. tall: whether it
    may not stand before a window.
    """
    spot = plan.against_wall(kit.rng, width, depth, tall=tall)
    if spot:
        piece(kit, spot)


def dresser(
    kit: Kit,
    plan: Plan,
    width: float,
    depth: float,
    height: float,
    things: int,
    kinds: Sequence[str] = tops.SITTING,
) -> None:
    """Places a cabinet against a wall, with things on it, if there is space. things: how many;
    kinds: their names in `tops.SMALL`.
    """
    spot = plan.against_wall(kit.rng, width, depth + 0.05, tall=False)
    if spot:
        tops.on_top(kit, spot, furniture.cabinet(kit, spot, width, depth, height), things, kinds)


def lie_about(kit: Kit, plan: Plan, things: Sequence[Thing], count: int) -> None:
    """Places up to `count` of `things` on the floor, two of three along the walls, turned at
    random; at most `plan.ALIKE` of a kind.
    """
    for _ in range(count):
        out = kit.rng.random() < 0.35
        thing = things[kit.rng.integers(len(things))]
        if not plan.another(thing.__name__):
            continue
        spot = (
            plan.somewhere(kit.rng, 0.45, 0.45, 0.02, around=0.05)
            if out
            else plan.against_wall(kit.rng, 0.45, 0.45, tall=False)
        )
        if spot:
            thing(kit, spot.facing(kit.rng.uniform(0, 6.28)), (0, 0, 0.01))


def plant(kit: Kit, place: Placement) -> None:
    clutter.plant(kit, place, size=kit.rng.uniform(0.9, 1.5))


def tree(kit: Kit, place: Placement) -> None:
    """Places a potted plant that is taller than a sitting person."""
    clutter.plant(kit, place, size=kit.rng.uniform(1.6, 2.1))


def cartons(kit: Kit, place: Placement) -> None:
    """Places one to three cartons on top of each other."""
    for level in range(kit.rng.integers(1, 4)):
        clutter.carton(
            kit,
            Placement(place.x, place.y, place.z + 0.3 * level, place.yaw + kit.rng.normal(0, 0.2)),
            (0, 0, 0),
            0.36,
        )


def on_floor(thing: Thing) -> Piece:
    """Returns a function that places a thing that lies about as a piece that stands
    against a wall.
    """

    def piece(kit: Kit, place: Placement) -> None:
        thing(kit, place, ORIGIN)

    return piece


# What a room may hold more of: piece, width, depth, and whether it may not stand before a window.
SPARE: dict[str, tuple[Piece, float, float, bool]] = {
    "shelf": (furniture.shelf, 0.95, 0.36, True),
    "plant": (plant, 0.5, 0.5, False),
    "tree": (tree, 0.8, 0.8, False),
    "armchair": (furniture.armchair, 1.0, 0.9, False),
    "couch": (furniture.couch, 1.95, 0.9, False),
    "bench": (furniture.bench, 1.15, 0.4, False),
    "park bench": (equipment.park_bench, 1.55, 0.5, False),
    "chair": (furniture.chair, 0.55, 0.55, False),
    "rocking chair": (equipment.rocking_chair, 0.65, 1.1, False),
    "pouf": (furniture.pouf, 0.55, 0.55, False),
    "side table": (furniture.side_table, 0.55, 0.5, False),
    "towels": (appliances.towels, 0.7, 0.1, True),
    "cartons": (cartons, 0.45, 0.45, False),
    "file cabinet": (equipment.file_cabinet, 0.5, 0.65, False),
    "washer": (equipment.washer, 0.65, 0.65, False),
    "refrigerator": (appliances.refrigerator, 0.74, 0.72, True),
    "sewing machine": (equipment.sewing_machine, 0.95, 0.55, False),
    "screen": (furniture.television, 1.6, 0.46, False),
    "piano": (equipment.piano, 1.5, 1.1, False),
    "lamp": (furniture.lamp, 0.45, 0.45, False),
    "loudspeaker": (on_floor(belongings.loudspeaker), 0.3, 0.32, False),
    "guitar": (on_floor(belongings.guitar), 0.4, 0.4, False),
    "fan": (on_floor(belongings.electric_fan), 0.42, 0.42, False),
    "heater": (on_floor(belongings.space_heater), 0.6, 0.26, False),
    "vacuum": (on_floor(belongings.vacuum), 0.35, 0.45, False),
    "ashcan": (on_floor(belongings.ashcan), 0.35, 0.35, False),
    "umbrella": (on_floor(belongings.umbrella), 0.25, 0.3, False),
    "broom": (on_floor(belongings.broom), 0.34, 0.3, False),
    "barrel": (on_floor(belongings.rain_barrel), 0.52, 0.52, False),
    "drum": (on_floor(belongings.drum), 0.42, 0.42, False),
    "basket": (on_floor(clutter.basket), 0.45, 0.45, False),
}
# Pieces of which a room holds at most `plan.ALIKE`.
LOOSE = ("basket", "cartons", "plant", "pouf", "ashcan", "barrel", "drum", "heater", "fan")


def spare(kit: Kit, plan: Plan, what: str, kinds: Sequence[str]) -> None:
    """Places one more `what` along a wall, if there is space. kinds: of small things, where it
    carries some.
    """
    if what == "dresser":
        width = kit.rng.uniform(0.6, 1.4)
        height = kit.rng.uniform(0.5, 1.0)
        dresser(kit, plan, width, 0.45, height, int(kit.rng.integers(3, 7)), kinds)
        return
    if what in LOOSE and not plan.another(what):
        return
    piece, width, depth, tall = SPARE[what]
    attempt(kit, plan, piece, width, depth, tall=tall)


def on_wall(kit: Kit, plan: Plan) -> None:
    """Hangs one of HANGINGS, such as a picture or a shelf, where the wall is bare."""
    wall = int(kit.rng.integers(4))
    width = kit.rng.uniform(0.4, 1.3)
    height = kit.rng.uniform(0.35, 0.9)
    side = plan.side(wall)
    # the upper end stays above the lower one, however short the wall is
    at = kit.rng.uniform(width / 2 + 0.15, max(side.length - width / 2 - 0.15, width / 2 + 0.16))
    if any(
        at + width / 2 + 0.1 > a and at - width / 2 - 0.1 < b for a, b, *_ in plan.openings[wall]
    ) or not plan.hang(wall, at, width):
        return
    place = side.place(at, 0.025, min(kit.rng.uniform(1.5, 1.75), plan.height - 0.5))
    piece = list(HANGINGS)[kit.rng.choice(len(HANGINGS), p=list(HANGINGS.values()))]
    piece(kit, place, width, height)
