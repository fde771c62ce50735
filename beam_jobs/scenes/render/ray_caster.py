"""Finds what rays hit first in a mesh. This file and `embree` are the only ones that use Embree:
another ray caster would have to give the same answers, and nothing else would change.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from beam_jobs.scenes.render.embree import EmbreeScene, intersect, occluded
from models.provenance.kernels import njit
from models.tasks.arrays import Bools, Floats, Integers

# Places, of 32 bits each, in Embree's RTCRayHit: of the ray, then of what it hits.
ORIGIN, NEAR, WAY, FAR, MASK = 0, 3, 4, 8, 9
U, V, TRIANGLE, GEOMETRY, INSTANCE = 15, 16, 17, 18, 19
RAY_HIT = 24
FARTHEST = np.float32(1e37)  # metres


class FirstHits(NamedTuple):
    """What n rays hit first. distance [n] float32 m (meaningless where nothing is hit); triangle
    [n] int32 (-1: nothing); u, v [n] float32: weights of its second and third corner.
    """

    distance: Floats
    triangle: Integers
    u: Floats
    v: Floats


class RayCaster:
    """A mesh that rays can be cast into. vertices [v, 3] metres; faces [f, 3] int. Both sides of a
    triangle are hit.
    """

    def __init__(self, vertices: Floats, faces: Integers) -> None:
        self.embree = EmbreeScene(vertices, faces)

    def first(self, origins: Floats, rays: Floats) -> FirstHits:
        """Returns the first hit of every ray. origins: [n, 3] float32, or [1, 3] for all rays;
        rays: [n, 3] float32, unit.
        """
        n = len(rays)
        hits = FirstHits(
            distance=np.empty(n, "float32"),
            triangle=np.empty(n, "int32"),
            u=np.empty(n, "float32"),
            v=np.empty(n, "float32"),
        )
        _first(self.embree.address, origins, rays, hits)
        return hits

    def reached(self, origins: Floats, rays: Floats) -> tuple[Floats, Integers]:
        """Returns (distance [n] float64, inf: none; triangle [n], -1: none) of the first hit of
        every ray. origins, rays: [n, 3] of any float, rays unit.
        """
        hits = self.first(
            np.ascontiguousarray(origins, "float32"), np.ascontiguousarray(rays, "float32")
        )
        hit = hits.triangle >= 0
        # Embree leaves the distance of a ray that misses at its largest number
        return np.where(hit, hits.distance, np.inf).astype("float64"), hits.triangle

    def cast(self, origins: Floats, rays: Floats) -> tuple[Floats, Integers, Floats]:
        """Returns (distance [n] float64, inf: none; triangle [n], -1: none; barycentric weights [n,
        3]) of the first hit of every ray. origins, rays: [n, 3] of any float, rays unit.
        """
        hits = self.first(
            np.ascontiguousarray(origins, "float32"), np.ascontiguousarray(rays, "float32")
        )
        hit = hits.triangle >= 0
        weights = np.stack([1 - hits.u - hits.v, hits.u, hits.v], 1).astype("float64")
        return (
            # Embree leaves the distance of a ray that misses at its largest number
            np.where(hit, hits.distance, np.inf).astype("float64"),
            np.where(hit, hits.triangle, -1),
            weights,
        )

    def free(self, origins: Floats, rays: Floats, reach: Floats) -> Bools:
        """Returns [n] bool, whether nothing is hit within `reach` [n] metres. origins, rays: [n, 3]
        float32. Any hit ends a ray, so that these cost about half.
        """
        clear = np.empty(len(rays), np.bool_)
        _free(self.embree.address, origins, rays, reach.astype("float32"), clear)
        return clear


@njit(cache=True, nogil=True)
def ray_hit() -> Floats:
    """Returns [RAY_HIT] float32 for one ray and its hit, at an address that 16 divides, as Embree
    demands.
    """
    memory = np.zeros(RAY_HIT + 4, np.float32)
    start = (16 - np.int64(memory.ctypes.data) % 16) % 16 // 4
    ray = memory[start : start + RAY_HIT]
    whole = ray.view(np.int32)
    whole[MASK] = whole[INSTANCE] = -1
    return ray


@njit(cache=True, nogil=True)
def _first(scene: int, origins: Floats, rays: Floats, hits: FirstHits) -> None:
    distance, triangle, u, v = hits
    ray = ray_hit()
    whole = ray.view(np.int32)
    alone = len(origins) == 1
    for i in range(len(rays)):
        o = 0 if alone else i
        for q in range(3):
            ray[ORIGIN + q] = origins[o, q]
            ray[WAY + q] = rays[i, q]
        ray[NEAR] = 0
        ray[FAR] = FARTHEST
        whole[TRIANGLE] = -1
        whole[GEOMETRY] = -1
        intersect(scene, ray.ctypes.data, 0)
        distance[i] = ray[FAR]
        triangle[i] = whole[TRIANGLE]
        u[i] = ray[U]
        v[i] = ray[V]


@njit(cache=True, nogil=True)
def _free(scene: int, origins: Floats, rays: Floats, reach: Floats, clear: Bools) -> None:
    ray = ray_hit()
    for i in range(len(rays)):
        for q in range(3):
            ray[ORIGIN + q] = origins[i, q]
            ray[WAY + q] = rays[i, q]
        ray[NEAR] = 0
        ray[FAR] = reach[i]
        occluded(scene, ray.ctypes.data, 0)
        # Embree sets the length of a ray that hits something to minus infinity
        clear[i] = not ray[FAR] < 0
