"""Soft shapes: pillows, sheets of cloth, heaps, cables. Normals and curvature come from their own lattice (cables: by formula)."""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes import shapes
from beam_jobs.scenes.shapes import Shape


def pillow(rng: np.random.Generator, extent, power: float = 0.55, wrinkle: float = 0.05, segments: int = 26) -> Shape:
    """a superellipsoid with half-extents `extent`, dented by shallow waves that die out at its rim and poles."""
    a, b = np.linspace(-np.pi / 2, np.pi / 2, segments // 2 + 3), np.linspace(-np.pi, np.pi, segments + 1)
    bend = lambda w: np.sign(w) * np.abs(w) ** power
    across, up = bend(np.cos(a))[:, None], np.broadcast_to(np.sin(a)[:, None], (len(a), len(b)))
    points = np.stack([across * bend(np.cos(b)), across * bend(np.sin(b)), up], -1)
    waves = sum(np.sin(rng.integers(1, 5) * b[None] + rng.integers(1, 5) * a[:, None] * (-1) ** i + rng.uniform(0, 6.3)) for i in range(4)) * np.cos(a[:, None])
    return shapes.from_lattice(points * (1 + wrinkle / 2 * waves[..., None]) * extent, closed=True)


def cloth(rng: np.random.Generator, width: float, depth: float, height: float = 0.012, cells: int = 26) -> Shape:
    """a sheet lying in x, y with folds of `height` metres."""
    u, v = np.meshgrid(np.linspace(-0.5, 0.5, cells), np.linspace(-0.5, 0.5, cells), indexing="ij")
    folds = sum(np.sin(u * width * rng.normal(0, 14) + v * depth * rng.normal(0, 14) + rng.uniform(0, 6.3) + 0.8 * np.sin(v * 7 + u * 3)) for _ in range(4))
    return shapes.from_lattice(np.stack([u * width, v * depth, height * (1 + folds / 2)], -1))


def heap(rng: np.random.Generator, radius: float, height: float) -> Shape:
    """crumpled cloth on the floor."""
    r, t = np.meshgrid(np.linspace(0.02, 1, 14), np.linspace(0, 2 * np.pi, 33), indexing="ij")
    ripple = sum(np.sin(k * t + rng.uniform(0, 6.3) + 5 * r * rng.normal()) / k**0.5 for k in (2, 3, 5, 7))
    x, y = radius * r * (1 + 0.12 * ripple * r) * np.cos(t), radius * r * (1 + 0.12 * ripple * r) * np.sin(t)
    return shapes.from_lattice(np.stack([x, y, height * (1 - r**2) ** 0.8 * (1 + 0.25 * ripple * r)], -1))


def hanging(rng: np.random.Generator, width: float, low: float, high: float, fold: float = 0.11, deep: float = 0.035) -> Shape:
    """cloth that hangs in folds `fold` metres apart and `deep` metres deep, along x, facing -y."""
    u, v = np.meshgrid(np.linspace(0, 1, max(24, int(width / fold * 9))), np.linspace(low, high, 7), indexing="ij")
    phase = u * 2 * np.pi * width / fold + 0.5 * np.sin(3 * v + rng.uniform(0, 6.3))
    return shapes.from_lattice(np.stack([(u - 0.5) * width, deep * (0.7 + 0.3 * np.cos(2 * v)) * np.sin(phase), v], -1))


def tube(path: np.ndarray, radius: float, segments: int = 8) -> Shape:
    """a cable along `path` [n, 3]: curvature (1/r, -cos t k) with k the path's own, t around it from the path's normal (tube formula; k left out
    where the path is straight)."""
    ahead = np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True) + 1e-12
    side = np.cross(ahead, [0.0, 0.0, 1.0])
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-12
    up, t = np.cross(side, ahead), np.linspace(0, 2 * np.pi, segments + 1)
    normals = side[:, None] * np.cos(t)[:, None] + up[:, None] * np.sin(t)[:, None]
    steps = np.linalg.norm(np.gradient(path, axis=0), axis=1)
    turning = np.gradient(ahead, axis=0) / steps[:, None]
    toward = (turning[:, None] * normals).sum(-1)
    curvature = np.stack([np.full(toward.shape, 1 / radius), -toward / (1 - radius * toward)], -1)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    uv = np.stack(np.broadcast_arrays(t[None] * radius, along[:, None]), -1)
    return shapes.sheet(path[:, None] + radius * normals, normals, uv, curvature)
