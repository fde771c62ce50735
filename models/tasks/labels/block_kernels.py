"""Compiled loops of colorization's labels: from the bytes of a picture to the shares of ten colour
bins for every block of 4 x 4 pixels.

A colour lies in a cell of the bins' lattice, at most half a step from the cell's centre along a and
along b. Folded, that is mirrored at the cell's two axes and at its diagonal until 0 <= v <= u <=
1/2, in steps, nine of the ten nearest centres are the same for every colour, and the tenth is one
of three (`colour_neighbours.FAR`, `TENTHS`). So nothing is searched, and one formula serves all.

A row of blocks at a time, and each quantity in an array of its own, few of them a loop: such loops
compilers vectorise. Arrays [n] are of a row's blocks. Without fused products, so that the numbers
are the same on every processor.
"""

from __future__ import annotations

import math

import numpy as np

from models.provenance.kernels import njit
from models.tasks.arrays import Bytes, Floats, Integers
from models.tasks.labels.colour_neighbours import CELLS, REACH
from models.tasks.labels.colours import SIGMA, STEP

# The exponent of a colour's growth towards a neighbour, for a step.
GROWTH = (STEP / SIGMA) ** 2
# Weights of what is one step and two steps away along an axis, beside the centre's own.
ONE_STEP = math.exp(-GROWTH / 2)
TWO_STEPS = math.exp(-2 * GROWTH)

# error_model="numpy" below: the default checks every division for zero, and loops with checks are
# not vectorised


@njit(cache=True, nogil=True, error_model="numpy")
def light_of_row(pixels: Bytes, levels: Floats, columns: Integers, light: Floats) -> None:
    """Writes into light [3, n] what levels [4081] say of the sum of each 4 x 4 pixels of uint8 [4,
    4 n or more, 3]. columns: uint16 [12 n], overwritten.
    """
    first, second = pixels[0].reshape(-1), pixels[1].reshape(-1)
    third, fourth = pixels[2].reshape(-1), pixels[3].reshape(-1)
    for x in range(len(columns)):
        columns[x] = np.uint16(first[x]) + second[x] + third[x] + fourth[x]
    for step in (3, 6):
        for x in range(len(columns) - step):
            columns[x] += columns[x + step]
    for x in range(light.shape[1]):
        for c in range(3):
            light[c, x] = levels[columns[12 * x + c]]


@njit(cache=True, nogil=True, error_model="numpy")
def roots_of_ratios(ratio: Floats, single: Floats, roots: Floats) -> None:
    """Writes the cube roots of ratios to white [n], linear near black (CIE 1976), into roots [n],
    to 1e-15. single [n] float32: overwritten.

    y = x^(-1/3) is begun by dividing the float's bits, which have the exponent on top, and made
    better twice, each time to the fourth power of what is lacking in x y^3 = 1. No division.
    """
    n = len(roots)
    bits = single.view(np.int32)
    for i in range(n):
        single[i] = ratio[i]
    for i in range(n):
        bits[i] = np.int32(np.float32(1419967116.0) - np.float32(bits[i]) * np.float32(1 / 3))
    for i in range(n):
        x = ratio[i]
        y = np.float64(single[i])
        lack = 1 - x * y * (y * y)
        y += y * lack * (1 / 3 + lack * (2 / 9 + lack * (14 / 81)))
        lack = 1 - x * y * (y * y)
        y += y * lack * (1 / 3 + lack * (2 / 9 + lack * (14 / 81)))
        root = x * y * y
        roots[i] = root if x > 0.008856 else 7.787 * x + 16 / 116


@njit(cache=True, nogil=True, error_model="numpy")
def roots_of_light(
    light: Floats, to_ratio: Floats, ratio: Floats, single: Floats, roots: Floats
) -> None:
    """Writes the cube roots of XYZ over those of white (`roots_of_ratios`) into roots [3 n], X
    first. light: [3, n]; to_ratio: [3, 3]; ratio [3 n], single [3 n] float32: overwritten.
    """
    n = light.shape[1]
    for c in range(3):
        red, green, blue = to_ratio[c]
        for i in range(n):
            ratio[c * n + i] = red * light[0, i] + green * light[1, i] + blue * light[2, i]
    roots_of_ratios(ratio, single, roots)


@njit(cache=True, nogil=True, error_model="numpy")
def cells_of_row(roots: Floats, ab: Floats, steps: Floats, cell: Integers) -> None:
    """Writes Lab (a, b) into ab [2, n]; how far beyond the nearest point of the lattice they are,
    in steps, into steps [2, n]; and into cell [n] the row of `Neighbours` that is of that
    point and of how the colour is folded. roots: [3 n].
    """
    n = len(cell)
    for i in range(n):
        ab[0, i] = 500 * (roots[i] - roots[n + i])
    for i in range(n):
        ab[1, i] = 200 * (roots[n + i] - roots[2 * n + i])
    for axis in range(2):
        for i in range(n):
            place = ab[axis, i] * (1 / STEP)
            steps[axis, i] = place - np.floor(place + 0.5)
    for i in range(n):
        row = np.floor(ab[0, i] * (1 / STEP) + 0.5)
        column = np.floor(ab[1, i] * (1 / STEP) + 0.5)
        x, y = steps[0, i], steps[1, i]
        octant = (1.0 if x < 0 else 0.0) + (2.0 if y < 0 else 0.0)
        octant += 4.0 if abs(y) > abs(x) else 0.0
        cell[i] = np.int32(8 * ((row + REACH) * CELLS + column + REACH) + octant)


@njit(cache=True, nogil=True, error_model="numpy")
def choose_tenth(steps: Floats, tenth: Floats, margin: Floats) -> None:
    """Writes into tenth [n] which of `TENTHS` is nearest to colours, steps [2, n] from the nearest
    point of the lattice, and into margin [n] how clearly: not above 0 where any two centres are as
    far, which they are on the borders of the folded cell, too.

    Squares of distances, less u^2 + v^2.
    """
    for i in range(len(tenth)):
        x, y = abs(steps[0, i]), abs(steps[1, i])
        u, v = max(x, y), min(x, y)
        corner, above, beyond = 2 + 2 * u + 2 * v, 4 - 4 * v, 5 - 4 * u - 2 * v
        number = 0.0 if corner < above else 1.0
        tenth[i] = 2.0 if beyond < min(corner, above) else number
    for i in range(len(tenth)):
        x, y = abs(steps[0, i]), abs(steps[1, i])
        u, v = max(x, y), min(x, y)
        corner, above, beyond = 2 + 2 * u + 2 * v, 4 - 4 * v, 5 - 4 * u - 2 * v
        least, most = min(corner, above), max(corner, above)
        gap = min(most, max(least, beyond)) - min(least, beyond)
        margin[i] = min(min(gap, u - v), min(v, 0.5 - u))


@njit(cache=True, nogil=True, error_model="numpy")
def growths(steps: Floats, growth: Floats) -> None:
    """Writes exp(GROWTH steps) into growth [n] for steps [n] from -1/2 to 1/2, to 1e-14: from a
    sixteenth of the exponent.
    """
    for i in range(len(steps)):
        z = (GROWTH / 16) * steps[i]
        square = z * z
        late = (1 / 720 + z * (1 / 5040)) + square * (1 / 40320 + z * (1 / 362880))
        series = (1 + z) + square * (
            (1 / 2 + z * (1 / 6)) + square * ((1 / 24 + z * (1 / 120)) + square * late)
        )
        series *= series
        series *= series
        series *= series
        growth[i] = series * series


@njit(cache=True, nogil=True, error_model="numpy")
def extremes(growth: Floats, inverse: Floats, towards: Floats, away: Floats) -> None:
    """Writes 1/growth into inverse, the larger of both into towards, the smaller into away; all
    [m].
    """
    for i in range(len(growth)):
        inverse[i] = 1 / growth[i]
    for i in range(len(growth)):
        towards[i] = max(growth[i], inverse[i])
    for i in range(len(growth)):
        away[i] = min(growth[i], inverse[i])


@njit(cache=True, nogil=True, error_model="numpy")
def totals(
    towards: Floats, away: Floats, tenth: Floats, far: Floats, last: Floats, whole: Floats
) -> None:
    """Writes into far [n] and last [n] the weights of the far centre and of the tenth, beside that
    of the nearest, and into whole [n] the nearest's share. towards, away: [2, n], growth to the
    side of a cell that the colour is nearer to, and to the other.
    """
    for i in range(len(tenth)):
        u, v = max(towards[0, i], towards[1, i]), min(towards[0, i], towards[1, i])
        corner = ONE_STEP * ONE_STEP * away[0, i] * away[1, i]
        weight = corner if tenth[i] == 0 else v * v * TWO_STEPS
        last[i] = u * u * v * (ONE_STEP * TWO_STEPS) if tenth[i] == 2 else weight
    for i in range(len(tenth)):
        u = max(towards[0, i], towards[1, i])
        far[i] = u * u * TWO_STEPS
    # three by three without a corner, and two more
    for i in range(len(tenth)):
        across = 1 + ONE_STEP * (towards[0, i] + away[0, i])
        along = 1 + ONE_STEP * (towards[1, i] + away[1, i])
        corner = ONE_STEP * ONE_STEP * away[0, i] * away[1, i]
        whole[i] = 1 / (across * along - corner + far[i] + last[i])


@njit(cache=True, nogil=True, error_model="numpy")
def factors(growth: Floats, inverse: Floats, whole: Floats, rows: Floats, columns: Floats) -> None:
    """Writes what the shares of three by three centres are products of: rows [3, n] for a step
    down, none and a step up along a, columns [2, n] for a step down and up along b. growth, and
    inverse of it: [2, n].
    """
    for i in range(len(whole)):
        rows[0, i] = whole[i] * (ONE_STEP * inverse[0, i])
    for i in range(len(whole)):
        rows[1, i] = whole[i]
    for i in range(len(whole)):
        rows[2, i] = whole[i] * (ONE_STEP * growth[0, i])
    for i in range(len(whole)):
        columns[0, i] = ONE_STEP * inverse[1, i]
    for i in range(len(whole)):
        columns[1, i] = ONE_STEP * growth[1, i]


@njit(cache=True, nogil=True, error_model="numpy")
def shares_of_two(whole: Floats, far: Floats, last: Floats, shares: Floats) -> None:
    """Writes the shares of the far centre and of the tenth into shares [2, n] float32."""
    for i in range(len(whole)):
        shares[0, i] = whole[i] * far[i]
    for i in range(len(whole)):
        shares[1, i] = whole[i] * last[i]
