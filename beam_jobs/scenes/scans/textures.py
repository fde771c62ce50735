"""Looks up pictures of any size: every picture is kept with its halvings in one array; the level
follows from the pixel's footprint, and within it the look-up is bilinear.

Halving keeps small pixels of a distant wall from flickering between texels (Williams, "Pyramidal
Parametrics", 1983).
"""

from __future__ import annotations

import math

import numpy as np

from beam_jobs.scenes.scans.parts import MIRROR, REPEAT
from models.provenance.kernels import njit
from models.tasks.arrays import Bytes, Floats, Integers

# Sizes of a picture that are kept: LEVELS, its own with them; of a large one all down to SMALLEST.
LEVELS, SMALLEST = 6, 32
NEARER = 2**0.5  # texels a pixel spans from which on the next level is nearer


class Pictures:
    """Pictures that pixels are looked up in. pictures: uint8 [h, w, 3] each. wraps [picture, 2]:
    BORDER, REPEAT or MIRROR along u and v (an atlas has no neighbours beyond its border).
    """

    def __init__(self, pictures: tuple[Bytes, ...], wraps: Integers) -> None:
        import cv2

        self.wraps = wraps
        counts = [levels(*picture.shape[:2]) for picture in pictures]
        self.table = np.zeros((max(1, len(pictures)), max(counts, default=1), 3), "int64")
        pieces = []
        start = 0
        for number, picture in enumerate(pictures):
            for level in range(counts[number]):
                # the table is one array, so that a picture's last level also fills its rows beyond
                self.table[number, level:] = start, *picture.shape[:2]
                pieces.append(picture.reshape(-1))
                start += picture.size
                picture = cv2.resize(
                    picture,
                    (max(1, picture.shape[1] // 2), max(1, picture.shape[0] // 2)),
                    interpolation=cv2.INTER_AREA,
                )
        # without pictures there is nothing to concatenate, but the look-up still needs an array
        self.texels = np.concatenate(pieces) if pieces else np.zeros(3, "uint8")

    def paint(self, picture: Integers, uv: Floats, texels: Floats, colour: Floats) -> None:
        """Multiplies colour [n, 3], in place, by that of picture [n] (-1: none) at uv [n, 2], v
        upwards, in [0, 1]; texels [n]: how many texels of the full picture a pixel spans.
        """
        _paint(self.texels, self.table, self.wraps, picture, uv, texels, colour)


def levels(height: int, width: int) -> int:
    """Returns how many sizes of a picture are kept, each half the one before."""
    # a picture of 16384 texels would flicker from 45 texels a pixel on with as many as a small one
    return max(LEVELS, 1 + math.ceil(math.log2(max(height, width) / SMALLEST)))


@njit(cache=True, nogil=True)
def within(value: float, wrap: int) -> float:
    """Returns the coordinate in [0, 1] that is meant; the coordinate itself where the border goes
    on.
    """
    # `floor`, not truncation: coordinates may be negative
    if wrap == REPEAT:
        return value - np.floor(value)
    if wrap == MIRROR:
        return abs(value - 2 * np.floor(value / 2 + 0.5))
    return value


@njit(cache=True, nogil=True)
def neighbours(
    u: float, v: float, height: int, width: int, wraps: Integers
) -> tuple[int, int, int, int, float, float]:
    """Returns (left, right, above, below: the texels around (u, v); shares of right and of below in
    what lies between them). u, v in [0, 1] from left to right and upwards; beyond as wraps [2]
    says.
    """
    u, v = within(u, wraps[0]), within(v, wraps[1])
    # v runs upwards, rows downwards; the middle of a texel lies at half a step
    x, y = u * width - 0.5, (1 - v) * height - 0.5
    left, above = int(np.floor(x)), int(np.floor(y))
    fx, fy, right, below = x - left, y - above, left + 1, above + 1
    if wraps[0] == REPEAT:
        left, right = left % width, right % width
    else:
        left, right = min(max(left, 0), width - 1), min(max(right, 0), width - 1)
    if wraps[1] == REPEAT:
        above, below = above % height, below % height
    else:
        above, below = min(max(above, 0), height - 1), min(max(below, 0), height - 1)
    return left, right, above, below, fx, fy


@njit(cache=True, nogil=True)
def _paint(
    texels: Floats,
    table: Integers,
    wraps: Integers,
    picture: Integers,
    uv: Floats,
    span: Floats,
    colour: Floats,
) -> None:
    """Does the work of `Pictures.paint`, pixel by pixel."""
    for i in range(len(picture)):
        p = picture[i]
        if p < 0:
            continue
        level, reach = 0, span[i]
        while reach >= NEARER and level + 1 < table.shape[1]:
            level, reach = level + 1, reach / 2
        start, height, width = table[p, level]
        left, right, above, below, fx, fy = neighbours(uv[i, 0], uv[i, 1], height, width, wraps[p])
        a, b = start + (above * width + left) * 3, start + (above * width + right) * 3
        c, d = start + (below * width + left) * 3, start + (below * width + right) * 3
        for q in range(3):
            high = texels[a + q] * (1 - fx) + texels[b + q] * fx
            low = texels[c + q] * (1 - fx) + texels[d + q] * fx
            colour[i, q] *= (high * (1 - fy) + low * fy) / 255
