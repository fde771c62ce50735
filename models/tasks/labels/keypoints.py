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


def keypoints3d(depth: np.ndarray, normal: np.ndarray, field_of_view: float, support: float = 0.3, grid: int = 64) -> np.ndarray:
    """uint16 [H, W]: 0.8 of NARF's interest (the factor is measured on published frames).

    depth: metres along the axis (inf: nothing); normal [H, W, 3] camera frame.
    grid: pixels of the finest scale; 256 agrees best with the published labels, 64 takes a twentieth of the time.
    """
    from models.tasks.labels.narf import interest

    found = np.where(np.isfinite(depth), interest(depth, normal, field_of_view, support, grid), 0)
    return np.clip(found * (0.8 * 65535), 0, 65535).astype("uint16")
