"""What a view's maps and camera become: label files in the published encodings, and the points that
views of other points see.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from beam_jobs.scenes.render.renderer import Surfaces


def write_view(
    folder: Path, surfaces: Surfaces, shot, given: dict[str, np.ndarray], sights: dict, taken: list
) -> None:
    """all label files of one view. given: folder -> label that no map tells (classes); sights
    collects which other points the view sees, for nonfixated_matches.
    """
    from models.examples.published import file_name, write_label
    from models.tasks import DOMAINS
    from models.tasks.labels.cameras import point_info

    size = surfaces.depth.shape[0]
    labels = {**pixel_labels(surfaces, shot.camera), **given}
    others = visible_points(surfaces, shot, taken)
    for point, pixel in others.items():
        sights.setdefault(point, []).append((shot, pixel))
    labels["point_info"] = point_info(
        shot.camera,
        normal=shot.normal,
        point=shot.point,
        view=shot.view,
        room=str(shot.room),
        others=sorted(others),
        resolution=size,
    )
    for name, value in labels.items():
        write_label(
            folder / name / file_name(DOMAINS[name], shot.point, shot.view), value, DOMAINS[name]
        )


def pixel_labels(surfaces: Surfaces, camera) -> dict[str, np.ndarray]:
    """the published encodings of one view's maps."""
    from models.tasks.labels import edges, keypoints, segments
    from models.tasks.labels import surfaces as codes

    seen = np.isfinite(surfaces.depth)
    depth = codes.depth_codes(surfaces.depth)
    normal, edge = codes.normal_codes(surfaces.normal, seen), edges.edge_occlusion(depth)
    return {
        "rgb": surfaces.rgb,
        "depth_zbuffer": depth,
        "depth_euclidean": codes.depth_codes(surfaces.distance),
        "normal": normal,
        "principal_curvature": codes.curvature_codes(surfaces.curvature, seen),
        "reshading": codes.reshading(surfaces.facing, surfaces.distance),
        "edge_occlusion": edge,
        "edge_texture": edges.edge_texture(surfaces.rgb),
        "keypoints2d": keypoints.keypoints2d(surfaces.rgb),
        "keypoints3d": keypoints.keypoints3d(surfaces.depth, surfaces.normal, camera.field_of_view),
        "segment_unsup2d": segments.segment_unsup2d(surfaces.rgb),
        "segment_unsup25d": segments.segment_unsup25d(depth, normal, edge),
    }


def visible_points(surfaces, shot, taken: list) -> dict[int, tuple[float, float]]:
    """other fixated points that this view sees (line of sight by its own distance map) -> their
    pixel, at 512 pixels as published.
    """
    size, found = surfaces.depth.shape[0], {}
    focal = size / 2 / np.tan(shot.camera.field_of_view / 2)
    for other in taken:
        if other.point == shot.point or other.point in found:
            continue
        x, y, z = shot.camera.rotation.T @ (other.camera.point - shot.camera.location)
        column, row = (
            size / 2 + focal * x / -z if z < 0 else -1,
            size / 2 - focal * y / -z if z < 0 else -1,
        )
        if z < 0 and 0 <= column < size and 0 <= row < size:
            far = np.linalg.norm(other.camera.point - shot.camera.location)
            if abs(surfaces.distance[int(row), int(column)] - far) < 0.03 * far:
                found[other.point] = (column * 512 / size, row * 512 / size)
    return found


def write_matches(folder: Path, sights: dict, taken: list) -> None:
    """nonfixated_matches: for every point the views of other points that see it."""
    from models.examples.published import file_name, write_label
    from models.tasks import DOMAINS

    domain = DOMAINS["nonfixated_matches"]
    for point, seen in sights.items():
        place = next(shot.camera.point for shot in taken if shot.point == point)
        views = [
            {
                "camera_uuid": "",
                "point_uuid": str(shot.point),
                "view_id": shot.view,
                "nonfixated_pixel_x": pixel[0],
                "nonfixated_pixel_y": pixel[1],
            }
            for shot, pixel in seen
        ]
        write_label(
            folder / domain.folder / file_name(domain, point, "all"),
            {"point_uuid": str(point), "point_location": place.tolist(), "views": views},
            domain,
        )
