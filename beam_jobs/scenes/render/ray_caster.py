"""Finds what rays hit first in a mesh. This is the only file that uses Embree: another ray caster
would have to give the same answers, and nothing else would change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.tasks.arrays import Bools, Floats, Integers


@dataclass(frozen=True)
class FirstHits:
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
        # Imported here, since it takes half a second, for which --help should not wait.
        from embreex import rtcore_scene
        from embreex.mesh_construction import TriangleMesh

        self.embree = rtcore_scene.EmbreeScene()
        TriangleMesh(
            self.embree,
            np.ascontiguousarray(vertices, "float32"),
            np.ascontiguousarray(faces, "int32"),
        )

    def first(self, origins: Floats, rays: Floats) -> FirstHits:
        """Returns the first hit of every ray. origins, rays: [n, 3] float32, rays unit; origins may
        be one row, broadcast.
        """
        # output=1: all that Embree knows of the hit, not only the triangle
        hit = self.embree.run(origins, rays, output=1)
        return FirstHits(hit["tfar"], hit["primID"], hit["u"], hit["v"])

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
        clear: Bools = self.embree.run(origins, rays, reach.astype("float32"), query="OCCLUDED") < 0
        return clear
