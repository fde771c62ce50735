"""Turns a view's maps and camera into label files in the published encodings, and records which
views of other points see a point.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from beam_jobs.scenes.cameras.shot import Shot
from beam_jobs.scenes.render.renderer import Surfaces
from models.examples.published import file_name, label_bytes, write_label
from models.provenance.atomic import naming_a_full_disk
from models.tasks import DOMAINS, Camera
from models.tasks.arrays import Array
from models.tasks.labels import edges, keypoints, segments
from models.tasks.labels import surfaces as codes
from models.tasks.labels.cameras import camera_name, point_info

# (column, row) in a picture of 512 x 512 pixels, as published.
Pixel = tuple[float, float]
# point -> the views of other points that see it, and where.
Sights = dict[int, list[tuple[Shot, Pixel]]]
PUBLISHED_SIZE = 512
# A point is seen if the map's distance at its pixel differs from its own by less than this share.
SAME_DISTANCE = 0.03


def write_view(
    folder: Path,
    surfaces: Surfaces,
    shot: Shot,
    class_labels: Mapping[str, Array],
    sights: Sights,
    cameras: Sequence[Shot],
) -> None:
    """Writes all label files of one view. class_labels: {folder: label} of labels that no map tells
    (classes), [S, S] or [classes]. Which other points the view sees is added to `sights`, for
    nonfixated_matches.
    """
    others = visible_points(surfaces, shot, cameras)
    for point, pixel in others.items():
        sights.setdefault(point, []).append((shot, pixel))
    labels: dict[str, Array | dict[str, Any]] = {
        **pixel_labels(surfaces, shot.camera),
        **class_labels,
    }
    labels["point_info"] = point_info(
        shot.camera,
        normal=shot.normal,
        point=shot.point,
        view=shot.view,
        room=str(shot.room),
        others=sorted(others),
        resolution=len(surfaces.depth),
    )
    with naming_a_full_disk(folder):
        for name, value in labels.items():
            domain = DOMAINS[name]
            data = label_bytes(value, domain)
            write_hidden(f"{folder}/{name}", file_name(domain, shot.point, shot.view), data)


def write_hidden(folder: str, name: str, data: bytes) -> None:
    """Writes a file of a building that nobody sees yet, straight under its own name. The building
    is shown as a whole (`staging`), so that no temporary names are needed, which took as long as
    encoding the files.
    """
    try:
        with open(f"{folder}/{name}", "wb") as file:
            file.write(data)
    except FileNotFoundError:  # the first of its folder
        # exist_ok: another process may write other views of the building
        os.makedirs(folder, exist_ok=True)
        write_hidden(folder, name, data)


def pixel_labels(surfaces: Surfaces, camera: Camera) -> dict[str, Array]:
    """Returns {folder: label}, [S, S] or [S, S, 3] each, in the published encodings, of one view's
    maps.
    """
    surface_mask = np.isfinite(surfaces.depth)
    depth = codes.depth_codes(surfaces.depth)
    normal = codes.normal_codes(surfaces.normal, surface_mask)
    edge = edges.edge_occlusion(depth)
    return {
        "rgb": surfaces.rgb,
        "depth_zbuffer": depth,
        "depth_euclidean": codes.depth_codes(surfaces.distance),
        "normal": normal,
        "principal_curvature": codes.curvature_codes(surfaces.curvature, surface_mask),
        "reshading": codes.reshading(surfaces.facing, surfaces.distance),
        "edge_occlusion": edge,
        "edge_texture": edges.edge_texture(surfaces.rgb),
        "keypoints2d": keypoints.keypoints2d(surfaces.rgb),
        "keypoints3d": keypoints.keypoints3d(surfaces.depth, surfaces.normal, camera.field_of_view),
        "segment_unsup2d": segments.segment_unsup2d(surfaces.rgb),
        "segment_unsup25d": segments.segment_unsup25d(depth, normal, edge),
    }


def visible_points(surfaces: Surfaces, shot: Shot, cameras: Sequence[Shot]) -> dict[int, Pixel]:
    """Returns {point: pixel} of the other fixated points that this view sees (its own distance map
    tells whether something stands in the way); pixels as in a picture of 512, as published.
    """
    size = len(surfaces.depth)
    visible: dict[int, Pixel] = {}
    for other in cameras:
        if other.point == shot.point or other.point in visible or other.camera.point is None:
            continue
        offset = other.camera.point - shot.camera.location
        # rotation turns the camera's axes into the world's: its transpose turns back
        pixel = projected(shot.camera.rotation.T @ offset, shot.camera.field_of_view, size)
        if pixel is None:
            continue
        column, row = pixel
        far = float(np.linalg.norm(offset))
        # cut to whole numbers: the pixel in which the place lies
        if abs(surfaces.distance[int(row), int(column)] - far) < SAME_DISTANCE * far:
            visible[other.point] = (column * PUBLISHED_SIZE / size, row * PUBLISHED_SIZE / size)
    return visible


def projected(place: Array, field_of_view: float, size: int) -> Pixel | None:
    """Returns (column, row) of a place [3] in metres of the camera's frame (x right, y up, z back),
    None if it is outside the picture.
    """
    x, y, z = place
    if z >= 0:
        return None
    focal = size / 2 / np.tan(field_of_view / 2)
    column = size / 2 + focal * x / -z
    row = size / 2 - focal * y / -z
    inside = 0 <= column < size and 0 <= row < size
    return (column, row) if inside else None


def write_matches(folder: Path, sights: Sights, cameras: Sequence[Shot]) -> None:
    """Writes nonfixated_matches: for every point the views of other points that see it."""
    domain = DOMAINS["nonfixated_matches"]
    for point, sightings in sights.items():
        place = next(shot.camera.point for shot in cameras if shot.point == point)
        views = [
            {
                "camera_uuid": camera_name(shot.camera),
                "point_uuid": str(shot.point),
                "view_id": shot.view,
                "nonfixated_pixel_x": pixel[0],
                "nonfixated_pixel_y": pixel[1],
            }
            for shot, pixel in sightings
        ]
        description = {
            "point_uuid": str(point),
            "point_location": np.asarray(place).tolist(),
            "views": views,
        }
        write_label(folder / domain.folder / file_name(domain, point, "all"), description, domain)
