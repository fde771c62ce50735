"""Decodes the normals of a view's pixels once, component by component, for all checks of them: on
planes of numbers each check takes a fraction of what it takes on an array of vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from models.tasks.arrays import Bools, Bytes, Floats


@dataclass(frozen=True)
class Normals:
    """Vectors as they are stored, x right, y down, z away from the camera. x, y, z: [n, n] float32
    components, unit vectors if the codes are sound. squares: [n, n] float32, squared lengths.
    """

    x: Floats
    y: Floats
    z: Floats
    squares: Floats

    @classmethod
    def of(cls, codes: Bytes) -> Normals:
        """Makes the normals of a label, uint8 [n, n, 3]."""
        vectors = codes.astype("float32") / np.float32(127.5) - np.float32(1)
        planes: Sequence[Floats] = cv2.split(vectors)
        x, y, z = planes
        squares = x * x + y * y + z * z
        return cls(x, y, z, squares)

    def along(self, slopes: Floats) -> Floats:
        """Returns [n, n], each vector times the direction of its pixel's ray, (slopes[column],
        slopes[row], 1): positive where a surface faces away from the camera.
        """
        slopes = slopes.astype("float32")
        return self.x * slopes + self.y * slopes[:, None] + self.z

    def unit(self, there: Bools) -> Floats:
        """Returns [n, 3], the vectors of the pixels `there` [n, n], of length 1."""
        length = np.sqrt(self.squares[there])
        return np.stack([plane[there] / length for plane in (self.x, self.y, self.z)], -1)

    def part(self, which: slice) -> Normals:
        """Returns the normals of some rows and of the same columns."""
        planes = (self.x, self.y, self.z, self.squares)
        return Normals(*(plane[which, which] for plane in planes))


def pixel_slopes(size: int, tangent: float) -> Floats:
    """Returns [size], the slopes of the rays through a row's pixel centres. tangent: of half the
    field of view.
    """
    return ((np.arange(size) + 0.5) / size * 2 - 1) * tangent
