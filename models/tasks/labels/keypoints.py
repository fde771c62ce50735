"""Computes 2D keypoints (SURF's determinant of Hessian) and 3D keypoints (NARF's interest)."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from models.provenance.kernels import njit
from models.tasks.arrays import Array, Bytes, Floats, Integers, Scalar
from models.tasks.labels.edges import REFERENCE, luma
from models.tasks.labels.narf import interest


def keypoints2d(rgb: Bytes) -> Integers:
    """Returns uint16 [H, W]: largest determinant of Hessian over ten scales (sigma 1 to 30 at 512
    pixels), scikit-image's box-filter form.

    Smaller images are enlarged to 512 first, since box filters need room, and sampled back.
    """
    grey = luma(rgb)
    step = max(1, REFERENCE // rgb.shape[0])
    if step > 1:
        grey = cv2.resize(grey, None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)
    # OpenCV puts a row and a column of zeros first, scikit-image does not
    sums = np.ascontiguousarray(cv2.integral(grey)[1:, 1:])
    # scikit-image's box for a sigma: three times it, cut to a whole number
    strongest = box_hessian(sums, (3 * np.linspace(1, 30, 10)).astype("int64"), step)
    # the sums are of codes and not of [0, 1], and a determinant is quadratic in them
    return np.clip(strongest * (65535 / 255**2), 0, 65535).astype("uint16")


def box_hessian(sums: Array, sizes: Integers, step: int) -> Floats:
    """Returns [H / step, W / step] float64, the largest determinant of Hessian by boxes of `sizes`
    pixels: scikit-image's `hessian_matrix_det`, only at every `step`-th pixel.

    sums: [H, W] int32 or float64 integral image, step a divisor of H and W; sizes: int. Borders are
    as in scikit-image: box corners are clipped to the image.
    """
    height = sums.shape[0] // step
    width = sums.shape[1] // step
    # every `step`-th pixel side by side, so that a row's answers come from consecutive numbers
    turned = sums.reshape(-1, width, step).transpose(0, 2, 1)
    phased = np.ascontiguousarray(turned).reshape(sums.shape)
    strongest = np.full((height, width), -np.inf)
    for size in map(int, sizes):
        rows, places, low, high = boxes(size, step, *sums.shape)
        raise_to_size(phased, size, rows, places, low, high, strongest)
    return strongest


@lru_cache(maxsize=32)  # every picture of a data set asks for the same ten
def boxes(size: int, step: int, height: int, width: int) -> tuple[Integers, Integers, int, int]:
    """Returns the arguments of `raise_to_size` for one size of box on images of height x width; not
    to be written into. rows: [H / step, 5, 2], places: [W / step, 5, 2], as of `box_ends`.
    """
    rows = box_ends(size, step, height)
    columns = box_ends(size, step, width)
    places = columns % step * (width // step) + columns // step
    low = min(width // step, ((size - 1) // 2 + step - 1) // step)
    high = max(low, (width - 1 - max(size // 2 + 1, size // 3 + 1)) // step + 1)
    return rows, places, low, high


def box_ends(size: int, step: int, count: int) -> Integers:
    """Returns [count / step, 5, 2] int64, the first and last pixel (the first excluded) of the
    boxes around every `step`-th of `count` pixels.

    In this order: before and after the centre, across it, all three boxes of a second derivative,
    the one in the middle of these.
    """
    third = size // 3
    starts = [-third, 1, 1 - third, -((size - 1) // 2), -(third // 2)]
    lengths = [third, third, 2 * third - 1, size, third]
    first = np.clip(np.arange(0, count, step)[:, None] + starts, 0, count - 1)
    return np.stack([first, np.minimum(first + lengths, count - 1)], -1)


@njit(cache=True, nogil=True, error_model="numpy")
def raise_to_size(
    sums: Array,
    size: int,
    rows: Integers,
    columns: Integers,
    low: int,
    high: int,
    strongest: Floats,
) -> None:
    """Raises strongest [H / step, W / step] to the determinants of one size, whose boxes are
    clipped at the sides in columns before `low` and from `high` on.

    sums: as in `box_hessian`, every `step`-th pixel side by side; rows, columns: of `box_ends`,
    columns in that order.
    """
    height, width = strongest.shape
    strips = np.empty((3, sums.shape[1]), sums.dtype)
    spare = np.empty((2, width), sums.dtype)
    for i in range(height):
        box_strips(sums, rows[i], strips)
        if high > low:
            determinants(strips, columns[low], size, spare, strongest[i, low:high])
        for j in range(low):
            strongest[i, j] = max(strongest[i, j], determinant(strips, columns[j], size))
        for j in range(high, width):
            strongest[i, j] = max(strongest[i, j], determinant(strips, columns[j], size))


@njit(cache=True, nogil=True, error_model="numpy")
def box_strips(sums: Array, ends: Integers, strips: Array) -> None:
    """Writes the sums over a row's boxes into `strips` [3, W]: before less after it (for xy),
    across it (for xx), three times the middle one less the long one (for yy).
    """
    differences(
        sums[ends[0, 1]], sums[ends[0, 0]], sums[ends[1, 1]], sums[ends[1, 0]], 1, strips[0]
    )
    differences(
        sums[ends[4, 1]], sums[ends[4, 0]], sums[ends[3, 1]], sums[ends[3, 0]], 3, strips[2]
    )
    top, bottom, strip = sums[ends[2, 0]], sums[ends[2, 1]], strips[1]
    for x in range(len(strip)):
        strip[x] = bottom[x] - top[x]


@njit(cache=True, nogil=True, error_model="numpy")
def differences(one: Array, two: Array, three: Array, four: Array, times: int, out: Array) -> None:
    """Writes times (one - two) - (three - four), of rows [n], into `out` [n]."""
    for x in range(len(out)):
        out[x] = times * (one[x] - two[x]) - (three[x] - four[x])


@njit(cache=True, nogil=True, error_model="numpy")
def determinant(strips: Array, ends: Integers, size: int) -> float:
    """Returns the determinant of Hessian at one pixel, from its box ends [5, 2]."""
    xy = (strips[0, ends[1, 1]] - strips[0, ends[1, 0]]) - (
        strips[0, ends[0, 1]] - strips[0, ends[0, 0]]
    )
    xx = 3 * (strips[1, ends[4, 1]] - strips[1, ends[4, 0]]) - (
        strips[1, ends[3, 1]] - strips[1, ends[3, 0]]
    )
    return of_boxes(xx, strips[2, ends[2, 1]] - strips[2, ends[2, 0]], xy, size)


@njit(cache=True, nogil=True, error_model="numpy")
def of_boxes(xx: Scalar, yy: Scalar, xy: Scalar, size: int) -> Scalar:
    """Returns the determinant of Hessian from sums over boxes, scaled to their area; 0.9 squared
    weighs the mixed derivative (Bay et al. 2006).
    """
    weight = 1.0 / size / size
    xx, yy, xy = xx * weight, yy * weight, xy * weight
    return xx * yy - 0.81 * xy * xy


@njit(cache=True, nogil=True, error_model="numpy")
def determinants(strips: Array, ends: Integers, size: int, spare: Array, strongest: Floats) -> None:
    """Raises a row's `strongest` [n] to the determinants of one size, for pixels whose boxes are
    not clipped. ends: [5, 2], of the first pixel. spare: [2, W / step].
    """
    n = len(strongest)
    xy, xx, long = spare[0, :n], spare[1, :n], strips[2]
    differences(
        strips[0, ends[1, 1] :],
        strips[0, ends[1, 0] :],
        strips[0, ends[0, 1] :],
        strips[0, ends[0, 0] :],
        1,
        xy,
    )
    differences(
        strips[1, ends[4, 1] :],
        strips[1, ends[4, 0] :],
        strips[1, ends[3, 1] :],
        strips[1, ends[3, 0] :],
        3,
        xx,
    )
    first, last = long[ends[2, 0] :], long[ends[2, 1] :]
    for j in range(n):
        strongest[j] = max(strongest[j], of_boxes(xx[j], last[j] - first[j], xy[j], size))


def keypoints3d(
    depth: Floats, normal: Floats, field_of_view: float, support: float = 0.3
) -> Integers:
    """Returns uint16 [H, W]: 0.8 of NARF's interest (the factor is measured on published frames).

    depth: metres along the axis (inf: nothing); normal [H, W, 3], frame x right, y down, z away;
    support: metres. One algorithm at every image size.
    """
    score = interest(depth, normal, field_of_view, support)
    return np.clip(score * (0.8 * 65535), 0, 65535).astype("uint16")
