"""Soft shapes: pillows, sheets of cloth, heaps, cables, and the hollows where things meet the
ground.

Normals and curvature come from their own lattice (cables and hollows: by formula).
"""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes.geometry import lattices, shapes
from beam_jobs.scenes.geometry.shapes import Shape, Triple
from models.tasks.arrays import Floats


def pillow(
    rng: np.random.Generator,
    extent: Triple,
    power: float = 0.55,
    wrinkle: float = 0.05,
    segments: int = 18,
) -> Shape:
    """Returns a superellipsoid with half-extents `extent`, dented by shallow waves that vanish at
    its poles.
    """
    a, b = (
        np.linspace(-np.pi / 2, np.pi / 2, segments // 2 + 3),
        np.linspace(-np.pi, np.pi, segments + 1),
    )

    def bend(w: Floats) -> Floats:
        return np.sign(w) * np.abs(w) ** power

    across = bend(np.cos(a))[:, None]
    # the poles are one point a row: waves that do not vanish there would tear it
    up = np.broadcast_to(np.sin(a)[:, None], (len(a), len(b)))
    points = np.stack([across * bend(np.cos(b)), across * bend(np.sin(b)), up], -1)
    waves = sum(
        np.sin(
            rng.integers(1, 5) * b[None]
            + rng.integers(1, 5) * a[:, None] * (-1) ** i
            + rng.uniform(0, 6.3)
        )
        for i in range(4)
    ) * np.cos(a[:, None])
    return shapes.from_lattice(points * (1 + wrinkle / 2 * waves[..., None]) * extent, closed=True)


def cloth(
    rng: np.random.Generator, width: float, depth: float, height: float = 0.012, cells: int = 22
) -> Shape:
    """Returns a sheet that lies in x, y, with folds of `height` metres."""
    u, v = np.meshgrid(np.linspace(-0.5, 0.5, cells), np.linspace(-0.5, 0.5, cells), indexing="ij")
    folds = sum(
        np.sin(
            u * width * rng.normal(0, 14)
            + v * depth * rng.normal(0, 14)
            + rng.uniform(0, 6.3)
            + 0.8 * np.sin(v * 7 + u * 3)
        )
        for _ in range(4)
    )
    return shapes.from_lattice(np.stack([u * width, v * depth, height * (1 + folds / 2)], -1))


def heap(rng: np.random.Generator, radius: float, height: float) -> Shape:
    """Returns a crumpled cloth on the floor."""
    r, t = np.meshgrid(np.linspace(0.02, 1, 10), np.linspace(0, 2 * np.pi, 25), indexing="ij")
    ripple = sum(
        np.sin(k * t + rng.uniform(0, 6.3) + 5 * r * rng.normal()) / k**0.5 for k in (2, 3, 5, 7)
    )
    x, y = (
        radius * r * (1 + 0.12 * ripple * r) * np.cos(t),
        radius * r * (1 + 0.12 * ripple * r) * np.sin(t),
    )
    return shapes.from_lattice(
        np.stack([x, y, height * (1 - r**2) ** 0.8 * (1 + 0.25 * ripple * r)], -1)
    )


def hanging(
    rng: np.random.Generator,
    width: float,
    low: float,
    high: float,
    fold: float = 0.11,
    deep: float = 0.035,
) -> Shape:
    """Returns a cloth that hangs along x in folds `fold` metres apart and `deep` metres deep,
    facing -y.
    """
    u, v = np.meshgrid(
        np.linspace(0, 1, max(24, int(width / fold * 9))), np.linspace(low, high, 7), indexing="ij"
    )
    phase = u * 2 * np.pi * width / fold + 0.5 * np.sin(3 * v + rng.uniform(0, 6.3))
    return shapes.from_lattice(
        np.stack([(u - 0.5) * width, deep * (0.7 + 0.3 * np.cos(2 * v)) * np.sin(phase), v], -1)
    )


def coat(rng: np.random.Generator, width: float, long: float) -> Shape:
    """Returns a garment on a hook at the origin: it reaches from the wall y = 0 out to -y and down
    to z = -long, in folds, wider and deeper downwards.
    """
    u, v = np.meshgrid(np.linspace(0, 1, 25), np.linspace(0, 1, 8), indexing="ij")
    flare = 0.3 + 0.7 * v**0.5
    folds = 0.02 * v * np.sin(u * np.pi * 2 * rng.integers(3, 6) + rng.uniform(0, 6.3) + 1.5 * v)
    bulge = (0.14 * flare + folds) * np.sin(np.pi * u) ** 0.6
    return shapes.from_lattice(
        np.stack([(u - 0.5) * width * flare, -bulge, -v * long * (1 - 0.06 * np.sin(7 * u))], -1)
    )


def blind(width: float, height: float, slat: float = 0.06, deep: float = 0.016) -> Shape:
    """Returns a blind whose slats (or gathers) lie along x, `slat` metres apart, from z = 0 down,
    facing -y.
    """
    u, v = np.meshgrid(
        [-0.5, 0.5], np.linspace(0, 1, max(2, int(height / slat)) * 5 + 1), indexing="ij"
    )
    return shapes.from_lattice(
        np.stack([u * width, deep * np.cos(v * int(height / slat) * 2 * np.pi), -v * height], -1)
    )


def tube(path: Floats, radius: float, segments: int = 8) -> Shape:
    """Returns a cable along `path` [n, 3] with curvature (1/r, -cos t k), where k is the path's own
    and t the angle around it from the path's normal (tube formula; k left out where the path is
    straight).
    """
    count = len(path) * (segments + 1)
    points, normals, uv, curvature = (np.empty((count, width)) for width in (3, 3, 2, 2))
    lattices.tube(
        np.ascontiguousarray(path, "float64"),
        float(radius),
        segments,
        points,
        normals,
        uv,
        curvature,
    )
    return Shape(
        points,
        shapes.wound(points, shapes.lattice_faces(len(path), segments + 1), normals),
        normals,
        uv,
        curvature,
    )


def skirt(width: float, depth: float, radius: float, steps: int = 4) -> Shape:
    """Returns a concave quarter round along the foot of a rectangle centred in x, y: it begins at
    height `radius` on the rectangle's sides and runs out to z = 0 at a distance of `radius`.

    Curvature: (-1/r, 0) along the sides; around a corner also n_r / rho, rho metres from it
    (surface of revolution), ramped to 0 where the side begins.
    """
    # a quarter circle outside the thing: 0 touches its side, pi / 2 lies on the ground
    t = np.linspace(0, np.pi / 2, steps + 1)[:, None]
    turn = np.radians(np.arange(4)[:, None] * 90 + np.arange(4) * 30).ravel()
    # the first column again: the sheet closes
    turn = np.append(turn, 0.0)
    corner = (
        np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])[np.append(np.repeat(np.arange(4), 4), 0)]
        / 2
        * (width, depth)
    )
    out, up = radius * (1 - np.cos(t)), radius * (1 - np.sin(t)) + 0 * turn
    points = np.stack(
        [corner[:, 0] + out * np.cos(turn), corner[:, 1] + out * np.sin(turn), up], -1
    )
    normals = np.stack(
        [np.cos(t) * np.cos(turn), np.cos(t) * np.sin(turn), np.sin(t) + 0 * turn], -1
    )
    # the two inner angles of each corner lie on its round; the outer two belong to the straight
    # sides
    inner = np.append(np.tile([0, 1, 1, 0], 4), 0)
    curvature = np.stack(
        [np.full_like(up, -1 / radius), inner * np.cos(t) / np.maximum(out, 0.01)], -1
    )
    length = np.append(0, np.cumsum(np.hypot(*np.diff(corner, axis=0).T)))
    return shapes.sheet(
        points, normals, np.stack(np.broadcast_arrays(length, radius * t), -1), curvature
    )
