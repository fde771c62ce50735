"""Places what is eaten, drunk and cooked from, fruit, and what is washed with. Functions take (kit,
place, offset), where offset is the middle of the thing's underside, in the frame of what carries
it.
"""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes.buildings.materials import Kit
from beam_jobs.scenes.buildings.scene import ORIGIN, Placement
from beam_jobs.scenes.geometry import shapes, soft
from beam_jobs.scenes.geometry.shapes import Triple
from models.tasks.arrays import Floats


def bow(radius: float, height: float, out: float) -> Floats:
    """Returns the [7, 3] path of a handle: out of a vessel of `radius` by `out` metres and back."""
    t = np.linspace(-np.pi / 2, np.pi / 2, 7)
    return np.stack([radius + out * np.cos(t), 0 * t, height * (0.5 + 0.35 * np.sin(t))], -1)


def plate(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    """Places a plate, or a few on top of each other."""
    thing = kit.assembly("plate", place, offset)
    glaze = kit.one(kit.ceramics)
    radius = kit.rng.uniform(0.09, 0.14)
    for level in range(int(kit.rng.choice([1, 1, 4]))):
        rise = 0.009 * level
        thing.put(shapes.revolved([0.55 * radius, radius], [0, 0.018], 16), glaze, (0, 0, rise))
        top = shapes.revolved([radius, 0.6 * radius, 0], [0.018, 0.006, 0.006], 16)
        thing.put(top, glaze, (0, 0, rise))


def teapot(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("teapot", place, offset)
    glaze = kit.one(kit.ceramics + kit.paints[:2])
    t = np.linspace(-np.pi / 2, np.pi / 2, 8)
    thing.put(shapes.revolved(0.085 * np.cos(t) ** 0.7, 0.075 + 0.075 * np.sin(t), 14), glaze)
    thing.put(shapes.ball(0.014, 6), glaze, (0, 0, 0.16))
    thing.tube([(0.07, 0, 0.05), (0.12, 0, 0.08), (0.15, 0, 0.13)], 0.013, glaze)
    thing.tube(-bow(0.08, 0.15, 0.05) * [1, 1, -1], 0.007, glaze)


def coffeepot(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("coffeepot", place, offset)
    skin = kit.one([kit.metal, kit.white, *kit.paints[:2]])
    thing.put(shapes.cone(0.075, 0.045, 0.2, 12), skin)
    thing.put(shapes.cone(0.045, 0.012, 0.03, 12), kit.dark, (0, 0, 0.2))
    thing.tube([(0.05, 0, 0.12), (0.1, 0, 0.19)], 0.01, skin)
    thing.tube(-bow(0.06, 0.2, 0.05) * [1, 1, -1], 0.008, kit.dark)


def pitcher(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("pitcher", place, offset)
    glaze = kit.one(kit.ceramics + kit.glass[2:])
    t = np.linspace(0, 1, 8)
    radius = 0.06 + 0.025 * np.sin(2.4 * t)
    thing.put(shapes.revolved(radius, 0.22 * t, 14), glaze)
    thing.put(shapes.revolved([radius[-1] * 0.95, 0.05, 0], [0.22, 0.1, 0.1], 14), glaze)
    thing.tube(bow(0.075, 0.22, 0.05), 0.008, glaze)


def goblet(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    """Places one or two glasses on stems."""
    thing = kit.assembly("goblet", place, offset)
    for x in (-0.045, 0.05)[: int(kit.rng.integers(1, 3))]:
        profile = ([0.033, 0.004, 0.004, 0.03, 0.036, 0.03], [0, 0.004, 0.08, 0.1, 0.13, 0.17])
        thing.put(shapes.revolved(*profile, 12), kit.glass[2], (x, 0, 0))


def tray(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    """Places a tray with two cups."""
    thing = kit.assembly("tray", place, offset)
    wood = kit.one([*kit.woods, kit.metal, kit.white])
    thing.box((0.36, 0.25, 0.012), wood, (0, 0, 0.006), 0.005)
    for y in (-0.12, 0.12):
        thing.box((0.36, 0.012, 0.04), wood, (0, y, 0.02), 0.005)
    for x in (-0.175, 0.175):
        thing.box((0.012, 0.25, 0.05), wood, (x, 0, 0.025), 0.005)
    for x in (-0.08, 0.07):
        thing.put(shapes.cylinder(0.035, 0.07, 10), kit.one(kit.ceramics), (x, 0.02, 0.012))


def frying_pan(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("frying pan", place, offset)
    iron = kit.one([kit.dark, kit.dark, kit.metal])
    thing.put(shapes.revolved([0.1, 0.13], [0, 0.045], 16), iron)
    thing.put(shapes.revolved([0.128, 0.1, 0], [0.045, 0.008, 0.008], 16), iron)
    thing.tube([(0.12, 0, 0.035), (0.22, 0, 0.05), (0.31, 0, 0.055)], 0.011, kit.dark)


def wine_bottle(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    glass_bottle(kit, place, offset, "wine bottle", 0.038, 0.3)


def beer_bottle(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    for x in (-0.04, 0.045, 0.12)[: int(kit.rng.integers(1, 4))]:
        spot = np.add(offset, (x, kit.rng.normal(0, 0.02), 0))
        glass_bottle(kit, place, spot, "beer bottle", 0.031, 0.23)


def glass_bottle(
    kit: Kit, place: Placement, offset: Triple, name: str, radius: float, height: float
) -> None:
    """Places a bottle with straight shoulders and a paper label."""
    thing = kit.assembly(name, place, offset)
    share = np.array([0, 0, 0.6, 0.72, 1.0, 1.0])
    width = np.array([0, 1, 1, 0.36, 0.34, 0])
    thing.put(shapes.revolved(radius * width, height * share, 12), kit.one(kit.glass[:2]))
    label = shapes.revolved([radius + 0.001] * 2, [height * 0.15, height * 0.42], 12)
    thing.put(label, kit.one([kit.papers, *kit.paints]), stretch=True)


def banana(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("banana", place, offset)
    t = np.linspace(-0.9, 0.9, 7)
    for lean in (-0.25, 0.0, 0.25):
        path = [
            (0.11 * np.sin(s), 0.03 * lean + 0.06 * (1 - np.cos(s)), 0.02 + 0.04 * abs(lean))
            for s in t
        ]
        thing.tube(path, 0.017, kit.yellow)


def orange(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    fruit(kit, place, offset, "orange", kit.orange, 0.039)


def lemon(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    fruit(kit, place, offset, "lemon", kit.yellow, 0.03)


def fruit(kit: Kit, place: Placement, offset: Triple, name: str, peel: int, radius: float) -> None:
    """Places a few round fruits that lie close together."""
    thing = kit.assembly(name, place, offset)
    for turn in np.arange(int(kit.rng.integers(2, 5))) * 2.1:
        spot = (1.2 * radius * np.cos(turn), 1.2 * radius * np.sin(turn), radius)
        thing.put(shapes.ball(radius, 8), peel, spot)


def soap_dispenser(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("soap dispenser", place, offset)
    thing.put(shapes.cylinder(0.035, 0.12, 12), kit.one(kit.ceramics + kit.paints))
    thing.tube([(0, 0, 0.12), (0, 0, 0.17), (0, -0.045, 0.175)], 0.007, kit.metal)


def lotion(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("lotion", place, offset)
    for x in (-0.04, 0.04):
        tall = kit.rng.uniform(0.1, 0.17)
        thing.box((0.055, 0.035, tall), kit.one([kit.white, *kit.paints]), (x, 0, tall / 2), 0.015)
        thing.put(shapes.cylinder(0.014, 0.03, 8), kit.white, (x, 0, tall))


def toilet_tissue(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("toilet paper", place, offset)
    for level in range(int(kit.rng.integers(1, 4))):
        thing.put(shapes.cylinder(0.055, 0.1, 14), kit.white, (0, 0, 0.102 * level))


def iron(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    """Places an iron that lies on its sole."""
    thing = kit.assembly("iron", place, offset)
    body = kit.one([kit.white, *kit.paints])
    thing.put(soft.pillow(kit.rng, (0.055, 0.125, 0.04), 0.8, 0, 12), body, (0, 0, 0.04))
    thing.tube([(0, -0.07, 0.06), (0, -0.05, 0.13), (0, 0.08, 0.13), (0, 0.1, 0.06)], 0.014, body)
