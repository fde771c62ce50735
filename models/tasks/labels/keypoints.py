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
    sums = np.ascontiguousarray(cv2.integral(grey)[1:, 1:])
    strongest = box_hessian(sums, (3 * np.linspace(1, 30, 10)).astype("int64"), step)
    return np.clip(strongest * (65535 / 255**2), 0, 65535).astype("uint16")


@numba.njit(cache=True, nogil=True, error_model="numpy")
def box_hessian(sums, sizes, step):
    """[H / step, W / step] float64 largest determinant of Hessian by boxes of `sizes` pixels: scikit-image's `hessian_matrix_det`, where it is wanted only.

    sums: [H, W] int32 or float64 integral image, step a divisor of H and W; sizes: int64. Borders as there: box corners are clipped to the image.
    """
    height, width = sums.shape[0] // step, sums.shape[1] // step
    strongest, spans = np.full((height, width), -np.inf), np.empty((5, 2), np.int64)
    rows, columns = np.empty((height, 5, 2), np.int64), np.empty((width, 5, 2), np.int64)
    # every `step`-th pixel side by side, so that a row's answers come from consecutive numbers
    phased, strips, spare = np.empty_like(sums), np.empty((3, sums.shape[1]), sums.dtype), np.empty((2, width), sums.dtype)
    for y in range(sums.shape[0]):
        for x in range(sums.shape[1]):
            phased[y, x % step * width + x // step] = sums[y, x]
    for size in sizes:
        third, half = size // 3, (size - 1) // 2
        spans[:, 0] = np.array([-third, 1, 1 - third, -half, -(third // 2)])
        spans[:, 1] = np.array([third, third, 2 * third - 1, size, third])
        box_ends(spans, step, sums.shape[0], rows)
        box_ends(spans, step, sums.shape[1], columns)
        columns[:] = columns % step * width + columns // step
        low = min(width, (half + step - 1) // step)
        high = max(low, (sums.shape[1] - 1 - max(size - half, third + 1)) // step + 1)
        for i in range(height):
            box_strips(phased, rows[i], strips)
            if high > low:
                determinants(strips, columns[low], size, spare, strongest[i, low:high])
            for j in range(low):
                strongest[i, j] = max(strongest[i, j], determinant(strips, columns[j], size))
            for j in range(high, width):
                strongest[i, j] = max(strongest[i, j], determinant(strips, columns[j], size))
    return strongest


@numba.njit(cache=True, nogil=True, error_model="numpy")
def box_ends(spans, step, count, ends):
    """write the first and last pixel [n, 5, 2] of the boxes around every `step`-th of `count` pixels, the first excluded.

    spans: [5, 2] offset and length of the boxes before and after the centre, across it, of all three boxes of a second derivative, and of their middle one.
    """
    for i in range(len(ends)):
        for k in range(5):
            ends[i, k, 0] = min(max(i * step + spans[k, 0], 0), count - 1)
            ends[i, k, 1] = min(ends[i, k, 0] + spans[k, 1], count - 1)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def box_strips(sums, ends, strips):
    """write the sums over a row's boxes [3, W]: before less after it (for xy), across it (for xx), three times the middle one less the long one (for yy)."""
    differences(sums[ends[0, 1]], sums[ends[0, 0]], sums[ends[1, 1]], sums[ends[1, 0]], 1, strips[0])
    differences(sums[ends[4, 1]], sums[ends[4, 0]], sums[ends[3, 1]], sums[ends[3, 0]], 3, strips[2])
    top, bottom, strip = sums[ends[2, 0]], sums[ends[2, 1]], strips[1]
    for x in range(len(strip)):
        strip[x] = bottom[x] - top[x]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def differences(one, two, three, four, times, out):
    """write times (one - two) - (three - four)."""
    for x in range(len(out)):
        out[x] = times * (one[x] - two[x]) - (three[x] - four[x])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def determinant(strips, ends, size):
    """at one pixel, from box ends [5, 2]."""
    xy = (strips[0, ends[1, 1]] - strips[0, ends[1, 0]]) - (strips[0, ends[0, 1]] - strips[0, ends[0, 0]])
    xx = 3 * (strips[1, ends[4, 1]] - strips[1, ends[4, 0]]) - (strips[1, ends[3, 1]] - strips[1, ends[3, 0]])
    return of_boxes(xx, strips[2, ends[2, 1]] - strips[2, ends[2, 0]], xy, size)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def of_boxes(xx, yy, xy, size):
    weight = 1.0 / size / size
    xx, yy, xy = xx * weight, yy * weight, xy * weight
    return xx * yy - 0.81 * xy * xy


@numba.njit(cache=True, nogil=True, error_model="numpy")
def determinants(strips, ends, size, spare, strongest):
    """raise a row's strongest [n] from the box ends [5, 2] of its first pixel on, where no box is clipped. spare: [2, W / step]."""
    n = len(strongest)
    xy, xx, long = spare[0, :n], spare[1, :n], strips[2]
    differences(strips[0, ends[1, 1] :], strips[0, ends[1, 0] :], strips[0, ends[0, 1] :], strips[0, ends[0, 0] :], 1, xy)
    differences(strips[1, ends[4, 1] :], strips[1, ends[4, 0] :], strips[1, ends[3, 1] :], strips[1, ends[3, 0] :], 3, xx)
    first, last = long[ends[2, 0] :], long[ends[2, 1] :]
    for j in range(n):
        strongest[j] = max(strongest[j], of_boxes(xx[j], last[j] - first[j], xy[j], size))


def keypoints3d(depth: np.ndarray, normal: np.ndarray, field_of_view: float, support: float = 0.3) -> np.ndarray:
    """uint16 [H, W]: 0.8 of NARF's interest (the factor is measured on published frames).

    depth: metres along the axis (inf: nothing); normal [H, W, 3], frame x right, y down, z away; support: metres. One algorithm at every image size.
    """
    from models.tasks.labels.narf import interest

    return np.clip(interest(depth, normal, field_of_view, support) * (0.8 * 65535), 0, 65535).astype("uint16")
