"""What stands where in each kind of room, by the rules of rooms people live in; then what lies
about.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from beam_jobs.scenes.buildings import appliances, clutter, furniture, groups, hangings, shell
from beam_jobs.scenes.buildings.materials import Kit, Piece, Thing
from beam_jobs.scenes.buildings.plan import Plan
from beam_jobs.scenes.buildings.scene import Placement


def living_room(kit: Kit, plan: Plan) -> None:
    spot = plan.against_wall(kit.rng, 2.0, 0.95, tall=False, tries=40)
    if spot:
        furniture.couch(kit, spot, kit.rng.uniform(1.75, 2.2))
        ahead = plan.in_front(spot, 1.1, 1.1, 0.6)
        if ahead:
            furniture.rug(kit, ahead, kit.rng.uniform(2.4, 3.2), kit.rng.uniform(1.7, 2.2))
            things = ("pile", "cup", "bowl", "vase", "papers", "candles")
            clutter.on_top(
                kit, ahead, furniture.table(kit, ahead, 1.05, 0.58, 0.42, "coffee table"), 5, things
            )
        for way in (-1, 1):
            beside = plan.beside(spot, way * 1.4, 0.55, 0.5, 0.2)
            if beside:
                furniture.side_table(kit, beside)
    spot = plan.against_wall(kit.rng, 1.6, 0.45, tall=False)
    if spot:
        top = furniture.cabinet(kit, spot, 1.6, 0.42, 0.5)
        furniture.screen(kit, spot, (0, 0, 0.5))
        clutter.row_of_things(kit, spot, (0.6, 0.78), 0, top[2], 0.3)
    for piece, width, depth in (
        (furniture.shelf, 0.9, 0.34),
        (plant, 0.5, 0.5),
        (furniture.lamp, 0.45, 0.45),
        (furniture.shelf, 0.9, 0.34),
        (plant, 0.5, 0.5),
    ):
        attempt(kit, plan, piece, width, depth)
    attempt(
        kit, plan, lambda kit, spot: furniture.couch(kit, spot, 1.6, 0.85), 1.6, 0.9, tall=False
    )
    for _ in range(3):
        spot = plan.somewhere(kit.rng, 0.95, 0.9)
        if spot:
            furniture.armchair(kit, spot)
    groups.standing(kit, plan, furniture.pouf, 0.55, 2)
    lie_about(
        kit,
        plan,
        (clutter.toy, clutter.throw, clutter.basket, clutter.bag, clutter.cable, clutter.pile),
        7,
    )


def bedroom(kit: Kit, plan: Plan) -> None:
    spot = plan.against_wall(kit.rng, 1.7, 2.2, tall=False, tries=60)
    if spot:
        furniture.bed(kit, spot, kit.rng.uniform(1.3, 1.65))
        for way in (-1, 1):
            beside = plan.beside(spot, way * 1.12, 0.5, 0.45, 0.85)
            if beside:
                furniture.nightstand(kit, beside)
    spot = plan.against_wall(kit.rng, 1.6, 0.6)
    if spot:
        furniture.cabinet(kit, spot, 1.6, 0.58, 2.1, name="wardrobe")
    attempt(kit, plan, furniture.bench, 1.15, 0.4, tall=False)
    dresser(kit, plan, 1.1, 0.45, 0.85, 4, ("vase", "bottle", "clock", "cup", "pile"))
    spot = plan.somewhere(kit.rng, 1.8, 1.3, 0.0)
    if spot:
        furniture.rug(kit, spot, 1.8, 1.3)
    attempt(kit, plan, furniture.lamp, 0.45, 0.45)
    attempt(kit, plan, furniture.armchair, 1.0, 0.9, tall=False)
    groups.standing(kit, plan, furniture.pouf, 0.55, 1)
    lie_about(
        kit,
        plan,
        (clutter.clothes, clutter.shoes, clutter.bag, clutter.basket, clutter.throw, clutter.pile),
        8,
    )


def kitchen(kit: Kit, plan: Plan) -> None:
    for share in (1.0, 0.6):
        width = min(2.6, max(plan.x1 - plan.x0, plan.y1 - plan.y0) - 1.6) * share
        spot = plan.against_wall(kit.rng, width, 0.66, tall=True, tries=60)
        if spot:
            appliances.counter(kit, spot, width)
    attempt(kit, plan, appliances.oven, 0.62, 0.64)
    attempt(kit, plan, appliances.refrigerator, 0.74, 0.72)
    (groups.island if kit.rng.random() < 0.5 else groups.dinner)(kit, plan)
    attempt(kit, plan, furniture.shelf, 0.9, 0.34)
    attempt(kit, plan, plant, 0.5, 0.5)
    lie_about(kit, plan, (clutter.basket, clutter.carton, clutter.bag, clutter.shoes), 5)


def dining_room(kit: Kit, plan: Plan) -> None:
    groups.dinner(kit, plan, kit.rng.uniform(1.8, 2.4))
    dresser(kit, plan, 1.5, 0.45, 0.85, 7, ("vase", "bottle", "bowl", "clock", "photo", "candles"))
    attempt(kit, plan, plant, 0.5, 0.5)
    dresser(kit, plan, 0.9, 0.42, 1.4, 4, ("vase", "bowl", "cup", "photo"))
    attempt(kit, plan, furniture.shelf, 0.9, 0.34)
    attempt(kit, plan, furniture.armchair, 1.0, 0.9, tall=False)
    lie_about(kit, plan, (clutter.toy, clutter.basket, clutter.bag), 4)


def home_office(kit: Kit, plan: Plan) -> None:
    for _ in range(2):
        spot = plan.against_wall(kit.rng, 1.4, 0.7, tall=False)
        if spot:
            width, _, height = furniture.table(kit, spot, 1.4, 0.7, 0.74, "desk")
            furniture.screen(kit, spot, (0, 0.14, height), 0.6)
            kit.box(
                (0.42, 0.14, 0.02),
                (0, -0.14, height + 0.01),
                kit.dark,
                kit.builder.object("keyboard"),
                spot,
                0.008,
            )
            clutter.on_top(
                kit, spot, (width, 0.4, height), 5, ("papers", "papers", "cup", "pile", "clock")
            )
            ahead = plan.in_front(spot, 0.8, 0.5, 0.5)
            if ahead:
                furniture.office_chair(
                    kit, ahead.facing(ahead.yaw + np.pi + kit.rng.normal(0, 0.4))
                )
    for _ in range(3):
        attempt(kit, plan, furniture.shelf, 0.95, 0.36)
    dresser(kit, plan, 0.8, 0.42, 0.9, 3, ("papers", "pile", "clock", "vase"))
    lie_about(
        kit, plan, (clutter.carton, clutter.pile, clutter.cable, clutter.basket, clutter.bag), 7
    )


def bathroom(kit: Kit, plan: Plan) -> None:
    attempt(kit, plan, appliances.bathtub, 1.7, 0.8, tall=False)
    attempt(kit, plan, appliances.toilet, 0.5, 0.8)
    attempt(kit, plan, appliances.washstand, 0.9, 0.52, tall=True)
    for _ in range(2):
        attempt(kit, plan, appliances.towels, 0.7, 0.1)
    for size in ((0.9, 0.6), (0.7, 0.5)):
        spot = plan.somewhere(kit.rng, *size, 0.05)
        if spot:
            furniture.rug(kit, spot, *size)
    attempt(
        kit,
        plan,
        lambda kit, spot: furniture.cabinet(kit, spot, 0.5, 0.35, 1.6, kit.white),
        0.5,
        0.4,
    )
    lie_about(kit, plan, (clutter.clothes, clutter.basket, clutter.shoes), 4)


WALLS = (
    0.42,
    0.22,
    0.16,
    0.08,
    0.12,
)  # shares of pictures, shelves, small pictures in rows, mirrors, coats


def attempt(
    kit: Kit, plan: Plan, piece: Piece, width: float, depth: float, tall: bool = True
) -> None:
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
    kinds: Sequence[str] = tuple(clutter.SMALL),
) -> None:
    spot = plan.against_wall(kit.rng, width, depth + 0.05, tall=False)
    if spot:
        clutter.on_top(kit, spot, furniture.cabinet(kit, spot, width, depth, height), things, kinds)


def lie_about(kit: Kit, plan: Plan, things: Sequence[Thing], count: int) -> None:
    """up to `count` of `things` on the floor, two of three along the walls, turned anyhow; few of a
    kind.
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


def cartons(kit: Kit, place: Placement) -> None:
    for level in range(kit.rng.integers(1, 4)):
        clutter.carton(
            kit,
            Placement(place.x, place.y, place.z + 0.3 * level, place.yaw + kit.rng.normal(0, 0.2)),
            (0, 0, 0),
            0.36,
        )


FURNISH = {
    "living_room": living_room,
    "bedroom": bedroom,
    "kitchen": kitchen,
    "dining_room": dining_room,
    "home_office": home_office,
    "bathroom": bathroom,
}
MIDDLE = {
    "living_room": (groups.seats, groups.sofa, groups.dinner, groups.poufs),
    "bedroom": (groups.seats, groups.low_table, groups.poufs, groups.laundry),
    "kitchen": (groups.dinner, groups.low_table, groups.island),
    "dining_room": (groups.dinner, groups.sofa, groups.seats),
    "home_office": (groups.sofa, groups.low_table, groups.seats, groups.dinner),
    "bathroom": (groups.laundry,),
}
SPARE = {
    "living_room": ("shelf", "plant", "armchair", "dresser", "pouf", "side table", "couch"),
    "bedroom": ("dresser", "armchair", "plant", "bench", "side table"),
    "kitchen": ("dresser", "chair", "plant", "shelf"),
    "dining_room": ("dresser", "chair", "shelf", "plant", "side table"),
    "home_office": ("shelf", "chair", "cartons", "plant", "armchair", "side table", "couch"),
    "bathroom": ("basket", "plant", "dresser", "towels", "bench", "towels"),
}
LOOSE = ("basket", "cartons", "plant", "pouf")


def fill(kit: Kit, plan: Plan) -> None:
    """a closed door, pieces in the middle, one more of the room's kind for every 2 square metres,
    things on walls, radiators below windows.
    """
    area = (plan.x1 - plan.x0) * (plan.y1 - plan.y0)
    attempt(kit, plan, shell.closet, 0.95, 0.06)
    for _ in range(int(area / 6)):
        MIDDLE[plan.kind][kit.rng.integers(len(MIDDLE[plan.kind]))](kit, plan)
    for _ in range(int(area / 2)):
        spare(kit, plan, str(kit.rng.choice(SPARE[plan.kind])))
    for wall in range(4):
        for a, b, low, _, what in list(plan.openings[wall]):
            if what == "window" and low > 0.7:
                side = plan.side(wall)
                furniture.radiator(kit, side.place((a + b) / 2, 0.07), min(b - a, 1.0))
    for _ in range(int(kit.rng.integers(16, 26)) if plan.kind != "bathroom" else 5):
        on_wall(kit, plan)


def spare(kit: Kit, plan: Plan, what: str) -> None:
    if what == "dresser":
        dresser(
            kit,
            plan,
            kit.rng.uniform(0.6, 1.4),
            0.45,
            kit.rng.uniform(0.5, 1.0),
            int(kit.rng.integers(3, 7)),
        )
    elif what == "couch":
        attempt(kit, plan, furniture.couch, 1.95, 0.9, tall=False)
    else:
        if what in LOOSE and not plan.another(what):
            return
        piece, width, depth = {
            "shelf": (furniture.shelf, 0.95, 0.36),
            "plant": (plant, 0.5, 0.5),
            "armchair": (furniture.armchair, 1.0, 0.9),
            "bench": (furniture.bench, 1.15, 0.4),
            "chair": (furniture.chair, 0.55, 0.55),
            "pouf": (furniture.pouf, 0.55, 0.55),
            "side table": (furniture.side_table, 0.55, 0.5),
            "towels": (appliances.towels, 0.7, 0.1),
            "cartons": (cartons, 0.45, 0.45),
            "basket": (clutter.basket, 0.45, 0.45),
        }[what]
        attempt(kit, plan, piece, width, depth, tall=what in ("shelf", "towels"))


def on_wall(kit: Kit, plan: Plan) -> None:
    """a picture, a clock or a shelf where the wall is bare."""
    wall = int(kit.rng.integers(4))
    width = kit.rng.uniform(0.4, 1.3)
    height = kit.rng.uniform(0.35, 0.9)
    what = kit.rng.random()
    side = plan.side(wall)
    at = kit.rng.uniform(width / 2 + 0.15, max(side.length - width / 2 - 0.15, width / 2 + 0.16))
    if any(
        at + width / 2 + 0.1 > a and at - width / 2 - 0.1 < b for a, b, *_ in plan.openings[wall]
    ) or not plan.hang(wall, at, width):
        return
    place = side.place(at, 0.025, min(kit.rng.uniform(1.5, 1.75), plan.height - 0.5))
    if what < 0.08:
        hangings.clock(kit, place)
    else:
        piece = (
            hangings.picture,
            hangings.wall_shelf,
            hangings.gallery,
            hangings.mirror,
            hangings.coats,
        )[kit.rng.choice(5, p=WALLS)]
        piece(kit, place, width, height)
