"""2D keypoints (SURF's determinant of Hessian) and 3D keypoints (NARF's interest)."""

from __future__ import annotations

import cv2
import numba
import numpy as np

from models.tasks.labels.edges import REFERENCE, luma


def keypoints2d(rgb: np.ndarray) -> np.ndarray:
    """uint16 [H, W]: largest determinant of Hessian over ten scales (sigma 1 to 30 at 512 pixels), scikit-image's box-filter form.

    Smaller images are doubled up to 512 first, since box filters need room, and sampled back.
    """
    grey, step = luma(rgb), max(1, REFERENCE // rgb.shape[0])
    if step > 1:
        grey = cv2.resize(grey, None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)
    sums = np.ascontiguousarray(cv2.integral(grey / 255.0)[1:, 1:])
    strongest = box_hessian(sums, (3 * np.linspace(1, 30, 10)).astype("int64"), step)
    return np.clip(strongest * 65535, 0, 65535).astype("uint16")


@numba.njit(cache=True, nogil=True)
def box_hessian(sums, sizes, step):
    """[H / step, W / step] largest determinant of Hessian by boxes of `sizes` pixels (int64): scikit-image's `hessian_matrix_det`, where it is wanted only.

    sums: [H, W] float64 integral image. Borders as there: box corners are clipped to the image.
    """
    height, width = sums.shape
    strongest = np.full(((height + step - 1) // step, (width + step - 1) // step), -np.inf)
    rows, columns = np.empty((10, strongest.shape[0]), np.int64), np.empty((10, strongest.shape[1]), np.int64)
    strip = np.empty((5, width))
    for size in sizes:
        third, half, weight = size // 3, (size - 1) // 2, 1.0 / size / size
        spans = ((-third, third), (1, third), (1 - third, 2 * third - 1), (-half, size), (-(third // 2), third))
        for ends, count in ((rows, height), (columns, width)):
            for k in range(5):
                for i in range(ends.shape[1]):
                    ends[2 * k, i] = min(max(i * step + spans[k][0], 0), count - 1)
                    ends[2 * k + 1, i] = min(ends[2 * k, i] + spans[k][1], count - 1)
        for i in range(strongest.shape[0]):
            for k in range(5):
                bottom, top = sums[rows[2 * k + 1, i]], sums[rows[2 * k, i]]
                for j in range(width):
                    strip[k, j] = bottom[j] - top[j]
            before, after, middle, long, centre = strip[0], strip[1], strip[2], strip[3], strip[4]
            for j in range(strongest.shape[1]):
                b0, b1, a0, a1, m0, m1 = columns[0, j], columns[1, j], columns[2, j], columns[3, j], columns[4, j], columns[5, j]
                l0, l1, c0, c1 = columns[6, j], columns[7, j], columns[8, j], columns[9, j]
                xy = ((before[a1] - before[a0]) + (after[b1] - after[b0]) - (before[b1] - before[b0]) - (after[a1] - after[a0])) * weight
                xx = (3 * (middle[c1] - middle[c0]) - (middle[l1] - middle[l0])) * weight
                yy = (3 * (centre[m1] - centre[m0]) - (long[m1] - long[m0])) * weight
                strongest[i, j] = max(strongest[i, j], xx * yy - 0.81 * xy * xy)
    return strongest


def keypoints3d(depth: np.ndarray, normal: np.ndarray, field_of_view: float, support: float = 0.3) -> np.ndarray:
    """uint16 [H, W]: 0.8 of NARF's interest (the factor is measured on published frames).

    depth: metres along the axis (inf: nothing); normal [H, W, 3], frame x right, y down, z away; support: metres. One algorithm at every image size.
    """
    from models.tasks.labels.narf import interest

    return np.clip(interest(depth, normal, field_of_view, support) * (0.8 * 65535), 0, 65535).astype("uint16")
