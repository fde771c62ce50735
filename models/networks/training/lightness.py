"""Lightness of pictures in one compiled pass, the input of colorization: a feeder's way of
`inputs.lightness`, which served networks take.
"""

from __future__ import annotations

import functools

import numpy as np

from models.provenance.kernels import njit
from models.tasks.arrays import Bytes, Floats
from models.tasks.labels.colours import linear_light

# Of red, green and blue light in CIE Y (Rec. 709 primaries, D65).
LUMINANCE = (0.212671, 0.715160, 0.072169)
TOGETHER = 1024  # pixels a loop: its arrays stay in the processor's nearest cache


@functools.cache
def levels() -> Floats:
    """Returns [3, 256] float64, what each level of a byte adds to CIE Y, by channel."""
    light = linear_light(np.arange(256) / 255)
    return np.array(LUMINANCE)[:, None] * light


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
    """Writes the lightness of pixels [n, 3] uint8 into values [n] float32. table: `levels`.

    y = x^(-1/3) is begun by dividing the float's bits, which have the exponent on top, and made
    better twice, each time to the fourth power of what is lacking in x y^3 = 1: to 1e-15.
    """
    brightness = np.empty(TOGETHER)
    single = np.empty(TOGETHER, "float32")
    bits = single.view(np.int32)
    for start in range(0, len(values), TOGETHER):
        n = min(TOGETHER, len(values) - start)
        for i in range(n):
            red, green, blue = pixels[start + i]
            brightness[i] = table[0, red] + table[1, green] + table[2, blue]
        for i in range(n):
            single[i] = brightness[i]
        for i in range(n):
            bits[i] = np.int32(np.float32(1419967116.0) - np.float32(bits[i]) * np.float32(1 / 3))
        for i in range(n):
            x = brightness[i]
            y = np.float64(single[i])
            lack = 1 - x * y * (y * y)
            y += y * lack * (1 / 3 + lack * (2 / 9 + lack * (14 / 81)))
            lack = 1 - x * y * (y * y)
            y += y * lack * (1 / 3 + lack * (2 / 9 + lack * (14 / 81)))
            root = x * y * y if x > 0.008856 else 7.787 * x + 16 / 116
            values[start + i] = (116 * root - 16) / 50 - 1
