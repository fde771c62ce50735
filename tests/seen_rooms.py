"""Views of furnished rooms by formula: rays through boxes. Depth, normals, picture and camera are
of one scene, as those of a data set are; `write_rooms` writes a data set of them.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from models.examples import write_label
from models.examples.published import label_path
from models.tasks import DOMAINS, Camera, ViewKey
from models.tasks.labels import surfaces
from models.tasks.labels.cameras import euler_from_rotation

ROOM = np.array([[0, 5.0], [0, 4.0], [0, 2.7]])
SIZE = 128
# From a view's labels as they are meant to those that another data set would write.
Change = Callable[[dict[str, Any]], dict[str, Any]]
AXES = np.diag([1.0, -1, -1])  # published camera axes as the camera's own
ROOMS = ("ash", "birch", "cedar")


def room_view(seed: int) -> dict[str, Any]:
    """rgb, depth_zbuffer, depth_euclidean, normal as published, [SIZE, SIZE], and the camera."""
    return dict(made_view(seed))


@lru_cache(maxsize=64)
def made_view(seed: int, size: int = SIZE) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    boxes = [ROOM] + [furniture(rng) for _ in range(4)]
    location = np.array([*rng.uniform([0.4, 0.4], [1.2, 3.6]), 1.5])
    # the point that is fixated: what is met on a way into the room, somewhat down
    way = np.array([1, rng.uniform(-0.6, 0.6) + (2 - location[1]) / 4, rng.uniform(-0.5, 0.1)])
    time, _, _ = cast(boxes, location, way[None])
    camera = aimed(location, location + time[0] * way)
    rays = surfaces.rays(size, camera.field_of_view).reshape(-1, 3)
    world = rays @ (camera.rotation @ AXES).T
    depth, normal, face = cast(boxes, location, world)
    seen = np.ones((size, size), bool)
    vectors = (normal @ camera.rotation @ AXES).reshape(size, size, 3)
    along = depth.reshape(size, size)
    colours = rng.integers(30, 226, (6 * len(boxes), 3))
    rgb = colours[face].reshape(size, size, 3) + rng.normal(scale=4, size=(size, size, 1))
    length = np.linalg.norm(rays, axis=1).reshape(size, size)
    return {
        "rgb": np.clip(rgb, 0, 255).astype("uint8"),
        "depth_zbuffer": surfaces.depth_codes(along),
        "depth_euclidean": surfaces.depth_codes(along * length),
        "normal": surfaces.normal_codes(vectors, seen),
        "point_info": camera,
    }


def furniture(rng: np.random.Generator) -> np.ndarray:
    """[3, 2] lowest and highest corner of a box on the floor, beyond the cameras."""
    low = rng.uniform([1.8, 0.2], [4.0, 3.0])
    side = rng.uniform([0.4, 0.4, 0.4], [0.9, 0.9, 1.8])
    return np.array([[low[0], low[0] + side[0]], [low[1], low[1] + side[1]], [0, side[2]]])


def aimed(location: np.ndarray, point: np.ndarray) -> Camera:
    """a camera that looks at a point, level."""
    back = (location - point) / np.linalg.norm(location - point)
    right = np.cross([0, 0, 1.0], back)
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(back, right), back], 1)
    return Camera(location, rotation, 1.1, ROOM, point)


def cast(
    boxes: list[np.ndarray], start: np.ndarray, ways: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(times [n], normals [n, 3] towards the start, numbers of faces [n]) of what ways meet first;
    of the first box the inside is seen, of the others the outside.
    """
    best = np.full(len(ways), np.inf)
    normal, face = np.zeros((len(ways), 3)), np.zeros(len(ways), int)
    steps = np.where(np.abs(ways) < 1e-9, 1e-9, ways)
    for number, box in enumerate(boxes):
        ends = (box.T[:, None] - start) / steps
        near, far = ends.min(0), ends.max(0)
        times = far.min(1) if number == 0 else near.max(1)
        axis = far.argmin(1) if number == 0 else near.argmax(1)
        met = (near.max(1) < far.min(1)) & (times > 0) & (times < best)
        signs = np.sign(steps[np.arange(len(ways)), axis])
        best[met] = times[met]
        normal[met] = -np.eye(3)[axis[met]] * signs[met, None]
        face[met] = 6 * number + 2 * axis[met] + (signs[met] > 0)
    return best, normal, face


def write_rooms(
    root: Path,
    change: Change = dict,
    rooms: tuple[str, ...] = ROOMS,
    views: int = 5,
    leave_out: tuple[str, ...] = ("depth_euclidean",),
) -> Path:
    """a data set of as many buildings, a point a view, each view's labels changed."""
    for number, room in enumerate(rooms):
        for view in range(views):
            labels = change(room_view(100 * number + view))
            key = ViewKey(room, view, 0)
            for folder, value in labels.items():
                if folder not in leave_out:
                    written = info(value) if isinstance(value, Camera) else value
                    write_label(label_path(root, key, DOMAINS[folder]), written, DOMAINS[folder])
    return root


def info(camera: Camera) -> dict[str, Any]:
    """what is read of the published JSON."""
    said = {
        "camera_location": camera.location.tolist(),
        "camera_rotation_final": euler_from_rotation(camera.rotation).tolist(),
        "field_of_view_rads": camera.field_of_view,
    }
    return said if camera.point is None else {**said, "point_location": camera.point.tolist()}
