"""2D keypoints (SURF's determinant of Hessian) and 3D keypoints (NARF's interest)."""

from __future__ import annotations

import cv2
import numpy as np

from models.tasks.labels.edges import REFERENCE, luma


def keypoints2d(rgb: np.ndarray) -> np.ndarray:
    """uint16 [H, W]: largest determinant of Hessian over ten scales (sigma 1 to 30 at 512 pixels), scikit-image's box-filter form.

    Smaller images are doubled up to 512 first, since box filters need room, and sampled back.
    """
    grey, step = luma(rgb), max(1, REFERENCE // rgb.shape[0])
    if step > 1:
        grey = cv2.resize(grey, None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)
    scales = np.linspace(1, 30, 10)
    if step == 1:
        from skimage.feature import hessian_matrix_det

        strongest = np.max([hessian_matrix_det(grey / 255.0, sigma) for sigma in scales], axis=0)
    else:
        sums = cv2.integral(grey / 255.0)[1:, 1:]
        strongest = np.max([box_hessian(sums, int(3 * sigma), step) for sigma in scales], axis=0)
    return np.clip(strongest * 65535, 0, 65535).astype("uint16")


def box_hessian(sums: np.ndarray, size: int, step: int) -> np.ndarray:
    """every `step`-th pixel's determinant of Hessian by boxes of `size` pixels: scikit-image's `hessian_matrix_det`, evaluated where it is wanted only.

    sums: [H, W] integral image. Borders as there: box corners are clipped to the image.
    """
    third, half, (height, width) = size // 3, (size - 1) // 2, sums.shape
    spans = {"before": (-third, third), "after": (1, third), "middle": (1 - third, 2 * third - 1), "long": (-half, size), "centre": (-(third // 2), third)}

    def ends(count: int, span: str) -> tuple[np.ndarray, np.ndarray]:
        start = np.clip(np.arange(0, count, step) + spans[span][0], 0, count - 1)
        return start, np.clip(start + spans[span][1], 0, count - 1)

    def box(rows: str, columns: str) -> np.ndarray:
        (top, bottom), (left, right) = ends(height, rows), ends(width, columns)
        strip = sums[bottom] - sums[top]
        return strip[:, right] - strip[:, left]

    weight = 1.0 / size / size
    xy = (box("before", "after") + box("after", "before") - box("before", "before") - box("after", "after")) * weight
    xx = (3 * box("middle", "centre") - box("middle", "long")) * weight
    yy = (3 * box("centre", "middle") - box("long", "middle")) * weight
    return xx * yy - 0.81 * xy * xy


def keypoints3d(depth: np.ndarray, normal: np.ndarray, field_of_view: float, support: float = 0.3, grid: int = 64) -> np.ndarray:
    """uint16 [H, W]: 0.8 of NARF's interest (the factor is measured on published frames).

    depth: metres along the axis (inf: nothing); normal [H, W, 3] camera frame.
    grid: pixels of the finest scale; 256 agrees best with the published labels, 64 takes a twentieth of the time.
    """
    from models.tasks.labels.narf import interest

    found = np.where(np.isfinite(depth), interest(depth, normal, field_of_view, support, grid), 0)
    return np.clip(found * (0.8 * 65535), 0, 65535).astype("uint16")
