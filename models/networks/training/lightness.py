"""Lightness of pictures in one compiled pass, the input of colorization: a feeder's way of
`inputs.lightness`, which served networks take.
"""

from __future__ import annotations

import functools

import numpy as np

from models.provenance.kernels import njit
from models.tasks.arrays import Bytes, Floats
from models.tasks.labels.block_kernels import roots_of_ratios
from models.tasks.labels.colours import TO_XYZ, linear_light

TOGETHER = 1024  # pixels a loop: its arrays stay in the processor's nearest cache


@functools.cache
def levels() -> Floats:
    """Returns [3, 256] float64, what each level of a byte adds to CIE Y, by channel."""
    light = linear_light(np.arange(256) / 255)
    return np.asarray(TO_XYZ[1])[:, None] * light


def lightness_of(images: Bytes) -> Floats:
    """Returns CIE L as [-1, 1], float32 [..., 1], of uint8 sRGB [..., 3]; `inputs.lightness` of the
    same pictures to 1e-6, as far as that one rounds.
    """
    values = np.empty((*images.shape[:-1], 1), "float32")
    pixels = np.ascontiguousarray(images).reshape(-1, 3)
    write_lightness(pixels, levels(), values.reshape(-1))
    return values


@njit(cache=True, nogil=True, error_model="numpy")
def write_lightness(pixels: Bytes, table: Floats, values: Floats) -> None:
    """Writes the lightness of pixels [n, 3] uint8 into values [n] float32. table: `levels`."""
    brightness, roots = np.empty(TOGETHER), np.empty(TOGETHER)
    single = np.empty(TOGETHER, "float32")
    for start in range(0, len(values), TOGETHER):
        n = min(TOGETHER, len(values) - start)
        for i in range(n):
            red, green, blue = pixels[start + i]
            brightness[i] = table[0, red] + table[1, green] + table[2, blue]
        roots_of_ratios(brightness[:n], single[:n], roots[:n])
        for i in range(n):
            values[start + i] = (116 * roots[i] - 16) / 50 - 1
