"""Converts depth and curvature between what networks answer, what published files hold, and units.

A depth file holds whole numbers of 1/512 metre, 65535 for "no surface"; a network answers their
logarithm, log(1 + code) / log(65536) (`models.tasks.targets.depth`). A curvature file holds bytes,
127 + 127 * 0.03 m * curvature; a network answers them whitened by the published constants.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from models.tasks.arrays import Floats
from models.tasks.targets import CURVATURE_MEAN, CURVATURE_STD, SURFACE_LIMIT

CODES_PER_METRE = 512
DEPTH_LEVELS = 65536
LOG_LEVELS = math.log(DEPTH_LEVELS)
# networks that answer the farthest depth do not claim a window
NO_SURFACE = DEPTH_LEVELS - 1  # a code that is never an answer
# metres from which a depth means a window or the like
FARTHEST_SURFACE = SURFACE_LIMIT / CODES_PER_METRE
CURVATURE_ZERO = 127
CURVATURE_RADIUS = 0.03  # metres; a ball of this radius has the largest code


def metres_of(value: Floats) -> Floats:
    """Returns the distance in metres of depth answers, which are logarithms of codes in [0, 1]."""
    # expm1: the inverse of log1p, exact near 0
    return np.expm1(np.clip(value, 0, 1) * LOG_LEVELS) / CODES_PER_METRE


def depth_codes(value: Any) -> Any:
    """Returns depth answers [...] as the whole numbers of a published file, float, 0 to 65534, as a
    tensor of keras.ops: the graph and the parity check share it.
    """
    from keras import ops

    # `clip` before the exponential: an answer beyond 1 would give a code beyond 16 bits
    codes = ops.expm1(ops.clip(value, 0.0, 1.0) * LOG_LEVELS)
    return ops.round(ops.clip(codes, 0, NO_SURFACE - 1))


def per_metre(value: Floats) -> Floats:
    """Returns the curvature in 1/metre of curvature answers [..., 2], which are whitened codes."""
    codes = value * CURVATURE_STD + CURVATURE_MEAN
    return (codes - CURVATURE_ZERO) / CURVATURE_ZERO / CURVATURE_RADIUS


def curvature_codes(value: Any) -> Any:
    """Returns curvature answers [..., 2] as the bytes [..., 3] of a published file, float: 1 to
    255, and 0 in the third channel, since (0, 0, 0) means "no surface". The result is a tensor of
    keras.ops.
    """
    from keras import ops

    # 0 in both channels means no surface: codes begin at 1
    codes = ops.clip(ops.round(value * CURVATURE_STD + CURVATURE_MEAN), 1, 255)
    return ops.concatenate([codes, ops.zeros_like(codes[..., :1])], -1)
