"""Builds windows: openings in outer walls with a bright picture behind, a frame, blinds, curtains
of folded cloth.
"""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes.buildings import textures
from beam_jobs.scenes.buildings.materials import Kit
from beam_jobs.scenes.buildings.plan import Plan, Side
from beam_jobs.scenes.buildings.scene import Light, Placement
from beam_jobs.scenes.geometry import shapes, soft


def windows(kit: Kit, plan: Plan) -> None:
    """Cuts openings into outer walls, each with a bright picture behind, a frame, and sometimes a
    blind and curtains of folded cloth.
    """
    rng = kit.rng
    builder = kit.builder
    for wall in plan.outer_walls():
        side = plan.side(wall)
        if rng.random() > (0.95 if not plan.has("window") else 0.6) or side.length < 1.8:
            continue
        width = min(rng.uniform(0.9, 2.4), side.length - 0.8)
        low = float(rng.choice([0.45, 0.85, 0.9])) if plan.kind != "bathroom" else 1.3
        high = min(plan.height - 0.25, low + rng.uniform(1.0, 1.5))
        at = rng.uniform(width / 2 + 0.3, side.length - width / 2 - 0.3)
        plan.openings[wall].append((at - width / 2, at + width / 2, low, high, "window"))
        piece = builder.object("window")
        outside = builder.material(textures.outdoor(rng), glow=rng.uniform(1.6, 2.4))
        corner = side.point(at + width / 2, -0.16)
        builder.add(
            shapes.quad((*corner, low), (*(-side.along * width), 0), (0, 0, high - low)),
            outside,
            piece,
            stretch=True,
        )
        frame(kit, piece, side.place(at, -0.07), width, low, high)
        power = rng.uniform(1.1, 1.8) * width * (high - low) * np.array([0.92, 0.97, 1.06])
        middle = (*side.point(at, 0.03), (low + high) / 2)
        builder.lights.append(
            Light(
                middle,
                width / 2,
                tuple(power),
                # against the side's direction, and up: `Light` then shines into the room
                (*(-side.along * width * 0.48), 0.0),
                (0.0, 0.0, (high - low) * 0.48),
            )
        )
        if rng.random() < 0.4:
            shade(kit, side, at, width, low, high)
        if plan.kind != "bathroom" and rng.random() < 0.85:
            curtains(kit, side, at, width, low, high)


def frame(kit: Kit, piece: int, place: Placement, width: float, low: float, high: float) -> None:
    """Places a window's frame, sill and lintel, and sometimes glazing bars."""
    for x in (-width / 2, 0, width / 2):
        kit.box(
            (0.055, 0.16 if x else 0.05, high - low),
            (x, 0, (low + high) / 2),
            kit.white,
            piece,
            place,
            0.014,
        )
    for z in (low, high):
        kit.box((width + 0.08, 0.24, 0.055), (0, -0.02, z), kit.white, piece, place, 0.018)
    if kit.rng.random() < 0.5:  # glazing bars
        for x in (-width / 4, width / 4):
            kit.box(
                (0.025, 0.035, high - low), (x, 0, (low + high) / 2), kit.white, piece, place, 0.01
            )
        for z in np.linspace(low, high, int(kit.rng.integers(3, 5)))[1:-1]:
            kit.box((width, 0.035, 0.025), (0, 0, z), kit.white, piece, place, 0.01)


def shade(kit: Kit, side: Side, at: float, width: float, low: float, high: float) -> None:
    """Places a blind that daylight shines through, drawn part of the way down."""
    rng = kit.rng
    colour = textures.tinted(
        rng, ((0.85, 0.82, 0.75), (0.8, 0.7, 0.55), (0.7, 0.74, 0.76))[rng.integers(3)], 0.05
    )
    material = kit.builder.material(textures.fabric(rng, colour), 0.4, glow=rng.uniform(0.7, 1.2))
    drop = (high - low - 0.06) * rng.uniform(0.25, 0.8)
    slat = float(rng.choice([0.06, 0.1, 0.18]))
    place = side.place(at, -0.03)
    kit.put(
        soft.blind(width - 0.06, drop, slat, 0.2 * slat),
        material,
        kit.builder.object("blind"),
        (0, 0, high - 0.03),
        place,
    )


def curtains(kit: Kit, side: Side, at: float, width: float, low: float, high: float) -> None:
    """Places two curtains on a rod before a window."""
    material = kit.one(kit.fabrics + [kit.linen])
    piece = kit.builder.object("curtain")
    place = side.place(at, 0.1)
    bottom = low - 0.15 if low > 0.6 and kit.rng.random() < 0.5 else 0.03
    for x in (-1, 1):
        wide = kit.rng.uniform(0.3, 0.35 + 0.25 * width)
        shape = soft.hanging(
            kit.rng,
            wide,
            bottom,
            high + 0.15,
            kit.rng.uniform(0.1, 0.18),
            kit.rng.uniform(0.02, 0.04),
        )
        kit.put(shape, material, piece, (x * (width / 2 + 0.05), 0, 0), place)
    rod = np.array([[-width / 2 - 0.4, 0, 0], [0, 0, 0], [width / 2 + 0.4, 0, 0]]) + [
        0,
        0,
        high + 0.17,
    ]
    kit.put(soft.tube(rod, 0.014), kit.metal, piece, (0, 0, 0), place)
