"""Furnishes each kind of room by the rules of rooms that people live and work in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from beam_jobs.scenes.buildings import (
    appliances,
    belongings,
    clutter,
    equipment,
    furniture,
    groups,
    shell,
    tops,
)
from beam_jobs.scenes.buildings.furnishing import attempt, dresser, lie_about, on_wall, plant, spare
from beam_jobs.scenes.buildings.materials import Kit, Thing
from beam_jobs.scenes.buildings.plan import Plan
from beam_jobs.scenes.buildings.scene import Placement

Furnish = Callable[[Kit, Plan], None]
SMALL, MEDIUM, LARGE = range(3)


@dataclass(frozen=True)
class RoomKind:
    """A kind of room. furnish: places what makes it one; middle: groups that stand out in it;
    spare: what else stands along its walls; tops: what lies on tables and dressers; about: what
    lies on its floor; size: which rooms of a building it gets; hung: about how many things hang on
    its walls; likely: how often it is built, relative to others.
    """

    furnish: Furnish
    middle: tuple[Furnish, ...]
    spare: tuple[str, ...]
    tops: tuple[str, ...]
    about: tuple[Thing, ...]
    size: int = MEDIUM
    hung: int = 18
    likely: float = 2.0


def living_room(kit: Kit, plan: Plan) -> None:
    seating(kit, plan)
    attempt(kit, plan, furniture.television, 1.6, 0.46, tall=False)
    attempt(kit, plan, furniture.bookshelves, 1.7, 0.36)
    attempt(kit, plan, furniture.shelf, 0.9, 0.34)
    for _ in range(2):
        attempt(kit, plan, plant, 0.5, 0.5)
    attempt(kit, plan, furniture.lamp, 0.45, 0.45)
    attempt(kit, plan, furniture.couch, 1.95, 0.9, tall=False)
    for _ in range(3):
        spot = plan.somewhere(kit.rng, 0.95, 0.9)
        if spot:
            furniture.armchair(kit, spot)
    groups.standing(kit, plan, furniture.pouf, 0.55, 2)


def seating(kit: Kit, plan: Plan) -> None:
    """Places a couch against a wall, in two of three cases a corner couch where there is space for
    one, and what belongs before it.
    """
    width, deep = furniture.CORNER
    corner = kit.rng.random() < 0.67
    place = plan.against_wall(kit.rng, width, deep, tall=False, tries=40) if corner else None
    if place:
        furniture.corner_couch(kit, place)
        before_the_couch(kit, plan, place, deep / 2 + 0.55)
        return
    wide = kit.rng.uniform(1.8, 2.5)
    place = plan.against_wall(kit.rng, wide + 0.05, 0.95, tall=False, tries=40)
    if place:
        furniture.couch(kit, place, wide)
        before_the_couch(kit, plan, place)


def before_the_couch(kit: Kit, plan: Plan, couch: Placement, far: float = 1.1) -> None:
    """Places a rug and a low table `far` metres before a couch, and small tables beside it."""
    ahead = plan.in_front(couch, far, 1.1, 0.6)
    if ahead:
        furniture.rug(kit, ahead, kit.rng.uniform(2.4, 3.2), kit.rng.uniform(1.7, 2.2))
        top = furniture.table(kit, ahead, 1.05, 0.58, 0.42, "coffee table")
        tops.on_top(kit, ahead, top, 6, tops.SITTING)
    for way in (-1, 1):
        beside = plan.beside(couch, way * 1.62, 0.55, 0.5, 0.2)
        if beside:
            furniture.side_table(kit, beside)


def bedroom(kit: Kit, plan: Plan) -> None:
    sleeping(kit, plan, 2.0, kit.rng.uniform(1.5, 1.95))
    wardrobe(kit, plan)
    attempt(kit, plan, furniture.bench, 1.15, 0.4, tall=False)
    attempt(kit, plan, furniture.shelf, 0.9, 0.34)
    dresser(kit, plan, 1.1, 0.45, 0.85, 5, tops.SITTING)
    attempt(kit, plan, furniture.television, 1.6, 0.46, tall=False)
    spot = plan.somewhere(kit.rng, 1.8, 1.3, 0.0)
    if spot:
        furniture.rug(kit, spot, 1.8, 1.3)
    attempt(kit, plan, furniture.lamp, 0.45, 0.45)
    attempt(kit, plan, furniture.armchair, 1.0, 0.9, tall=False)


def sleeping(kit: Kit, plan: Plan, room: float, width: float) -> None:
    """Places a bed against a wall, with nightstands beside it. room: width in metres of the place
    that is looked for; width: of the bed.
    """
    place = plan.against_wall(kit.rng, room, 2.2, tall=False, tries=60)
    if not place:
        return
    furniture.bed(kit, place, width)
    for way in (-1, 1):
        beside = plan.beside(place, way * (width / 2 + 0.32), 0.5, 0.45, 0.85)
        if beside:
            furniture.nightstand(kit, beside)


def wardrobe(kit: Kit, plan: Plan) -> None:
    place = plan.against_wall(kit.rng, 1.6, 0.6)
    if place:
        furniture.cabinet(kit, place, 1.6, 0.58, 2.1, name="wardrobe")


def childs_room(kit: Kit, plan: Plan) -> None:
    for _ in range(int(kit.rng.integers(1, 3))):
        sleeping(kit, plan, 1.2, kit.rng.uniform(0.9, 1.1))
    attempt(kit, plan, equipment.bunk_bed, 1.1, 2.15)
    groups.desk(kit, plan, tops.PLAYING)
    wardrobe(kit, plan)
    for _ in range(2):
        attempt(kit, plan, furniture.shelf, 0.9, 0.34)
    spot = plan.somewhere(kit.rng, 1.8, 1.3, 0.0)
    if spot:
        furniture.rug(kit, spot, 1.8, 1.3)


def nursery(kit: Kit, plan: Plan) -> None:
    for _ in range(2):
        attempt(kit, plan, equipment.crib, 1.4, 0.8, tall=False)
    attempt(kit, plan, equipment.rocking_chair, 0.65, 1.1, tall=False)
    sleeping(kit, plan, 1.2, 0.95)
    wardrobe(kit, plan)
    dresser(kit, plan, 1.1, 0.5, 0.85, 5, tops.PLAYING)
    attempt(kit, plan, furniture.couch, 1.95, 0.9, tall=False)


def kitchen(kit: Kit, plan: Plan) -> None:
    for share in (1.0, 0.6):
        width = min(2.6, max(plan.x1 - plan.x0, plan.y1 - plan.y0) - 1.6) * share
        spot = plan.against_wall(kit.rng, width, 0.66, tall=True, tries=60)
        if spot:
            appliances.counter(kit, spot, width)
    attempt(kit, plan, appliances.oven, 0.62, 0.64)
    attempt(kit, plan, appliances.refrigerator, 0.74, 0.72)
    (groups.island if kit.rng.random() < 0.5 else groups.dinner)(kit, plan)
    groups.dinner(kit, plan)
    attempt(kit, plan, furniture.shelf, 0.9, 0.34)
    attempt(kit, plan, plant, 0.5, 0.5)


def dining_room(kit: Kit, plan: Plan) -> None:
    groups.dinner(kit, plan, kit.rng.uniform(1.8, 2.4))
    dresser(kit, plan, 1.5, 0.45, 0.85, 7, tops.EATING)
    attempt(kit, plan, plant, 0.5, 0.5)
    dresser(kit, plan, 0.9, 0.42, 1.4, 4, tops.EATING)
    attempt(kit, plan, furniture.shelf, 0.9, 0.34)
    attempt(kit, plan, furniture.armchair, 1.0, 0.9, tall=False)


def conference_room(kit: Kit, plan: Plan) -> None:
    groups.dinner(kit, plan, kit.rng.uniform(2.4, 3.0), tops.WORKING)
    attempt(kit, plan, furniture.television, 1.6, 0.46, tall=False)
    dresser(kit, plan, 1.5, 0.45, 0.85, 6, tops.WORKING)
    attempt(kit, plan, furniture.bookshelves, 1.7, 0.36)
    for _ in range(2):
        attempt(kit, plan, plant, 0.5, 0.5)
        attempt(kit, plan, furniture.chair, 0.55, 0.55, tall=False)


def home_office(kit: Kit, plan: Plan) -> None:
    for _ in range(3):
        groups.desk(kit, plan, tops.WORKING)
    for _ in range(2):
        attempt(kit, plan, furniture.bookshelves, 1.7, 0.36)
    attempt(kit, plan, furniture.shelf, 0.95, 0.36)
    attempt(kit, plan, equipment.file_cabinet, 0.5, 0.65, tall=False)
    attempt(kit, plan, furniture.couch, 1.95, 0.9, tall=False)
    dresser(kit, plan, 0.8, 0.42, 0.9, 3, tops.WORKING)


def bathroom(kit: Kit, plan: Plan) -> None:
    attempt(kit, plan, appliances.bathtub, 1.7, 0.8, tall=False)
    attempt(kit, plan, appliances.toilet, 0.5, 0.8)
    for _ in range(2):
        attempt(kit, plan, appliances.washstand, 0.9, 0.52, tall=True)
        attempt(kit, plan, appliances.towels, 0.7, 0.1)
    for size in ((0.9, 0.6), (0.7, 0.5)):
        spot = plan.somewhere(kit.rng, *size, 0.05)
        if spot:
            furniture.rug(kit, spot, *size)
    spot = plan.against_wall(kit.rng, 0.5, 0.4)
    if spot:
        furniture.cabinet(kit, spot, 0.5, 0.35, 1.6, kit.white)


def utility_room(kit: Kit, plan: Plan) -> None:
    for _ in range(3):
        attempt(kit, plan, equipment.washer, 0.65, 0.65, tall=False)
    width = kit.rng.uniform(1.2, 1.9)
    spot = plan.against_wall(kit.rng, width, 0.66, tall=True, tries=40)
    if spot:
        appliances.counter(kit, spot, width)
    attempt(kit, plan, appliances.refrigerator, 0.74, 0.72)
    attempt(kit, plan, equipment.sewing_machine, 0.95, 0.55, tall=False)
    attempt(kit, plan, appliances.towels, 0.7, 0.1)
    for _ in range(2):
        attempt(kit, plan, furniture.shelf, 0.9, 0.4)


def storage_room(kit: Kit, plan: Plan) -> None:
    for _ in range(4):
        attempt(kit, plan, furniture.shelf, 0.95, 0.4)
    attempt(kit, plan, appliances.refrigerator, 0.74, 0.72)
    attempt(kit, plan, equipment.file_cabinet, 0.5, 0.65, tall=False)
    for _ in range(2):
        attempt(kit, plan, furniture.chair, 0.55, 0.55, tall=False)
    attempt(kit, plan, furniture.couch, 1.95, 0.9, tall=False)


def television_room(kit: Kit, plan: Plan) -> None:
    attempt(kit, plan, furniture.television, 1.6, 0.46, tall=False)
    for _ in range(2):
        seating(kit, plan)
    groups.sofa(kit, plan)
    attempt(kit, plan, furniture.bookshelves, 1.7, 0.36)


def recreation_room(kit: Kit, plan: Plan) -> None:
    spot = plan.somewhere(kit.rng, 2.2, 1.3, 0.3)
    if spot:
        equipment.pool_table(kit, spot)
    attempt(kit, plan, equipment.piano, 1.5, 1.1, tall=False)
    attempt(kit, plan, furniture.bookshelves, 1.7, 0.36)
    attempt(kit, plan, furniture.television, 1.6, 0.46, tall=False)
    for _ in range(2):
        attempt(kit, plan, furniture.couch, 1.95, 0.9, tall=False)
        attempt(kit, plan, furniture.chair, 0.55, 0.55, tall=False)


def waiting_room(kit: Kit, plan: Plan) -> None:
    for _ in range(2):
        attempt(kit, plan, equipment.park_bench, 1.55, 0.5, tall=False)
        attempt(kit, plan, furniture.couch, 1.95, 0.9, tall=False)
    for _ in range(6):
        attempt(kit, plan, furniture.chair, 0.55, 0.55, tall=False)
    groups.desk(kit, plan, tops.WORKING)
    groups.low_table(kit, plan)
    attempt(kit, plan, furniture.television, 1.6, 0.46, tall=False)
    for _ in range(2):
        attempt(kit, plan, plant, 0.5, 0.5)


LIVED_IN = ("plant", "tree", "tree", "armchair", "armchair", "couch", "couch", "dresser",
            "side table", "shelf", "shelf", "lamp", "fan", "guitar", "loudspeaker",
            "rocking chair", "umbrella", "heater")  # fmt: skip
WORKED_IN = ("shelf", "tree", "chair", "chair", "plant", "couch", "file cabinet", "ashcan", "fan",
             "heater", "umbrella", "cartons", "side table")  # fmt: skip
SLEPT_IN = ("dresser", "tree", "armchair", "plant", "bench", "side table", "shelf", "fan", "heater",
            "loudspeaker", "guitar", "drum", "basket")  # fmt: skip
HOUSEWORK = ("ashcan", "broom", "vacuum", "heater", "fan", "barrel", "basket", "cartons", "chair",
             "shelf", "dresser", "washer")  # fmt: skip
TIDY = (clutter.basket, clutter.bag, belongings.backpack, clutter.pile, clutter.shoes,
        belongings.crate, clutter.cable, belongings.dumbbell, clutter.throw)  # fmt: skip
PLAYTHINGS = (belongings.ball, belongings.teddy, clutter.toy, belongings.drum, belongings.tricycle,
              belongings.backpack, clutter.clothes, clutter.shoes, belongings.crate)  # fmt: skip
HOUSEHOLD = (belongings.bucket, belongings.crate, clutter.carton, clutter.basket, clutter.clothes,
             belongings.suitcase, belongings.ashcan, clutter.shoes, clutter.bag)  # fmt: skip
ROOMS = {
    "living_room": RoomKind(
        living_room,
        (groups.seats, groups.sofa, groups.dinner, groups.poufs),
        (*LIVED_IN, "piano"),
        tops.SITTING,
        (*TIDY, belongings.ball, belongings.teddy),
        LARGE,
    ),
    "bedroom": RoomKind(
        bedroom,
        (groups.seats, groups.low_table, groups.poufs, groups.laundry),
        SLEPT_IN,
        tops.SITTING,
        (*TIDY, clutter.clothes, belongings.suitcase),
        likely=3.0,
    ),
    "kitchen": RoomKind(
        kitchen,
        (groups.dinner, groups.low_table, groups.island),
        ("dresser", "chair", "plant", "shelf", "ashcan", "broom", "side table"),
        tops.EATING,
        (belongings.crate, belongings.bucket, clutter.basket, clutter.carton, clutter.bag),
    ),
    "dining_room": RoomKind(
        dining_room,
        (groups.dinner, groups.sofa, groups.seats),
        (
            "dresser",
            "chair",
            "chair",
            "plant",
            "tree",
            "side table",
            "couch",
            "lamp",
            "loudspeaker",
        ),
        tops.EATING,
        TIDY,
    ),
    "home_office": RoomKind(
        home_office,
        (groups.sofa, groups.low_table, groups.seats, groups.dinner),
        WORKED_IN,
        tops.WORKING,
        (*TIDY, clutter.carton, belongings.ashcan),
    ),
    "bathroom": RoomKind(
        bathroom,
        (groups.laundry,),
        ("basket", "plant", "dresser", "towels", "bench", "towels", "ashcan", "heater"),
        tops.WASHING,
        (clutter.clothes, clutter.basket, clutter.shoes, belongings.bucket),
        SMALL,
        5,
        1.0,
    ),
    "childs_room": RoomKind(
        childs_room,
        (groups.poufs, groups.low_table, groups.seats),
        (*SLEPT_IN, "chair"),
        tops.PLAYING,
        PLAYTHINGS,
        likely=3.0,
    ),
    "nursery": RoomKind(
        nursery,
        (groups.poufs, groups.seats),
        ("rocking chair", "dresser", "armchair", "plant", "basket", "fan", "heater", "side table"),
        tops.PLAYING,
        PLAYTHINGS,
    ),
    "utility_room": RoomKind(
        utility_room, (groups.laundry,), HOUSEWORK, tops.WASHING, HOUSEHOLD, SMALL, 8, 1.0
    ),
    "storage_room": RoomKind(
        storage_room,
        (groups.laundry, groups.low_table),
        (*HOUSEWORK, "umbrella", "drum", "guitar", "loudspeaker"),
        tops.WORKING,
        (*HOUSEHOLD, belongings.tricycle, belongings.dumbbell),
        SMALL,
        8,
        1.0,
    ),
    "conference_room": RoomKind(
        conference_room,
        (groups.dinner, groups.seats),
        WORKED_IN,
        tops.WORKING,
        (clutter.bag, belongings.backpack, clutter.cable, belongings.ashcan),
        LARGE,
    ),
    "television_room": RoomKind(
        television_room,
        (groups.sofa, groups.seats, groups.poufs),
        (*LIVED_IN, "pouf"),
        tops.SITTING,
        (*TIDY, belongings.ball),
    ),
    "recreation_room": RoomKind(
        recreation_room,
        (groups.seats, groups.sofa, groups.dinner),
        (*LIVED_IN, "drum", "bench"),
        tops.SITTING,
        (belongings.ball, belongings.dumbbell, belongings.backpack, clutter.shoes, clutter.cable),
        LARGE,
    ),
    "waiting_room": RoomKind(
        waiting_room,
        (groups.seats, groups.low_table),
        (
            "park bench",
            "tree",
            "chair",
            "chair",
            "plant",
            "umbrella",
            "ashcan",
            "heater",
            "side table",
        ),
        tops.SITTING,
        (clutter.bag, belongings.backpack, belongings.suitcase, belongings.teddy),
        LARGE,
    ),
}


def furnish(kit: Kit, plan: Plan) -> None:
    """Furnishes a room: what makes it its kind; then a closed door, pieces in its middle, more
    along the walls (one for every 2 square metres), what lies about, radiators below windows,
    things on walls.
    """
    kind = ROOMS[plan.kind]
    area = (plan.x1 - plan.x0) * (plan.y1 - plan.y0)
    kind.furnish(kit, plan)
    attempt(kit, plan, shell.closet, 0.95, 0.06)
    for _ in range(int(area / 4)):
        kind.middle[kit.rng.integers(len(kind.middle))](kit, plan)
    for _ in range(int(area / 2)):
        spare(kit, plan, str(kit.rng.choice(kind.spare)), kind.tops)
    lie_about(kit, plan, kind.about, int(area / 2.5))
    radiators(kit, plan)
    for _ in range(int(kind.hung * kit.rng.uniform(0.8, 1.3))):
        on_wall(kit, plan)


def radiators(kit: Kit, plan: Plan) -> None:
    """Places a radiator below every window that leaves space for it."""
    for wall in range(4):
        side = plan.side(wall)
        for a, b, low, _, what in plan.openings[wall]:
            if what == "window" and low > 0.7:
                furniture.radiator(kit, side.place((a + b) / 2, 0.07), min(b - a, 1.0))
