"""Sets out small things on tops and shelves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from beam_jobs.scenes.buildings import belongings, clutter, stationery, tableware
from beam_jobs.scenes.buildings.materials import Kit, Thing
from beam_jobs.scenes.buildings.scene import ORIGIN, Placement, Top
from beam_jobs.scenes.geometry.shapes import Triple


def box(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    clutter.carton(kit, place, offset, 0.16)


SMALL: dict[str, Thing] = {
    "vase": clutter.vase,
    "bottle": clutter.bottle,
    "bowl": clutter.bowl,
    "pile": clutter.pile,
    "cup": clutter.cup,
    "papers": clutter.papers,
    "tin": clutter.tin,
    "clock": stationery.digital_clock,
    "photo": clutter.photo,
    "candles": clutter.candles,
    "plate": tableware.plate,
    "teapot": tableware.teapot,
    "coffeepot": tableware.coffeepot,
    "pitcher": tableware.pitcher,
    "goblet": tableware.goblet,
    "tray": tableware.tray,
    "frying pan": tableware.frying_pan,
    "wine": tableware.wine_bottle,
    "beer": tableware.beer_bottle,
    "banana": tableware.banana,
    "orange": tableware.orange,
    "lemon": tableware.lemon,
    "soap": tableware.soap_dispenser,
    "lotion": tableware.lotion,
    "tissue": tableware.toilet_tissue,
    "iron": tableware.iron,
    "laptop": stationery.laptop,
    "telephone": stationery.telephone,
    "remote": stationery.remote_control,
    "radio": stationery.radio,
    "envelope": stationery.envelope,
    "binder": stationery.binder,
    "hourglass": stationery.hourglass,
    "pencils": stationery.pencil_box,
    "printer": stationery.printer,
    "mouse": stationery.mouse,
    "globe": stationery.globe,
    "teddy": belongings.teddy,
    "ball": belongings.ball,
    "box": box,
}
# What is put down in rooms to sit, to eat and cook, to work, to wash and to play in.
SITTING = (
    "vase", "pile", "pile", "bottle", "wine", "goblet", "cup", "candles", "photo", "clock",
    "remote", "remote", "telephone", "radio", "hourglass", "tray", "teapot", "papers", "envelope",
    "globe", "pitcher", "orange", "laptop", "binder", "lemon", "plate", "bowl",
)  # fmt: skip
EATING = (
    "vase", "bottle", "bowl", "cup", "plate", "plate", "teapot", "coffeepot", "pitcher",
    "goblet", "tray", "frying pan", "frying pan", "wine", "beer", "banana", "orange", "lemon",
    "tin", "candles", "radio", "pile",
)  # fmt: skip
WORKING = (
    "papers", "papers", "pile", "pile", "cup", "clock", "laptop", "telephone", "envelope", "binder",
    "hourglass", "pencils", "printer", "mouse", "globe", "bottle", "photo", "coffeepot", "radio",
)  # fmt: skip
WASHING = (
    "bottle", "bottle", "soap", "soap", "lotion", "lotion", "tissue", "cup", "tin", "iron", "radio",
    "candles", "clock",
)  # fmt: skip
PLAYING = (
    "teddy", "teddy", "ball", "pile", "pile", "papers", "pencils", "globe", "clock", "radio", "cup",
    "banana", "bottle", "telephone",
)  # fmt: skip
# What stands between books, and how high it is, metres.
SHELVED = {
    "vase": 0.13, "clock": 0.08, "tin": 0.2, "photo": 0.28, "candles": 0.22, "cup": 0.11,
    "teapot": 0.18, "hourglass": 0.18, "bottle": 0.32, "pencils": 0.2, "box": 0.2, "binder": 0.31,
    "globe": 0.32, "teddy": 0.35, "ball": 0.25, "pitcher": 0.23, "bowl": 0.13, "plate": 0.05,
}  # fmt: skip


def row_of_things(
    kit: Kit, place: Placement, span: tuple[float, float], y: float, z: float, room: float
) -> None:
    """Places books side by side with things between them, from span[0] to span[1], no higher than
    `room`.
    """
    x = span[0]
    while x < span[1] - 0.13:
        choice = kit.rng.random()
        if choice < 0.82:
            long = min(kit.rng.uniform(0.07, 0.24), span[1] - x)
            tall = kit.rng.uniform(0.66, 1.0) * min(room, 0.35)
            kit.box(
                (long, kit.rng.uniform(0.16, 0.22), tall),
                (x + long / 2, y, z + tall / 2),
                kit.one(kit.spines),
                kit.builder.object("book"),
                place,
                0.018,
            )
            x += long + 0.012
            continue
        fitting = [name for name, tall in SHELVED.items() if tall <= room]
        name = str(kit.rng.choice(fitting)) if fitting else "photo"
        if name == "vase":
            clutter.vase(kit, place, (x + 0.08, y, z), min(room - 0.03, 0.2))
        else:
            SMALL[name](kit, place, (x + 0.08, y, z))
        x += 0.2


def on_top(
    kit: Kit, place: Placement, top: Top, count: int, things: Sequence[str] = SITTING
) -> None:
    """Places up to `count` + 2 small things on a top (width, depth, height), at least 14
    cm apart.
    """
    width, depth, height = top
    spots: list[tuple[float, float]] = []
    count += 2
    for _ in range(count * 5):
        spot = (kit.rng.uniform(-width / 2, width / 2), kit.rng.uniform(-depth / 2, depth / 2))
        if len(spots) < count and all(np.hypot(spot[0] - x, spot[1] - y) > 0.14 for x, y in spots):
            spots.append(spot)
            if kit.rng.random() < 0.08:
                clutter.plant(kit, place, (*spot, height), 0.45)
            else:
                SMALL[str(kit.rng.choice(things))](kit, place, (*spot, height))
