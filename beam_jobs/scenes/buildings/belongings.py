"""Places what stands about on floors and in corners: balls, bags, cleaning things, small machines,
musical instruments. Every function takes (kit, place, offset), as those of `tableware` do.
"""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes.buildings.materials import FLAT, Kit
from beam_jobs.scenes.buildings.scene import ORIGIN, Placement
from beam_jobs.scenes.geometry import shapes, soft
from beam_jobs.scenes.geometry.shapes import Triple


def ball(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    """Places a soccer ball or a basketball."""
    soccer = kit.rng.random() < 0.5
    thing = kit.assembly("soccer ball" if soccer else "basketball", place, offset)
    radius = 0.11 if soccer else 0.12
    thing.put(shapes.ball(radius, 16), kit.spotted if soccer else kit.orange, (0, 0, radius))


def teddy(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    """Places a bear that sits: body, head, ears, limbs."""
    thing = kit.assembly("teddy bear", place, offset)
    fur = kit.one(kit.cloths + kit.woods[:1])
    for spot, radius in (
        ((0, 0, 0.1), 0.1),
        ((0, -0.01, 0.24), 0.075),
        ((0.06, 0, 0.31), 0.028),
        ((-0.06, 0, 0.31), 0.028),
        ((0.08, -0.1, 0.04), 0.045),
        ((-0.08, -0.1, 0.04), 0.045),
    ):
        thing.put(shapes.ball(radius, 12), fur, spot)


def bucket(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("bucket", place, offset)
    skin = kit.one([kit.metal, *kit.paints])
    thing.put(shapes.revolved([0.1, 0.14], [0, 0.26], 16), skin)
    thing.put(shapes.revolved([0.138, 0.1, 0], [0.26, 0.02, 0.02], 16), skin)
    t = np.linspace(0, np.pi, 9)
    thing.tube(
        np.stack([0.14 * np.cos(t), 0.08 * np.sin(t), 0.25 + 0.08 * np.sin(t)], -1),
        0.004,
        kit.metal,
    )


def ashcan(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    """Places a waste bin, with or without a lid."""
    thing = kit.assembly("ashcan", place, offset)
    skin = kit.one([kit.metal, kit.dark, kit.white, kit.grey])
    tall = kit.rng.uniform(0.3, 0.6)
    thing.put(shapes.revolved([0.13, 0.15], [0, tall], 18), skin)
    if kit.rng.random() < 0.6:
        t = np.linspace(0, np.pi / 2, 5)
        thing.put(shapes.revolved(0.155 * np.cos(t), tall + 0.06 * np.sin(t), 18), skin)
    else:
        thing.put(shapes.revolved([0.148, 0.13, 0], [tall, 0.1, 0.1], 18), kit.dark)


def umbrella(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    """Places an umbrella that is rolled up in a stand."""
    thing = kit.assembly("umbrella", place, offset)
    cloth = kit.one(kit.fabrics + [kit.dark])
    lean = shapes.turned_back(0.12)
    thing.put(shapes.cone(0.01, 0.05, 0.6, 10).oriented(lean), cloth, (0, 0, 0.05))
    thing.tube([(0, 0.07, 0.64), (0, 0.1, 0.84), (0, 0.06, 0.88), (0, 0.02, 0.85)], 0.01, kit.dark)
    thing.put(shapes.revolved([0.1, 0.1], [0, 0.4], 14), kit.one([kit.metal, kit.dark]))


def crate(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    """Places a box of slats, with crumpled things in it."""
    thing = kit.assembly("crate", place, offset)
    wood = kit.one(kit.woods[:3] + kit.paints[:1])
    for z in (0.05, 0.14, 0.23):
        for y in (-0.15, 0.15):
            thing.box((0.44, 0.012, 0.065), wood, (0, y, z), 0.004)
        for x in (-0.214, 0.214):
            thing.box((0.012, 0.3, 0.065), wood, (x, 0, z), 0.004)
    thing.box((0.42, 0.29, 0.015), wood, (0, 0, 0.02), 0.004)
    thing.put(soft.heap(kit.rng, 0.16, 0.12), kit.one(kit.fabrics + [kit.cardboard]), (0, 0, 0.1))


def electric_fan(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    """Places a fan on a foot; its head is a cage with blades."""
    thing = kit.assembly("electric fan", place, offset)
    skin = kit.one([kit.white, kit.dark, kit.metal])
    high = kit.rng.uniform(0.35, 0.75)
    thing.put(shapes.cone(0.17, 0.1, 0.03, 16), skin)
    thing.put(shapes.cylinder(0.015, high, 8), skin, (0, 0, 0.02))
    for y in (-0.09, 0.0):
        for radius in (0.07, 0.13, 0.19):
            thing.put(shapes.ring(radius, 0.004, 16).oriented(FLAT), skin, (0, y, high + 0.15))
    thing.put(shapes.cylinder(0.05, 0.12, 12).oriented(FLAT), skin, (0, 0.06, high + 0.15))
    for turn in np.arange(3) * 2.1:
        ahead = np.array([np.cos(turn), 0, np.sin(turn)])
        blade = shapes.quad((0, 0, 0), 0.16 * ahead, (-0.09 * ahead[2], 0.03, 0.09 * ahead[0]))
        thing.put(blade, skin, (0, -0.06, high + 0.15))


def space_heater(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("space heater", place, offset)
    skin = kit.one([kit.white, kit.grey])
    for x in np.linspace(-0.2, 0.2, 7):
        thing.box((0.03, 0.14, 0.5), skin, (x, 0, 0.33), 0.014)
    thing.box((0.07, 0.15, 0.5), kit.dark, (0.26, 0, 0.33), 0.014)
    for x in (-0.16, 0.16):
        thing.box((0.04, 0.24, 0.05), kit.dark, (x, 0, 0.03), 0.012)


def loudspeaker(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("loudspeaker", place, offset)
    tall = kit.rng.uniform(0.35, 0.95)
    thing.box((0.24, 0.26, tall), kit.one([kit.dark, *kit.woods[:2]]), (0, 0, tall / 2), 0.012)
    for z, radius in ((0.35 * tall, 0.085), (0.75 * tall, 0.05)):
        thing.put(shapes.ring(radius, 0.01, 16).oriented(FLAT), kit.metal, (0, -0.132, z))
        cone = shapes.revolved([radius, 0.02], [0, -0.02], 14).oriented(FLAT)
        thing.put(cone, kit.dark, (0, -0.133, z))


def guitar(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    """Places a guitar that leans back."""
    thing = kit.assembly("guitar", place, offset)
    wood = kit.one(kit.woods[:3] + kit.lacquers)
    lean = shapes.turned_back(0.18)
    for z, radius in ((0.2, 0.18), (0.44, 0.14)):
        body = shapes.cylinder(radius, 0.09, 20).oriented(FLAT).placed((0, 0.045, z))
        thing.put(body.oriented(lean), wood)
    hole = shapes.cylinder(0.05, 0.004, 14).oriented(FLAT).placed((0, -0.046, 0.38))
    thing.put(hole.oriented(lean), kit.dark)
    neck = shapes.rounded_box((0.05, 0.03, 0.5), 0.01, 1).placed((0, -0.04, 0.78))
    thing.put(neck.oriented(lean), kit.woods[1])
    head = shapes.rounded_box((0.08, 0.025, 0.14), 0.01, 1).placed((0, -0.03, 1.08))
    thing.put(head.oriented(lean), kit.woods[1])


def vacuum(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    """Places an upright vacuum cleaner."""
    thing = kit.assembly("vacuum", place, offset)
    skin = kit.one(kit.paints + [kit.dark])
    thing.box((0.28, 0.2, 0.09), skin, (0, -0.1, 0.05), 0.03)
    lean = shapes.turned_back(0.2)
    thing.put(shapes.cylinder(0.09, 0.5, 14).oriented(lean), skin, (0, 0, 0.08))
    thing.tube([(0, 0.11, 0.56), (0, 0.2, 1.0), (0, 0.16, 1.08)], 0.013, kit.dark)


def dumbbell(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("dumbbell", place, offset)
    side = shapes.cylinder(0.05, 0.045, 12).oriented(np.array([[0, 0, 1.0], [0, 1, 0], [-1, 0, 0]]))
    for y in (-0.08, 0.08):
        thing.tube([(-0.09, y, 0.05), (0.09, y, 0.05)], 0.013, kit.metal)
        for x in (-0.13, 0.085):
            thing.put(side, kit.dark, (x, y, 0.05))


def backpack(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("backpack", place, offset)
    cloth = kit.one(kit.cloths + kit.brights + [kit.dark])
    thing.put(soft.pillow(kit.rng, (0.16, 0.1, 0.23), 0.5, 0.06, 14), cloth, (0, 0, 0.23))
    thing.put(soft.pillow(kit.rng, (0.12, 0.05, 0.1), 0.5, 0.05, 12), cloth, (0, -0.11, 0.14))
    for x in (-0.08, 0.08):
        thing.tube([(x, 0.07, 0.4), (x, 0.15, 0.28), (x, 0.08, 0.08)], 0.016, kit.dark)


def drum(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("drum", place, offset)
    high = kit.rng.uniform(0.25, 0.5)
    thing.put(shapes.revolved([0.18, 0.18], [0, high], 22), kit.one(kit.paints + kit.woods[:2]))
    thing.put(shapes.revolved([0.18, 0], [high, high], 22), kit.white)
    for z in (0.02, high - 0.01):
        thing.put(shapes.ring(0.18, 0.012, 20), kit.metal, (0, 0, z))


def broom(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("broom", place, offset)
    lean = shapes.turned_back(0.1)
    thing.put(shapes.cylinder(0.012, 1.25, 8).oriented(lean), kit.one(kit.woods), (0, 0, 0.12))
    thing.box((0.3, 0.05, 0.04), kit.one(kit.woods), (0, 0, 0.13), 0.012)
    thing.put(shapes.cone(0.14, 0.1, 0.12, 10), kit.one([kit.dark, kit.woods[2]]))


def suitcase(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("suitcase", place, offset)
    skin = kit.one(kit.paints + kit.lacquers + [kit.dark])
    thing.box((0.42, 0.22, 0.58), skin, (0, 0, 0.32), 0.05)
    thing.tube([(-0.1, 0, 0.6), (-0.1, 0, 0.7), (0.1, 0, 0.7), (0.1, 0, 0.6)], 0.012, kit.dark)


def tricycle(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("tricycle", place, offset)
    frame = kit.one(kit.paints)
    wheel = shapes.ring(0.11, 0.02, 18).oriented(np.array([[0, 0, 1.0], [0, 1, 0], [-1, 0, 0]]))
    for spot in ((0, -0.25, 0.13), (-0.17, 0.2, 0.13), (0.17, 0.2, 0.13)):
        thing.put(wheel, kit.dark, spot)
    thing.tube([(0, -0.25, 0.13), (0, -0.2, 0.38), (0, 0.05, 0.3), (0, 0.2, 0.13)], 0.016, frame)
    thing.tube([(-0.17, 0.2, 0.13), (0.17, 0.2, 0.13)], 0.012, kit.metal)
    thing.tube([(-0.16, -0.14, 0.5), (0, -0.2, 0.48), (0.16, -0.14, 0.5)], 0.012, kit.metal)
    thing.put(soft.pillow(kit.rng, (0.1, 0.11, 0.035), 0.6, 0, 10), kit.dark, (0, 0.1, 0.33))


def rain_barrel(kit: Kit, place: Placement, offset: Triple = ORIGIN) -> None:
    thing = kit.assembly("barrel", place, offset)
    t = np.linspace(0, 1, 8)
    bulge = 0.2 + 0.05 * np.sin(np.pi * t)
    thing.put(shapes.revolved(bulge, 0.6 * t, 18), kit.one(kit.woods[:2] + kit.paints[:1]))
    thing.put(shapes.revolved([0.2, 0], [0.58, 0.58], 18), kit.woods[1])
    for z in (0.12, 0.48):
        thing.put(shapes.ring(0.235, 0.01, 20), kit.metal, (0, 0, z))
