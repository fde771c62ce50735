"""Texture and occlusion edges as the annotator of the published data set computes them (bit-level
agreement measured on real frames).
"""

from __future__ import annotations

import cv2
import numpy as np

from models.tasks.arrays import Bytes, Floats, Integers

REFERENCE = 512  # pixel-scale parameters are those of 512 x 512 images
# Side of a picture, and by what its texture edges are multiplied: from a pixel of a smaller picture
# to the next there are larger steps. Ratio of the released frames' labels, averaged over areas, to
# ours of frames averaged alike (means of two buildings; specification: 0.52 at 256).
STRENGTHS = ((32, 0.139), (64, 0.182), (128, 0.293), (256, 0.520), (512, 1.0))


def luma(rgb: Bytes) -> Bytes:
    """Returns [H, W] uint8: ITU-R 601 luma with the rounding of PIL's mode L."""
    r, g, b = (rgb[..., i].astype("uint32") for i in range(3))
    # 0.299, 0.587 and 0.114 of 65536
    return ((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16).astype("uint8")


def gradient(image: Floats) -> Floats:
    """Returns [H, W] float32, the Sobel magnitude of an image [H, W] in scikit-image's
    normalisation, with a reflected border.
    """
    image = image.astype("float32")
    x, y = (
        cv2.Sobel(image, cv2.CV_32F, dx, 1 - dx, ksize=3, scale=0.25, borderType=cv2.BORDER_REFLECT)
        for dx in (1, 0)
    )
    # scikit-image's magnitude is the root of the mean, not of the sum, of both squares
    return cv2.magnitude(x, y) * np.float32(np.sqrt(0.5))


def blur(image: Floats, sigma: float, border: int = cv2.BORDER_CONSTANT) -> Floats:
    """Returns an image [H, W] under a Gaussian that is cut at 4 sigma (pixels)."""
    side = 2 * int(4 * sigma + 0.5) + 1
    return cv2.GaussianBlur(image, (side, side), sigma, borderType=border)


# 3, although the annotator's settings say 2: so it agrees with the released labels to 1.0000
# (docs/DATA.md)
def edge_texture(rgb: Bytes, sigma: float = 3.0) -> Integers:
    """Returns uint16 [H, W]: Sobel magnitude of smoothed luma, one border pixel zero. sigma: in
    pixels of a 512 image; for smaller images it and the magnitude are scaled to what a label of 512
    shows there.
    """
    grey = luma(rgb).astype("float32") / 255
    sigma = sigma * rgb.shape[0] / REFERENCE
    # the annotator pads with zeros, and divides by the same blur of ones
    edge = gradient(blur(grey, sigma) / blur(np.ones_like(grey), sigma))
    edge[[0, -1]] = 0
    edge[:, [0, -1]] = 0
    return np.clip(edge * (65535 * strength(rgb.shape[0])), 0, 65535).astype("uint16")


def strength(size: int) -> float:
    """Returns the factor of texture edges of a square picture with `size` pixels a side: from
    `STRENGTHS`, between two of its sizes along a power of the size; below the least size, its
    factor.
    """
    sizes, strengths = np.log2(np.transpose(STRENGTHS))
    # beyond the released size a ramp's steps are as much smaller as its pixels are more
    above = max(0.0, np.log2(size / REFERENCE))
    return float(2 ** (np.interp(np.log2(size), sizes, strengths) + above))


def edge_occlusion(depth: Integers) -> Integers:
    """Returns uint16 [H, W] from depth codes: Sobel magnitude of sqrt(code)/256 where the 3 x 3
    neighbourhood is seen (code < 65036); no smoothing.
    """
    surface_mask = cv2.erode(
        # 2^16 - 500 is the annotator's limit
        (depth < 65036).astype("uint8"),
        np.ones((3, 3), "uint8"),
        borderType=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    edge = gradient(np.sqrt(depth.astype("float32")) / 256)
    return np.clip(np.where(surface_mask, edge, 0) * 65535, 0, 65535).astype("uint16")
