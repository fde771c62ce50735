"""What every process of annotation would load for itself, loaded once: imported by the server that
forks them, and by nothing else, since this import does something.

Numba fills its tables when the first kernel is asked for, and reads every kernel from its cache: a
second of a core for each process. The labels' kernels are called on a picture of nothing; those of
rays are not, for Embree has threads, which no fork copies.
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
    """two walls in front of each other: borders, regions and keypoints are in it."""
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
# What is there by now stays: no worker looks through it, and none writes into its pages.
gc.freeze()
gc.enable()
