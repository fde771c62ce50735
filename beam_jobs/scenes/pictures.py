"""Look-up in pictures of any size: every picture with its halvings in one array, the level by the pixel's footprint, bilinear within it.

Halving keeps small pixels of a distant wall from flickering between texels (Williams, "Pyramidal Parametrics", 1983).
"""

from __future__ import annotations

import numba
import numpy as np

LEVELS = 6


class Pictures:
    """pictures: uint8 [h, w, 3] each. wraps [picture] bool: coordinates repeat outside [0, 1] (else the border goes on: an atlas has no neighbours)."""

    def __init__(self, pictures: tuple[np.ndarray, ...], wraps: np.ndarray) -> None:
        import cv2

        self.wraps, self.table, pieces, start = np.asarray(wraps, bool), np.zeros((max(1, len(pictures)), LEVELS, 3), "int64"), [], 0
        for number, picture in enumerate(pictures):
            for level in range(LEVELS):
                self.table[number, level] = start, *picture.shape[:2]
                pieces.append(picture.reshape(-1))
                start += picture.size
                picture = cv2.resize(picture, (max(1, picture.shape[1] // 2), max(1, picture.shape[0] // 2)), interpolation=cv2.INTER_AREA)
        self.texels = np.concatenate(pieces) if pieces else np.zeros(3, "uint8")

    def look_up(self, picture: np.ndarray, uv: np.ndarray, texels: np.ndarray) -> np.ndarray:
        """[n, 3] float32 in [0, 1]; 1 where picture is -1. uv [n, 2], v upwards; texels [n]: how many of the full picture's a pixel spans."""
        return sampled(self.texels, self.table, self.wraps, picture.astype("int64"), np.ascontiguousarray(uv, "float64"), texels.astype("float64"))


@numba.njit(cache=True)
def sampled(texels, table, wraps, picture, uv, span):
    """`Pictures.look_up`, pixel by pixel."""
    found = np.ones((len(picture), 3), np.float32)
    for i in range(len(picture)):
        p = picture[i]
        if p < 0:
            continue
        level = min(table.shape[1] - 1, int(max(0.0, np.log2(max(span[i], 1e-9)) + 0.5)))
        start, height, width = table[p, level]
        u, v = uv[i, 0], uv[i, 1]
        if wraps[p]:
            u, v = u - np.floor(u), v - np.floor(v)
        x, y = u * width - 0.5, (1 - v) * height - 0.5
        left, above = int(np.floor(x)), int(np.floor(y))
        for c in range(3):
            total = 0.0
            for dy in range(2):
                for dx in range(2):
                    column, row = left + dx, above + dy
                    if wraps[p]:
                        column, row = column % width, row % height
                    else:
                        column, row = min(max(column, 0), width - 1), min(max(row, 0), height - 1)
                    weight = (dx * (x - left) + (1 - dx) * (1 - x + left)) * (dy * (y - above) + (1 - dy) * (1 - y + above))
                    total += weight * texels[start + (row * width + column) * 3 + c]
            found[i, c] = total / 255
    return found
