"""2D keypoints (SURF's determinant of Hessian) and 3D keypoints (NARF's interest)."""

from __future__ import annotations

import cv2
import numpy as np

from models.tasks.labels.edges import REFERENCE, luma


def keypoints2d(rgb: np.ndarray) -> np.ndarray:
    """uint16 [H, W]: largest determinant of Hessian over ten scales (sigma 1 to 30 at 512 pixels), scikit-image's box-filter form.

    Smaller images are doubled up to 512 first, since box filters need room, and sampled back.
    """
    from skimage.feature import hessian_matrix_det

    grey, step = luma(rgb), max(1, REFERENCE // rgb.shape[0])
    if step > 1:
        grey = cv2.resize(grey, None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)
    image = grey / 255.0
    strongest = np.max([hessian_matrix_det(image, sigma) for sigma in np.linspace(1, 30, 10)], axis=0)
    return np.clip(strongest[::step, ::step] * 65535, 0, 65535).astype("uint16")


def keypoints3d(depth: np.ndarray, distance: np.ndarray, normal: np.ndarray, field_of_view: float, support: float = 0.3, grid: int = 64) -> np.ndarray:
    """uint16 [H, W]: NARF interest (Steder et al. 2011, equations 1 to 4): places where the surface changes in two directions, near but not on it.

    depth, distance: metres (inf: nothing); normal [H, W, 3] camera frame. Computed on a grid of at most `grid` cells and enlarged; the published
    labels come from another implementation of the same method with unpublished details.
    """
    size = depth.shape[0]
    step = max(1, size // grid)
    z, n = depth[step // 2 :: step, step // 2 :: step], normal[step // 2 :: step, step // 2 :: step]
    side = z.shape[0]
    seen = np.isfinite(z)
    z = np.where(seen, z, 1e3)
    scale = np.tan(field_of_view / 2) * (((np.arange(side) + 0.5) / side) * 2 - 1)
    points = np.stack([scale[None] * z, scale[:, None] * z, z], -1)
    change, direction = surface_change(points, n, seen)
    interest = narf_interest(points, change, direction, support)
    interest = cv2.resize(np.where(seen, interest, 0).astype("float32"), (size, size), interpolation=cv2.INTER_LINEAR)
    return np.clip(interest * 65535, 0, 65535).astype("uint16")


def surface_change(points: np.ndarray, normals: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """change [h, w] in [0, 1] and its direction [h, w] in radians: depth borders count 1, else how far normals turn between neighbours."""
    change, direction = np.zeros(seen.shape), np.zeros(seen.shape)
    for dy, dx in ((0, 1), (1, 0), (1, 1), (-1, 1)):
        one, two = shifted(points, -dy, -dx), shifted(points, dy, dx)
        turned = 1 - np.clip((shifted(normals, -dy, -dx) * shifted(normals, dy, dx)).sum(-1), -1, 1)
        jump = np.abs(one[..., 2] - two[..., 2]) > 0.12 * points[..., 2]
        score = np.where(jump, 1.0, np.clip(turned, 0, 1))
        better = (score > change) & seen
        change = np.where(better, score, change)
        direction = np.where(better, np.arctan2(dy, dx), direction)
    return np.where(change > 0.05, change, 0), direction


def narf_interest(points: np.ndarray, change: np.ndarray, direction: np.ndarray, support: float, bins: int = 8, reach: int = 5) -> np.ndarray:
    """[h, w] in [0, 1]: I1 * I2, I1 = min(1 - change * max(1 - 10 d/support, 0)), I2 = max over pairs of changes s_i s_j (1 - |cos|)."""
    strongest = np.zeros((bins, *change.shape))
    alone = np.ones(change.shape)
    bin_of = np.round(direction / np.pi * bins).astype(int) % bins
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            near = shifted(change, dy, dx)
            if not near.any():
                continue
            apart = np.linalg.norm(shifted(points, dy, dx) - points, axis=-1)
            inside = apart < support
            alone = np.minimum(alone, np.where(inside, 1 - near * np.maximum(1 - 10 * apart / support, 0), 1))
            value, place = np.where(inside, near * (1 - apart / support * 0.5), 0), shifted(bin_of, dy, dx)
            for b in range(bins):
                np.maximum(strongest[b], np.where(place == b, value, 0), out=strongest[b])
    pairs = np.zeros(change.shape)
    for a in range(bins):
        for b in range(a + 1, bins):
            np.maximum(pairs, strongest[a] * strongest[b] * (1 - abs(np.cos((a - b) * np.pi / bins))), out=pairs)
    return alone * pairs


def shifted(image: np.ndarray, dy: int, dx: int) -> np.ndarray:
    """image moved by (dy, dx), border repeated."""
    h, w = image.shape[:2]
    return image[np.clip(np.arange(h) + dy, 0, h - 1)][:, np.clip(np.arange(w) + dx, 0, w - 1)]
