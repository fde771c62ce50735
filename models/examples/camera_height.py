"""Estimates how high above the floor a camera stands, from its depth and normals. A strange height
contradicts nothing, but it is a hint: people hold cameras at breast height, and depth read on
another scale lifts them to the ceiling.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.examples.normal_axes import CAMERA_AXES, surface_of
from models.tasks import Camera
from models.tasks.arrays import Array
from models.tasks.labels.surfaces import rays

# Degrees from upright up to which a surface is a floor, or something that stands level on it.
LEVEL = 15
LEAST_FLOOR = 0.05  # share of the view
# Percentile of the level pixels' heights: tables lie above the floor, and few pixels err.
DEEP = 95
# Metres. Medians of 40 procedural buildings: 1.16 to 1.73; of their depth read on a scale of 1000
# for 512 codes: 1.8 to 2.9. Tripods and people stand between, robots and drones do not.
USUAL_HEIGHT = (0.75, 2.0)


def camera_height(labels: Mapping[str, Array], camera: Camera | None) -> float | None:
    """Returns the height of the camera in metres above the lowest level surface that a view shows,
    None if it shows hardly any. labels: maps thinned alike, normals [s, s, 3] and depth [s, s] in
    1/512 m. A camera that nobody described is taken to be level.
    """
    surface = surface_of(labels, camera)
    if surface is None or not surface.along:
        return None
    above = np.array([0.0, 1, 0]) if camera is None else camera.rotation.T @ [0.0, 0, 1]
    up = CAMERA_AXES @ above
    level = surface.stored @ up > np.cos(np.deg2rad(LEVEL))
    if level.sum() < LEAST_FLOOR * surface.flat.size:
        return None
    codes = surface.depth[surface.flat][level]
    heights = -codes / 512 * (rays(len(surface.flat), surface.angle)[surface.flat][level] @ up)
    below = heights[heights > 0]
    return float(np.percentile(below, DEEP)) if below.size else None
