"""Encodings of surfaces against the published formulas, by hand."""

import numpy as np
import pytest

from models.tasks.labels.surfaces import (
    curvature_codes,
    depth_codes,
    normal_codes,
    normals_from_depth,
    rays,
    reshading,
)


def test_a_metre_is_512_and_what_is_not_seen_is_65535():
    codes = depth_codes(np.array([[0.0, 1.0, 2.0009, 1000.0, np.inf]]))
    assert codes.dtype == np.uint16 and codes.tolist() == [[0, 512, 1024, 65534, 65535]]


def test_normals_are_rounded_halves_and_grey_where_nothing_is_seen():
    normal = np.array([[[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    codes = normal_codes(normal, np.array([[True, True, False]]))
    assert codes.tolist() == [[[128, 128, 0], [255, 128, 128], [128, 128, 128]]]


def test_the_larger_curvature_comes_first_and_a_ball_of_three_centimetres_has_the_last_code():
    curvature = np.array([[[0.0, -10.0], [1 / 0.03, 2.0], [1.0, 1.0]]])
    codes = curvature_codes(curvature, np.array([[True, True, False]]))
    assert codes.tolist() == [[[89, 127, 0], [254, 135, 0], [0, 0, 0]]]


def test_light_at_the_camera_fades_with_distance_and_slant():
    bright = reshading(np.array([1.0, 0.5, 1.0, -1.0]), np.array([1.0, 1.0, 4.0, 1.0])).tolist()
    assert bright[0] == 255 and bright[3] == 0
    assert bright[1] == round(0.8 * 8 / 9 * 255) and bright[2] == round(1.6 * 8 / 24 * 255)


@pytest.mark.parametrize("tilt", [(0.0, 0.0), (0.3, -0.2)])
def test_the_normal_of_a_plane_is_found_from_its_depth(tilt):
    way = rays(32, 1.0)
    normal = np.array([*tilt, -1.0])
    normal /= np.linalg.norm(normal)
    depth = -2 / (way @ normal)  # the plane n.p = -2
    recovered = normals_from_depth(depth, 1.0)
    inside = recovered[4:-4, 4:-4].reshape(-1, 3)
    np.testing.assert_allclose(inside, np.broadcast_to(normal, inside.shape), atol=1e-6)
