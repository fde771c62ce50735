"""Draws room layout and vanishing points over the picture that they were read from.

Nobody says with what field of view a picture was taken, and the networks were trained on many: the
drawing supposes `FIELD_OF_VIEW`, and its caption says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import cv2
import numpy as np

from models.tasks.arrays import Bytes, Floats
from models.tasks.view import rotation_from_euler
from serving.client.drawing import Colour

FIELD_OF_VIEW = 60  # degrees; the mean of the published views, 75 - 30|z|
NEAREST = 0.05  # metres before the camera at which lines are cut
AXES: tuple[Colour, ...] = ((214, 69, 65), (60, 150, 70), (52, 101, 204))  # x, y, z
ROOM_WORDS = ("along the view", "across the view", "upright")
VANISHING_WORDS = ("one wall", "the other wall", "upright")
RIM: Colour = (245, 245, 245)
GRID = 4  # marks a side that point to the vanishing points
MARK = 0.09  # length of a mark, of the picture's side


def room_lines(layout: Floats, photo: Bytes) -> Bytes:
    """Returns the photo with the box of the room drawn over it.

    layout: [9] centre of the box in the camera frame (m; x right, y up, z backward), Euler angles
    of the camera (rad), extents (m), as `models.tasks.labels.cameras.room_layout` returns them.
    """
    page = photo.copy()
    rotation = rotation_from_euler(*layout[3:6])
    half = layout[6:9] / 2
    for axis, start, end in box_edges():
        # rows times the matrix turn back: from the room's frame into the camera's
        ends = np.stack([start, end]) * half @ rotation + layout[:3]
        draw_line(page, ends, AXES[axis])
    return page


def box_edges() -> Iterator[tuple[int, Floats, Floats]]:
    """Yields (axis, end [3], end [3]) of the twelve edges of a box from -1 to 1."""
    for axis in range(3):
        for signs in itertools.product((-1.0, 1.0), repeat=2):
            start = np.insert(np.array(signs), axis, -1.0)
            end = np.insert(np.array(signs), axis, 1.0)
            yield axis, start, end


def vanishing_lines(directions: Floats, photo: Bytes) -> Bytes:
    """Returns the photo with marks all over it that point to the three vanishing points, and a ring
    where one is seen.

    directions: [9] of three axes in the camera frame, one after the other; their lengths are
    normalised.
    """
    page = photo.copy()
    side = page.shape[0]
    places = (np.arange(GRID) + 0.5) / GRID * side
    for axis, direction in enumerate(directions.reshape(3, 3)):
        for x, y in itertools.product(places, places):
            start, end = mark_towards(direction, np.array([x, y]), side)
            stroke(page, start, end, AXES[axis])
        point = vanishing_point(direction, side)
        if point is not None and (point >= 0).all() and (point < side).all():
            cv2.circle(page, tuple(int(v) for v in point), 7, AXES[axis], 2, cv2.LINE_AA)
    return page


def mark_towards(direction: Floats, place: Floats, side: int) -> tuple[Floats, Floats]:
    """Returns (start [2], end [2]) in pixels, x and y, of a short line at `place` along the image
    of lines that run in `direction` [3] (right, up, towards the viewer).
    """
    focal = focal_length(side)
    x, y = place - side / 2
    # the image of a point at (x, -y, -focal) moved by `direction`, differentiated at 0
    right, up, backward = direction
    flow = np.array([right * focal + x * backward, -up * focal + y * backward])
    # every mark is equally long: how far a vanishing point is away says nothing here
    flow = flow / max(float(np.linalg.norm(flow)), 1e-9) * MARK * side
    return place - flow / 2, place + flow / 2


def vanishing_point(direction: Floats, side: int) -> Floats | None:
    """Returns the [2] pixels where lines in `direction` meet; None where they stay parallel."""
    right, up, backward = direction
    # lines parallel to the picture meet nowhere in it
    if abs(backward) < 1e-3:
        return None
    focal = focal_length(side)
    return np.array([side / 2 - right / backward * focal, side / 2 + up / backward * focal])


def draw_line(page: Bytes, ends: Floats, colour: Colour) -> None:
    """Draws a line between two points [2, 3] of the camera frame, as far as it lies before the
    camera.
    """
    ahead = -ends[:, 2]
    if (ahead < NEAREST).all():
        return
    # a point behind the camera would be mirrored into the picture
    if (ahead < NEAREST).any():
        behind = int(ahead.argmin())
        share = (NEAREST - ahead[1 - behind]) / (ahead[behind] - ahead[1 - behind])
        ends = ends.copy()
        ends[behind] = ends[1 - behind] + share * (ends[behind] - ends[1 - behind])
    side = page.shape[0]
    # y runs upwards in the camera's frame, downwards in the picture
    flat = ends[:, :2] / -ends[:, 2:] * focal_length(side) * (1, -1) + side / 2
    stroke(page, flat[0], flat[1], colour)


def stroke(page: Bytes, start: Floats, end: Floats, colour: Colour) -> None:
    """Draws a coloured line with a pale rim, so that it is seen on dark and bright ground, into a
    page uint8 [H, W, 3]. start, end: [2] in pixels.
    """
    far = 1 << 14  # OpenCV counts in 16 fractional bits: clip before it overflows
    ends = [tuple(int(v) for v in np.clip(point, -far, far)) for point in (start, end)]
    # the rim first: the line is drawn over its middle
    cv2.line(page, ends[0], ends[1], RIM, 3, cv2.LINE_AA)
    cv2.line(page, ends[0], ends[1], colour, 2, cv2.LINE_AA)


def focal_length(side: int) -> float:
    """Returns the focal length in pixels for a picture `side` pixels wide."""
    # half the side is half the angle away from the axis
    return float(side / 2 / np.tan(np.radians(FIELD_OF_VIEW) / 2))
