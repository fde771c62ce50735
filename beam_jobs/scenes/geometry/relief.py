"""Uneven surfaces: periodic height fields of millimetres with exact derivatives, such as plaster,
floors, cloth and pile have in scanned meshes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft

from models.tasks.arrays import Floats

# a power of two: `shading._height` wraps by a mask
SIDE = 128


@dataclass(frozen=True)
class Relief:
    """A style of unevenness. tile: metres of a period; shortest, longest: wavelengths, m; bend:
    root mean square of the curvature (Laplacian / 2), 1/m.

    patchy: how unevenly the unevenness is spread (0: everywhere alike). Scans are smooth in places
    and rough in others: on the two real frames with curvature 25 and 32 % of the upward pixels bend
    by 10 codes or more, while the medians are 3 and 5.
    """

    tile: float
    shortest: float
    longest: float
    bend: float
    patchy: float = 0.0


STYLES = {
    "none": Relief(1.0, 0.5, 1.0, 0.0),
    "plaster": Relief(2.56, 0.10, 0.60, 0.6, 0.7),
    "ceiling": Relief(2.56, 0.10, 0.60, 0.35, 0.7),
    "boards": Relief(2.56, 0.10, 0.18, 1.8, 0.7),
    "wood": Relief(1.28, 0.08, 0.18, 1.8, 0.8),
    "cloth": Relief(1.28, 0.06, 0.20, 3.2),
    "pile": Relief(1.28, 0.05, 0.16, 3.8, 0.7),
}


def height_fields(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Returns (heights [style, T, T, 6] float32: h m, h_u, h_v, h_uu, h_uv, h_vv; tile [style] m)
    of all styles.
    """
    fields = [height_field(rng, relief) for relief in STYLES.values()]
    return np.stack(fields).astype("float32"), np.array(
        [relief.tile for relief in STYLES.values()], "float32"
    )


def height_field(rng: np.random.Generator, relief: Relief) -> Floats:
    """Returns [T, T, 6], a sum of waves between the two wavelengths and its derivatives, taken from
    its spectrum (exact at the lattice).
    """
    step = relief.tile / SIDE
    v, u = (
        2j * np.pi * np.fft.fftfreq(SIDE, step)[:, None],
        2j * np.pi * np.fft.rfftfreq(SIDE, step)[None],
    )
    # waves a metre, whichever way they run
    number = np.sqrt(np.abs(u) ** 2 + np.abs(v) ** 2) / (2 * np.pi)
    band = (number >= 1 / relief.longest) & (number <= 1 / relief.shortest)
    noise = rng.standard_normal((4, *band.shape))
    # weaker with the square and a half of the wave number: long waves carry the height, short ones
    # the curvature
    spectrum = np.where(band, (noise[0] + 1j * noise[1]) / np.maximum(number, 1e-9) ** 2.5, 0)
    if relief.patchy:
        broad = fft.irfft2(
            np.where((number > 0) & (number <= 3 / relief.tile), noise[2] + 1j * noise[3], 0),
            s=(SIDE, SIDE),
        )
        spectrum = fft.rfft2(
            # the exponential of a smooth field: always positive, and as often halved as doubled
            fft.irfft2(spectrum, s=(SIDE, SIDE)) * np.exp(relief.patchy * broad / broad.std())
        )
        spectrum[(number > 1.2 / relief.shortest) | (number < 0.8 / relief.longest)] = (
            0  # what the patches' edges add
        )
    # a derivative is a factor on the spectrum: exact at every point of the lattice
    maps = np.stack(
        [
            fft.irfft2(spectrum * factor, s=(SIDE, SIDE))
            for factor in (1, u, v, u * u, u * v, v * v)
        ],
        -1,
    )
    # the Laplacian / 2 is the mean curvature: its root mean square becomes `bend`
    return maps * (relief.bend / max(((maps[..., 3] + maps[..., 5]) / 2).std(), 1e-12))
