"""Loads once what every process of annotation would otherwise load for itself. The server that
forks these processes imports this module, and nothing else may, since the import runs code.

Numba fills its tables when the first kernel is asked for, and reads every kernel from its cache: a
second of a core for each process. The label kernels are called here on a made-up picture. The ray
caster's are not called, since Embree has threads, which a fork does not copy.
"""

from __future__ import annotations

import gc

import numpy as np

from beam_jobs.annotate.dataset import single_threaded
from beam_jobs.annotate.view_labels import pixel_labels
from beam_jobs.scenes.render.renderer import Surfaces
from models.tasks import Camera
from models.tasks.arrays import Array

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


single_threaded()
pixel_labels(stripes(), Camera(np.zeros(3), np.eye(3), 1.0))
# Objects made so far stay: no worker's collector visits them, so that their pages stay shared.
gc.freeze()
gc.enable()
