"""What stands where in each kind of room, by the rules of rooms people live in; then what lies about."""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes import appliances, clutter, furniture
from beam_jobs.scenes.plan import Plan


def living_room(kit, plan: Plan) -> None:
    spot = plan.against_wall(kit.rng, 2.0, 0.95, tall=False, tries=40)
    if spot:
        furniture.couch(kit, spot, kit.rng.uniform(1.75, 2.2))
        ahead = plan.in_front(spot, 1.1, 1.1, 0.6)
        if ahead:
            furniture.rug(kit, ahead, 2.6, 1.7)
            clutter.on_top(kit, ahead, furniture.table(kit, ahead, 1.05, 0.58, 0.42, "coffee table"), 4, ("pile", "cup", "bowl", "vase", "papers"))
    spot = plan.against_wall(kit.rng, 1.6, 0.45, tall=False)
    if spot:
        top = furniture.cabinet(kit, spot, 1.6, 0.42, 0.5)
        furniture.screen(kit, spot, (0, 0, 0.5))
        clutter.row_of_things(kit, spot, (0.6, 0.78), 0, top[2], 0.3)
    for piece, width, depth in ((furniture.shelf, 0.9, 0.34), (clutter.plant, 0.5, 0.5), (furniture.lamp, 0.45, 0.45), (clutter.plant, 0.5, 0.5)):
        attempt(kit, plan, piece, width, depth)
    spot = plan.somewhere(kit.rng, 0.95, 0.9)
    if spot:
        furniture.couch(kit, spot, 0.95, 0.85)
    lie_about(kit, plan, (clutter.toy, clutter.throw, clutter.basket, clutter.bag, clutter.cable), 8)


def bedroom(kit, plan: Plan) -> None:
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
    dresser(kit, plan, 1.1, 0.45, 0.85, 4, ("vase", "bottle", "clock", "cup", "pile"))
    spot = plan.somewhere(kit.rng, 1.6, 1.1, 0.0)
    if spot:
        furniture.rug(kit, spot, 1.6, 1.1)
    attempt(kit, plan, furniture.lamp, 0.45, 0.45)
    lie_about(kit, plan, (clutter.clothes, clutter.shoes, clutter.bag, clutter.basket, clutter.clothes), 9)


def kitchen(kit, plan: Plan) -> None:
    for share in (1.0, 0.6):
        width = min(2.6, max(plan.x1 - plan.x0, plan.y1 - plan.y0) - 1.6) * share
        spot = plan.against_wall(kit.rng, width, 0.66, tall=True, tries=60)
        if spot:
            appliances.counter(kit, spot, width)
    attempt(kit, plan, appliances.oven, 0.62, 0.64)
    attempt(kit, plan, appliances.refrigerator, 0.74, 0.72)
    dinner(kit, plan, 1.2)
    lie_about(kit, plan, (clutter.basket, clutter.carton, clutter.bag), 7)


def dining_room(kit, plan: Plan) -> None:
    dinner(kit, plan, 1.8)
    dresser(kit, plan, 1.5, 0.45, 0.85, 6, ("vase", "bottle", "bowl", "clock"))
    attempt(kit, plan, clutter.plant, 0.5, 0.5)
    dresser(kit, plan, 0.9, 0.42, 1.4, 4, ("vase", "bowl", "cup"))


def home_office(kit, plan: Plan) -> None:
    for _ in range(2):
        spot = plan.against_wall(kit.rng, 1.4, 0.7, tall=False)
        if spot:
            width, _, height = furniture.table(kit, spot, 1.4, 0.7, 0.74, "desk")
            furniture.screen(kit, spot, (0, 0.14, height), 0.6)
            kit.box((0.42, 0.14, 0.02), (0, -0.14, height + 0.01), kit.dark, kit.builder.object("keyboard"), spot, 0.008)
            clutter.on_top(kit, spot, (width, 0.4, height), 5, ("papers", "papers", "cup", "pile", "clock"))
            ahead = plan.in_front(spot, 0.8, 0.5, 0.5)
            if ahead:
                furniture.office_chair(kit, (*ahead[:3], ahead[3] + np.pi + kit.rng.normal(0, 0.4)))
    for _ in range(3):
        attempt(kit, plan, furniture.shelf, 0.95, 0.36)
    dresser(kit, plan, 0.8, 0.42, 0.9, 3, ("papers", "pile", "clock", "vase"))
    lie_about(kit, plan, (clutter.carton, clutter.pile, clutter.cable, clutter.basket, clutter.bag, clutter.carton), 9)


def bathroom(kit, plan: Plan) -> None:
    attempt(kit, plan, appliances.bathtub, 1.7, 0.8, tall=False)
    attempt(kit, plan, appliances.toilet, 0.5, 0.8)
    attempt(kit, plan, appliances.washstand, 0.9, 0.52, tall=True)
    for _ in range(2):
        attempt(kit, plan, appliances.towels, 0.7, 0.1)
    for size in ((0.9, 0.6), (0.7, 0.5)):
        spot = plan.somewhere(kit.rng, *size, 0.05)
        if spot:
            furniture.rug(kit, spot, *size)
    attempt(kit, plan, lambda kit, spot: furniture.cabinet(kit, spot, 0.5, 0.35, 1.6, kit.white), 0.5, 0.4)
    lie_about(kit, plan, (clutter.clothes, clutter.basket, clutter.basket), 7)


FURNISH = {"living_room": living_room, "bedroom": bedroom, "kitchen": kitchen, "dining_room": dining_room, "home_office": home_office, "bathroom": bathroom}
SPARE = {
    "living_room": ("shelf", "plant", "armchair", "dresser"),
    "bedroom": ("dresser", "armchair", "plant"),
    "kitchen": ("dresser", "chair", "plant"),
    "dining_room": ("dresser", "chair", "shelf", "plant"),
    "home_office": ("shelf", "chair", "cartons", "plant"),
    "bathroom": ("basket", "plant", "dresser", "towels"),
}


def attempt(kit, plan: Plan, piece, width: float, depth: float, tall: bool = True) -> None:
    spot = plan.against_wall(kit.rng, width, depth, tall=tall)
    if spot:
        piece(kit, spot)


def dresser(kit, plan: Plan, width, depth, height, things, kinds=tuple(clutter.SMALL)) -> None:
    spot = plan.against_wall(kit.rng, width, depth + 0.05, tall=False)
    if spot:
        clutter.on_top(kit, spot, furniture.cabinet(kit, spot, width, depth, height), things, kinds)


def dinner(kit, plan: Plan, width: float) -> None:
    """a table with chairs drawn up to it."""
    spot = plan.somewhere(kit.rng, width + 0.5, 1.9, 0.1)
    if not spot:
        return
    clutter.on_top(kit, spot, furniture.table(kit, spot, width, 0.9), int(kit.rng.integers(3, 7)), ("bowl", "cup", "bottle", "vase", "papers"))
    (x, y, _, yaw), seats = spot, 2 if width > 1.3 else 1
    for side in (-1, 1):
        for j in range(seats):
            dx, dy = (j - (seats - 1) / 2) * 0.65, side * (0.5 + kit.rng.uniform(0.0, 0.25))
            place = (x + np.cos(yaw) * dx - np.sin(yaw) * dy, y + np.sin(yaw) * dx + np.cos(yaw) * dy, 0.0)
            furniture.chair(kit, (*place, yaw + (0 if side > 0 else np.pi) + kit.rng.normal(0, 0.15)))


def lie_about(kit, plan: Plan, things, count: int) -> None:
    """up to `count` of `things` on the floor, wherever there is space, turned anyhow."""
    for _ in range(count):
        spot = plan.somewhere(kit.rng, 0.45, 0.45, 0.02, around=0.05)
        if spot:
            things[kit.rng.integers(len(things))](kit, (*spot[:3], kit.rng.uniform(0, 6.28)), (0, 0, 0.01))


def cartons(kit, place) -> None:
    for level in range(kit.rng.integers(1, 4)):
        clutter.carton(kit, (*place[:2], place[2] + 0.3 * level, place[3] + kit.rng.normal(0, 0.2)), (0, 0, 0), 0.36)


def fill(kit, plan: Plan) -> None:
    """one more piece of the room's kind for every 3 square metres, things on the walls, radiators below windows."""
    for _ in range(int((plan.x1 - plan.x0) * (plan.y1 - plan.y0) / 3)):
        spare(kit, plan, str(kit.rng.choice(SPARE[plan.kind])))
    for wall in range(4):
        for a, b, low, _, what in list(plan.openings[wall]):
            if what == "window" and low > 0.7:
                side = plan.side(wall)
                furniture.radiator(kit, (*side.point((a + b) / 2, 0.07), 0.0, side.yaw), min(b - a, 1.0))
    for _ in range(int(kit.rng.integers(6, 13)) if plan.kind != "bathroom" else 3):
        on_wall(kit, plan)


def spare(kit, plan: Plan, what: str) -> None:
    if what == "dresser":
        dresser(kit, plan, kit.rng.uniform(0.6, 1.4), 0.45, kit.rng.uniform(0.5, 1.0), int(kit.rng.integers(3, 7)))
    elif what == "armchair":
        attempt(kit, plan, lambda kit, spot: furniture.couch(kit, spot, 0.95, 0.85), 1.0, 0.9, tall=False)
    elif what == "chair":
        spot = plan.somewhere(kit.rng, 0.55, 0.55, 0.2)
        if spot:
            furniture.chair(kit, (*spot[:3], kit.rng.uniform(0, 6.28)))
    else:
        piece, width, depth = {
            "shelf": (furniture.shelf, 0.95, 0.36),
            "plant": (clutter.plant, 0.5, 0.5),
            "towels": (appliances.towels, 0.7, 0.1),
            "cartons": (cartons, 0.45, 0.45),
            "basket": (clutter.basket, 0.45, 0.45),
        }[what]
        attempt(kit, plan, piece, width, depth)


def on_wall(kit, plan: Plan) -> None:
    """a picture, a clock or a shelf where the wall is bare."""
    wall, width, height, what = int(kit.rng.integers(4)), kit.rng.uniform(0.35, 1.1), kit.rng.uniform(0.3, 0.75), kit.rng.random()
    side = plan.side(wall)
    at = kit.rng.uniform(width / 2 + 0.15, max(side.length - width / 2 - 0.15, width / 2 + 0.16))
    if any(at + width / 2 + 0.1 > a and at - width / 2 - 0.1 < b for a, b, *_ in plan.openings[wall]) or not plan.hang(wall, at, width):
        return
    place = (*side.point(at, 0.025), min(kit.rng.uniform(1.5, 1.75), plan.height - 0.5), side.yaw)
    if what < 0.2:
        furniture.clock(kit, place)
    elif what < 0.4:
        furniture.wall_shelf(kit, place, width)
    else:
        furniture.picture(kit, place, width, height)
