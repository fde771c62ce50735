"""The first thing that rays hit in a mesh: Embree."""

from __future__ import annotations

import numpy as np


class Rays:
    """vertices [v, 3] metres; faces [f, 3] int. Both sides of a triangle are hit."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray) -> None:
        from embreex import rtcore_scene
        from embreex.mesh_construction import TriangleMesh

        self.embree = rtcore_scene.EmbreeScene()
        TriangleMesh(
            self.embree,
            np.ascontiguousarray(vertices, "float32"),
            np.ascontiguousarray(faces, "int32"),
        )

    def cast(
        self, origins: np.ndarray, directions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """distance [n] (inf: none), triangle [n] (-1: none), barycentric weights [n, 3] of the
        first hit of every ray. directions: unit.
        """
        hit = self.embree.run(
            np.ascontiguousarray(origins, "float32"),
            np.ascontiguousarray(directions, "float32"),
            output=1,
        )
        found = hit["primID"] >= 0
        weights = np.stack([1 - hit["u"] - hit["v"], hit["u"], hit["v"]], 1).astype("float64")
        return (
            np.where(found, hit["tfar"], np.inf).astype("float64"),
            np.where(found, hit["primID"], -1),
            weights,
        )
