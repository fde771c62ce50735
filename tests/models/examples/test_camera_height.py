"""How high cameras stand above the floor."""

import numpy as np
from seen_rooms import room_view

from models.examples.camera_height import camera_height


def heights(times: float = 1) -> list[float]:
    found = []
    for seed in range(20):
        view = room_view(seed)
        small = {folder: view[folder][::2, ::2] for folder in ("depth_zbuffer", "normal")}
        small["depth_zbuffer"] = np.rint(small["depth_zbuffer"] * times)
        found.append(camera_height(small, view["point_info"]))
    return [height for height in found if height is not None]


def test_a_camera_that_sees_the_floor_stands_as_high_as_it_does():
    assert len(heights()) > 10 and abs(np.median(heights()) - 1.5) < 0.05


def test_it_grows_with_the_scale_of_depth():
    assert abs(np.median(heights(2)) - 3) < 0.1


def test_without_a_floor_there_is_no_height():
    wall = np.full((64, 64, 3), 128, "uint8")
    wall[..., 2] = 0
    labels = {"depth_zbuffer": np.full((64, 64), 1000, "uint16"), "normal": wall}
    assert camera_height(labels, None) is None
    assert camera_height({"normal": wall}, None) is None
