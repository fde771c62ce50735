"""How other data sets write what ours has, each as a change of a view's labels."""

from dataclasses import replace
from typing import Any

import numpy as np
from seen_rooms import AXES, Change

Labels = dict[str, Any]


def normals_of(change) -> Change:
    """vectors, and the camera -> other vectors."""

    def changed(labels: Labels) -> Labels:
        vectors = labels["normal"] / 127.5 - 1
        other = change(vectors, labels["point_info"])
        return {**labels, "normal": np.rint((other + 1) * 127.5).astype("uint8")}

    return changed


def axes(*rows) -> Change:
    turn = np.array(rows, float)
    return normals_of(lambda vectors, camera: vectors @ turn.T)


def in_the_world(*rows) -> Change:
    turn = np.array(rows, float)
    return normals_of(lambda vectors, camera: vectors @ (turn @ camera.rotation @ AXES).T)


def depth_units(units: float) -> Change:
    """nothing seen is 0, as cameras write it."""

    def changed(labels: Labels) -> Labels:
        codes = np.minimum(np.rint(labels["depth_zbuffer"] * (units / 512)), 65534)
        return {**labels, "depth_zbuffer": codes.astype("uint16")}

    return changed


def camera_of(change) -> Change:
    return lambda labels: {**labels, "point_info": change(labels["point_info"])}


def along_the_ray(labels: Labels) -> Labels:
    return {**labels, "depth_zbuffer": labels["depth_euclidean"]}


def maps_of(turn, *folders: str) -> Change:
    """pixels that lie otherwise."""
    return lambda labels: {
        **labels,
        **{folder: np.ascontiguousarray(turn(labels[folder])) for folder in folders},
    }


def rotated(turn) -> Change:
    return camera_of(lambda camera: replace(camera, rotation=turn(camera.rotation)))


def to_camera(flip: np.ndarray) -> Change:
    """rotation and shift from world to camera."""

    def changed(camera):
        turn = flip @ camera.rotation.T
        return replace(camera, rotation=turn, location=-turn @ camera.location)

    return camera_of(changed)


def wider(times: float) -> Change:
    return camera_of(lambda camera: replace(camera, field_of_view=camera.field_of_view * times))


EYE = np.eye(3)
# name -> (the change, words of the reason that name it)
OF_A_VIEW = {
    "green up": (axes(EYE[0], -EYE[1], EYE[2]), "normal holds (x, -y, z) where"),
    "x mirrored": (axes(-EYE[0], EYE[1], EYE[2]), "normal holds (-x, y, z) where"),
    "OpenGL": (axes(EYE[0], -EYE[1], -EYE[2]), "normal holds (x, -y, -z) where"),
    "away": (axes(-EYE[0], -EYE[1], -EYE[2]), "normal holds (-x, -y, -z) where"),
    "blue, green, red": (axes(EYE[2], EYE[1], EYE[0]), "normal holds (z, y, x) where"),
    "world": (in_the_world(*EYE), "normal holds (x, y, z) of the world where"),
    "world, y up": (in_the_world(EYE[0], EYE[2], -EYE[1]), "holds (x, z, -y) of the world"),
    "along the ray": (along_the_ray, "depth_zbuffer holds distances along the pixel's ray"),
    "half the angle": (wider(0.5), "field_of_view_rads is half the angle"),
    "twice the angle": (wider(2), "field_of_view_rads is twice the angle"),
    "depth mirrored": (maps_of(np.fliplr, "depth_zbuffer"), "normal and depth one is mirrored"),
    "labels mirrored": (maps_of(np.fliplr, "depth_zbuffer", "normal"), "holds (-x, y, z) where"),
}
OF_A_BUILDING = {
    "millimetres": (depth_units(1000), '"depth_units_per_metre": 1000 into dataset.json'),
    "KITTI": (depth_units(256), '"depth_units_per_metre": 256 into'),
    "TUM RGB-D": (depth_units(5000), '"depth_units_per_metre": 5000 into'),
    "Matterport": (depth_units(4000), '"depth_units_per_metre": 4000 into'),
    "HM3D": (depth_units(8192), '"depth_units_per_metre": 8192 into'),
    "OpenCV": (rotated(lambda turn: turn @ AXES), "looking along its z with y down"),
    "world to camera": (rotated(lambda turn: turn.T), "is from world to camera, the camera"),
    "extrinsics": (to_camera(AXES), "camera_location the place of the world's origin"),
    "picture mirrored": (maps_of(np.fliplr, "rgb"), "labels are mirrored against their pictures"),
    "EXIF": (maps_of(np.rot90, "rgb"), "labels are turned by 90 degrees against"),
}
