"""Checks whether a view's labels lie as its picture lies. Where surfaces turn, pictures mostly have
edges, too; labels that are mirrored or turned by quarters (a picture that a reader turned by its
EXIF entry) have them elsewhere.
"""

from __future__ import annotations

import cv2
import numpy as np

from models.examples.normal_axes import Contradiction, turned_said
from models.tasks.arrays import Array, Bytes, Floats

SIDE = 128  # pixels that pictures are shrunk to
# By how much more the edges must agree after a turn. Of 249 procedural views of 128 pixels and the
# four released ones none agrees better turned than as it is (there by 0.16 at least, 0.55 in the
# middle). Of 3,943 others 8 agree better turned: hence most views of a building must.
MORE_ALIKE = 0.15


def turn_contradiction(rgb: Bytes, normal: Bytes) -> Contradiction | None:
    """Returns how normals [S, S, 3] are turned against the picture [S, S, 3], None if they are
    not.
    """
    picture = edges(cv2.cvtColor(shrunk(rgb), cv2.COLOR_RGB2GRAY)[..., None])
    surface = edges(shrunk(normal))
    # turning a map changes neither its mean nor its length
    picture, surface = normalised(picture), normalised(surface)
    alike = {
        (turns, mirrored): float(
            np.vdot(picture, np.rot90(surface[:, ::-1] if mirrored else surface, turns))
        )
        for turns in range(4)
        for mirrored in (False, True)
    }
    as_it_is = alike[0, False]
    turned = max(alike, key=lambda turn: alike[turn])
    if alike[turned] < as_it_is + MORE_ALIKE:
        return None
    return Contradiction(
        f"labels are {turned_said(*turned)} against their pictures",
        f"edges correlate by {alike[turned]:.2f} when turned so, {as_it_is:.2f} as they are",
        "write every map of a view as its picture lies, without an EXIF entry that turns it",
    )


def shrunk(picture: Bytes) -> Array:
    """Returns [s, s, 3] float32 of about `SIDE` pixels, by nearest pixel: vectors have no mean."""
    step = max(1, len(picture) // SIDE)
    return np.ascontiguousarray(picture[::step, ::step]).astype("float32")


def edges(maps: Array) -> Floats:
    """Returns [s, s], the logarithm of the steps from pixel to pixel of [s, s, channels], smoothed
    a little.
    """
    smooth = cv2.GaussianBlur(maps, (0, 0), 1).reshape(maps.shape)
    size = np.zeros(maps.shape[:2], "float32")
    for plane in cv2.split(smooth):
        size += cv2.magnitude(
            cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1)
        )
    return np.log1p(size)


def normalised(values: Floats) -> Floats:
    """Returns a map [...] less its mean, of length 1, float64 [...]: the scalar product of two is
    their correlation. All 0 if the map is all the same.
    """
    centred: Floats = values.astype(float) - values.mean(dtype=float)
    length = float(np.linalg.norm(centred))
    return centred / length if length and values.std() else np.zeros_like(centred)
