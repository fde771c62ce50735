"""A small made-up data set in the published layout, that ingest tests share."""

from pathlib import Path

import numpy as np
from synthetic import SIZE, view

from models.examples import write_label
from models.examples.published import label_path
from models.tasks import DOMAINS, Camera, ViewKey
from models.tasks.labels.cameras import point_info

BUILDINGS = ("ash", "birch", "cedar")


def labels_of(key: ViewKey) -> dict:
    """folder -> what stands in the published file of a made-up, consistent view."""
    made = view(key.point * 10 + key.view)
    labels = dict(made.labels)
    # nothing is at the camera itself
    along = np.maximum(labels["depth_zbuffer"], 1)
    labels["depth_zbuffer"] = along
    labels["depth_euclidean"] = np.round(along * ray_lengths(made.camera)).astype("uint16")
    vectors = np.random.default_rng(key.view).normal(size=(SIZE, SIZE, 3))
    labels["normal"] = np.round(
        (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True) + 1) * 127.5
    ).astype("uint8")
    labels["rgb"] = made.rgb
    labels["point_info"] = point_info(
        made.camera,
        normal=np.array([0, 0, 1.0]),
        point=key.point,
        view=key.view,
        room="0",
        others=[],
        resolution=SIZE,
    )
    return labels


def ray_lengths(camera: Camera, size: int = SIZE) -> np.ndarray:
    """[size, size] metres along each pixel's ray for a metre along the axis."""
    slope = np.tan(camera.field_of_view / 2) * ((2 * np.arange(size) + 1) / size - 1)
    return np.sqrt(1 + np.add.outer(slope**2, slope**2))


def write_view(root: Path, key: ViewKey) -> None:
    for folder, value in labels_of(key).items():
        write_label(label_path(root, key, DOMAINS[folder]), value, DOMAINS[folder])


def write_set(root: Path, buildings=BUILDINGS, points: int = 2, views: int = 3) -> Path:
    """`points` x `views` views a building."""
    for building in buildings:
        for point in range(points):
            for number in range(views):
                write_view(root, ViewKey(building, point, number))
    return root
