"""Chooses where cameras stand in any scan, which room's box surrounds them, and which points they
look at.

A camera stands at head height over something level, with free space around it, walls in most
directions, and no lower floor nearby (so that it does not stand over a table top). The box of a
room is where most of what its cameras see of walls, floor and ceiling lies.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from beam_jobs.scenes.buildings.scene import Room
from beam_jobs.scenes.cameras.shot import PITCH, Shot, aimed, fibonacci, field_of_view
from beam_jobs.scenes.scans.scan import Scan
from models.tasks.arrays import Bools, Floats, Integers

CLEARANCE = 0.35  # metres
APART = 0.6  # metres
ENCLOSED = 0.6  # share of all directions in which something must be
LEVEL = 0.9  # |z| of the normal of something to stand over
BATCH = 256


def stands(scan: Scan, rng: np.random.Generator, most: int) -> Floats:
    """Returns [n, 3] locations of at most `most` cameras."""
    floor = scan.area * (np.abs(scan.normal[:, 2]) > LEVEL)
    locations: list[Floats] = []
    if floor.sum() == 0:
        return np.zeros((0, 3))
    for _ in range(max(12, most // 4)):
        places, heads = over_floor(scan, rng, floor / floor.sum())
        for place in places[roomy(scan, places, heads)]:
            if len(locations) < most and all(
                np.linalg.norm(place - other) >= APART for other in locations
            ):
                locations.append(place)
        if len(locations) == most:
            break
    return np.array(locations).reshape(-1, 3)


def over_floor(scan: Scan, rng: np.random.Generator, weight: Floats) -> tuple[Floats, Floats]:
    """Returns places [BATCH, 3] at head height over points of level faces, and their heights above
    these points [BATCH]. weight: chances of the faces.
    """
    triangle = rng.choice(len(weight), BATCH, p=weight)
    height = np.clip(rng.normal(1.42, 0.16, BATCH), 0.9, 1.9)
    return on_triangles(scan, rng, triangle) + height[:, None] * [0, 0, 1], height


def on_triangles(scan: Scan, rng: np.random.Generator, triangle: Integers) -> Floats:
    """Returns [n, 3], a point of each triangle, evenly spread over it."""
    # the gaps between two sorted uniform numbers are uniform over the triangle
    u, v = np.sort(rng.random((2, len(triangle))), axis=0)
    return np.einsum(
        "nkc,nk->nc", scan.vertices[scan.mesh.faces[triangle]], np.stack([u, v - u, 1 - v], 1)
    )


def roomy(scan: Scan, places: Floats, heights: Floats) -> Bools:
    """Returns [n] bool: whether a place has free space, walls around it, and the floor itself below
    (nothing between, nothing much lower around).
    """
    around = fibonacci(40)
    distance = scan.cast(np.repeat(places, len(around), 0), np.tile(around, (len(places), 1)))[
        0
    ].reshape(len(places), -1)
    # what lies straight below must be the face that was drawn: nothing stands in between
    down = scan.cast(places, np.tile([0, 0, -1.0], (len(places), 1)))[0]
    # only ways that fall off steeply tell how far the ground lies below; flat ones meet walls
    below = np.where(around[:, 2] < -0.3, -around[:, 2] * distance, np.nan)
    # the 90th percentile, not the largest: one ray through a hole of the scan says nothing
    lowest = np.nanpercentile(np.where(np.isfinite(below), below, np.nan), 90, axis=1)
    return (
        (distance.min(1) >= CLEARANCE)
        & (np.isfinite(distance).mean(1) >= ENCLOSED)
        & (np.abs(down - heights) < 0.02)
        # nothing known below (NaN) compares as false: such a camera stays
        & ~(lowest > heights + 0.3)
    )


def box_around(scan: Scan, place: Floats, rays: int = 2000) -> Floats:
    """Returns [2, 3], the low and the high corner of the room around a camera: on each side, where
    the upper third of what faces it begins (furniture stands before walls).
    """
    ways = fibonacci(rays)
    distance, triangle, _ = scan.cast(np.tile(place, (rays, 1)), ways)
    hit = np.isfinite(distance)
    ways = ways[hit]
    normal = scan.normal[triangle[hit]]
    points = place + ways * distance[hit, None]
    box = np.stack([place, place])
    for axis in range(3):
        for side, sign in ((0, -1), (1, 1)):
            faces_it = (np.abs(normal[:, axis]) > 0.85) & (ways[:, axis] * sign > 0)
            # walls that run askew, or are broken up by shelves, have too few faces that look along
            # the axis
            candidates = points[
                faces_it if faces_it.sum() > rays * 0.005 else ways[:, axis] * sign > 0.5, axis
            ]
            if len(candidates):
                # times sign, so that one percentile counts outwards on either side
                box[side, axis] = np.percentile(candidates * sign, 67) * sign
    return box


def rooms_around(scan: Scan, places: Floats) -> tuple[Integers, list[Room]]:
    """Returns the room number [n] of every camera, and the rooms: cameras whose boxes overlap by
    more than half share one, the median of theirs.
    """
    from scipy.sparse.csgraph import connected_components

    boxes = np.array([box_around(scan, place) for place in places]).reshape(-1, 2, 3)
    low, high = boxes[:, 0], boxes[:, 1]
    volume = np.prod(high - low, 1)
    common = np.prod(
        np.clip(
            np.minimum(high[:, None], high[None]) - np.maximum(low[:, None], low[None]), 0, None
        ),
        -1,
    )
    # intersection over union of the boxes above one half
    count, number = connected_components(
        common > 0.5 * (volume[:, None] + volume[None] - common), False
    )
    middle = [np.median(boxes[number == i], axis=0) for i in range(count)]
    return number, [Room("", tuple(box[0].tolist()), tuple(box[1].tolist())) for box in middle]


def shots(
    scan: Scan, rng: np.random.Generator, count: int, fewest: int = 3, most: int = 5
) -> tuple[list[Shot], list[Room]]:
    """Returns about `count` shots (never fewer, unless the scan has no more) of points that at
    least `fewest` cameras see, and the rooms that they name.
    """
    places = stands(scan, rng, int(np.clip(count // 3, 12, 200)))
    if len(places) < fewest:
        return [], []
    number, rooms = rooms_around(scan, places)
    series: list[Shot] = []
    for point in points_seen(scan, rng, places, count * 60, fewest):
        target, normal, cameras = point
        fixated = series[-1].point + 1 if series else 0
        for view, index in enumerate(rng.permutation(cameras)[:most]):
            camera = aimed(places[index], target, field_of_view(rng), rooms[number[index]])
            series.append(
                Shot(
                    camera,
                    fixated,
                    view,
                    # scans are wound as their maker liked: the normal is the one towards the camera
                    normal if normal @ (target - places[index]) < 0 else -normal,
                    int(number[index]),
                )
            )
        if len(series) >= count:
            break
    return series, rooms


def points_seen(
    scan: Scan, rng: np.random.Generator, places: Floats, tries: int, fewest: int
) -> Iterator[tuple[Floats, Floats, Integers]]:
    """Yields (point [3], normal [3], [n] indices of the cameras that see it) of surface points,
    drawn evenly by area, that enough cameras see within the pitches of the data set. places: [c, 3]
    of the cameras.
    """
    for _ in range(-(-tries // 64)):
        triangle = rng.choice(len(scan.area), 64, p=scan.area / scan.area.sum())
        points = on_triangles(scan, rng, triangle)
        ahead = points[:, None] - places[None]
        length = np.linalg.norm(ahead, axis=-1)
        ways = ahead / np.maximum(length, 1e-9)[..., None]
        met = scan.cast(np.tile(places, (64, 1)), ways.reshape(-1, 3))[0].reshape(length.shape)
        visible = (
            # half a centimetre: the ray has met the point itself, not something in front of it
            (np.abs(met - length) < 5e-3)
            & (length > 0.7)
            & (np.abs(np.arcsin(np.clip(ways[..., 2], -1, 1))) < PITCH)
        )
        for i in np.flatnonzero(visible.sum(1) >= fewest):
            yield points[i], scan.normal[triangle[i]], np.flatnonzero(visible[i])
