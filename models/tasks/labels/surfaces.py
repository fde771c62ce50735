"""Encodes labels of the seen surface: depth, distance, normals, curvature, reshading."""

from __future__ import annotations

import cv2
import numpy as np

from models.tasks.arrays import Array, Bools, Bytes, Floats, Integers

MISSING = 65535  # the depth code of "nothing is seen"


def depth_codes(metres: Floats, units_per_metre: float = 512) -> Integers:
    """Returns uint16 [H, W]: 1/512 m a step, at most 65534; 65535 where nothing is seen (inf)."""
    surface_mask = np.isfinite(metres)
    codes = np.minimum(np.round(np.where(surface_mask, metres, 0) * units_per_metre), MISSING - 1)
    return np.where(surface_mask, codes, MISSING).astype("uint16")


def normal_codes(normal: Floats, surface_mask: Bools) -> Bytes:
    """Returns uint8 [H, W, 3]: round((n + 1) 127.5), n in the frame x right, y down, z away; (128,
    128, 128) where nothing is seen.
    """
    codes = rounded((normal + 1) * 127.5)
    codes[~surface_mask] = 128
    return codes


def curvature_codes(curvature: Floats, surface_mask: Bools) -> Bytes:
    """Returns uint8 [H, W, 3]: R the curvature of larger magnitude, G of smaller, convex positive,
    clipped at 1/0.03 m, 127 flat; B 0; (0, 0, 0) unseen.
    """
    one, two = np.moveaxis(rounded((np.clip(curvature * 0.03, -1, 1) + 1) * 127), -1, 0)
    size = np.abs(curvature)
    larger = size[..., 0] >= size[..., 1]
    red = np.where(larger, one, two)
    green = np.where(larger, two, one)
    codes = np.stack([red, green, np.zeros_like(one)], -1)
    codes[~surface_mask] = 0
    return codes


def rounded(values: Array) -> Bytes:
    """Returns uint8 [...], the nearest of 0 to 255 to values [...]. Overwrites `values`: large
    temporaries cost more than the arithmetic.
    """
    np.rint(values, values)
    np.clip(values, 0, 255, values)
    return values.astype("uint8")


def reshading(facing: Floats, distance: Floats) -> Bytes:
    """Returns uint8 [H, W], the brightness under a light at the camera: 1.6 cos 8/(8 + r^2), r in
    metres, cos between the normal and the way back (fitted to published frames).
    """
    near = np.where(np.isfinite(distance), distance, 1e3)
    # 1.6: albedo 0.8, diffuse 0.8 and the annotator's energy of 2.5; 8 m: half of the light
    light = 1.6 * np.clip(facing, 0, 1) * 8 / (8 + near**2)
    return np.clip(light * 255 + 0.5, 0, 255).astype("uint8")


def rays(size: int, field_of_view: float) -> Floats:
    """Returns [S, S, 3] float64, the directions through the pixel centres with z = 1, in the frame
    x right, y down, z away.
    """
    # through the middle of pixels: released depth and distance agree so, and measurably less at
    # corners
    scale = ((np.arange(size) + 0.5) / size * 2 - 1) * np.tan(field_of_view / 2)
    return np.stack([*np.meshgrid(scale, scale), np.ones((size, size))], -1)


def normals_from_depth(depth: Floats, field_of_view: float, side: int = 5) -> Floats:
    """Returns [S, S, 3] unit normals towards the camera, frame x right, y down, z away: the plane
    fitted to side x side pixels.

    depth: metres along the axis, inf unseen. On a plane n.p = d, so that 1/z is linear in the
    pixel: the fit is linear least squares.
    """
    way = rays(depth.shape[0], field_of_view)
    inverse = np.where(np.isfinite(depth), 1 / np.maximum(depth, 1e-6), 0)

    def mean(values: Floats) -> Floats:
        averaged: Floats = cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT)
        return averaged

    x, y = way[..., 0], way[..., 1]
    slopes = [
        # covariance over variance: least squares
        (mean(a * inverse) - mean(a) * mean(inverse))
        / np.maximum(mean(a * a) - mean(a) ** 2, 1e-12)
        for a in (x, y)
    ]
    height = mean(inverse) - slopes[0] * mean(x) - slopes[1] * mean(y)
    # 1/z = n.(x, y, 1) / d: these are the normal's components, turned towards the camera
    normal = -np.stack([*slopes, height], -1)
    return normal / (np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-12)
