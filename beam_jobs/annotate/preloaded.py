"""Loads once what every process of annotation would otherwise load for itself. The server that
forks these processes imports this module, and nothing else may, since the import runs code.

Numba fills its tables when the first kernel is asked for, and reads every kernel from its cache: a
second of a core for each process. So kernels of labels, pictures and cameras are called here on
made-up things. The ray caster itself is not, since Embree has threads, which a fork does not copy.
"""

from __future__ import annotations

import gc

import numpy as np

from beam_jobs.annotate.dataset import single_threaded
from beam_jobs.annotate.view_labels import pixel_labels
from beam_jobs.scenes.buildings.scene import Light, Room, Scene
from beam_jobs.scenes.cameras.procedural import (
    Candidate,
    Corners,
    Kinds,
    Points,
    candidates,
    chosen,
)
from beam_jobs.scenes.geometry.shapes import Shape
from beam_jobs.scenes.render.ray_caster import FirstHits, RayCaster
from beam_jobs.scenes.render.renderer import Eye, Surfaces
from models.tasks import Camera
from models.tasks.arrays import Array, Bools, Floats

SIZE = 64  # pixels, from which on 3D keypoints have a coarser scale


def stripes() -> Surfaces:
    """Returns maps of 64 x 64 pixels that show vertical stripes of two distances, 0.8 m and 3 m:
    they hold borders, regions and keypoints, so that every label kernel has something to do.
    """
    near = np.arange(SIZE) // 8 % 2 == 0
    wall: Array = np.broadcast_to(np.where(near, 0.8, 3.0).astype("float32"), (SIZE, SIZE)).copy()
    normal = np.zeros((SIZE, SIZE, 3), "float32")
    normal[..., 2] = -1
    return Surfaces(
        rgb=np.repeat((wall * 80).astype("uint8")[..., None], 3, 2),
        depth=wall,
        distance=wall,
        normal=normal,
        curvature=np.zeros((SIZE, SIZE, 2), "float32"),
        instance=np.zeros((SIZE, SIZE), "int32"),
        facing=np.ones((SIZE, SIZE), "float32"),
    )


class Fog(RayCaster):
    """Stands in for Embree: every ray meets the middle of the first triangle a metre away, and no
    way is blocked.
    """

    def __init__(self) -> None:
        """Needs no mesh."""

    def first(self, origins: Floats, rays: Floats) -> FirstHits:
        """Returns what `RayCaster.first` returns."""
        third = np.full(len(rays), 1 / 3, "float32")
        triangle = np.zeros(len(rays), "int32")
        return FirstHits(np.ones(len(rays), "float32"), triangle, third, third)

    def free(self, origins: Floats, rays: Floats, reach: Floats) -> Bools:
        """Returns what `RayCaster.free` returns."""
        return np.ones(len(rays), np.bool_)


def floor() -> Scene:
    """Returns a scene of one triangle in a room with a lamp."""
    corners = np.array([[0.0, 0, 0], [3, 0, 0], [0, 3, 0]])
    return Scene(
        shape=Shape(
            vertices=corners,
            faces=np.array([[0, 1, 2]]),
            normals=np.tile([0.0, 0.0, 1.0], (3, 1)),
            uv=corners[:, :2].copy(),
            curvature=np.zeros((3, 2)),
        ),
        material=np.zeros(1, int),
        instance=np.zeros(1, int),
        semantic=np.ones(1, "uint8"),
        names=("floor",),
        textures=np.ones((1, 4, 4, 3), "float32"),
        scale=np.ones(1, "float32"),
        glow=np.zeros(1, "float32"),
        rooms=(Room("bedroom", (0, 0, 0), (3, 3, 3)),),
        lights=(Light((1, 1, 2), 0.1, (1, 1, 1)),),
    )


def see(scene: Scene) -> None:
    """Tries cameras for points of the scene, and takes a picture."""
    eye, rng = Eye(scene, Fog()), np.random.default_rng(0)
    stands = np.array([[0.0, 0, 1], [1, 0, 1], [0, 1, 1]])
    candidates(eye, Points.of(Corners.of(scene), rng, 4), stands, 3)
    # level: the floor is seen so aslant that luck leaves the point in
    ahead = np.array([[3.0, 0, 0], [2, 0, 0], [3, -1, 0]])
    point = Candidate(np.array([3.0, 0, 1]), np.arange(3), ahead, stands)
    chosen(eye, rng, point, np.zeros(3, int), Kinds.of(scene), 3, 5)
    eye.look(Camera(stands[0], np.eye(3), 1.0), SIZE, rng)


see(floor())
single_threaded()
pixel_labels(stripes(), Camera(np.zeros(3), np.eye(3), 1.0))
# Objects made so far stay: no worker's collector visits them, so that their pages stay shared.
gc.freeze()
gc.enable()
