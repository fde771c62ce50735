"""2D keypoints against scikit-image, the published annotator's own library; 3D keypoints on
surfaces whose corners are known.
"""

import numpy as np
import pytest
from skimage.feature import hessian_matrix_det

from models.tasks.labels.keypoints import box_hessian, keypoints3d
from models.tasks.labels.surfaces import rays

VIEW = np.deg2rad(60)


@pytest.mark.parametrize("size", [3, 12, 41, 90])
@pytest.mark.parametrize("step", [1, 4])
def test_boxes_at_every_few_pixels_are_those_of_scikit_image(size, step):
    image = np.random.default_rng(0).random((128, 128))
    expected = hessian_matrix_det(image, (size + 0.5) / 3)[::step, ::step]
    np.testing.assert_allclose(
        box_hessian(image.cumsum(0).cumsum(1), np.array([size]), step), expected, atol=1e-9
    )


def test_of_several_scales_the_strongest_is_taken():
    sums = np.random.default_rng(0).random((64, 64)).cumsum(0).cumsum(1)
    each = [box_hessian(sums, np.array([size]), 2) for size in (3, 12)]
    np.testing.assert_array_equal(box_hessian(sums, np.array([3, 12]), 2), np.maximum(*each))


def room_corner(size: int) -> tuple[np.ndarray, np.ndarray]:
    """(depth, normals) of the corner of three walls 3 m away, seen along the room's diagonal."""
    axes = np.array(
        [[2**-0.5, 6**-0.5, 3**-0.5], [-(2**-0.5), 6**-0.5, 3**-0.5], [0, -2 * 6**-0.5, 3**-0.5]]
    )  # outward normals of the walls
    way = rays(size, VIEW)
    distance = np.stack([3 * axes[i, 2] / np.maximum(way @ axes[i], 1e-9) for i in range(3)], -1)
    return distance.min(-1), -axes[distance.argmin(-1)]


def test_a_flat_wall_has_no_3d_keypoint():
    wall = np.full((128, 128), 2.0)
    assert keypoints3d(wall, np.broadcast_to([0.0, 0, -1], (128, 128, 3)), VIEW).max() == 0


def test_a_corner_of_three_walls_is_a_keypoint_and_the_walls_are_not():
    keypoints = keypoints3d(*room_corner(128), VIEW)
    assert keypoints[56:72, 56:72].max() > 2000
    assert keypoints[[10, 100], [40, 110]].max() == 0


def test_a_box_before_a_wall_has_keypoints_at_its_corners_and_none_in_its_shadow():
    depth, normal = np.full((128, 128), 4.0), np.broadcast_to([0.0, 0, -1], (128, 128, 3))
    depth[40:90, 40:90] = 2.0
    keypoints = keypoints3d(depth, normal, VIEW)
    assert keypoints[38:50, 38:50].max() > keypoints[60:70, 40:43].max()
    assert keypoints[39, 60] == 0 and keypoints[60, 39] == 0  # the first pixel behind the edge


def test_unseen_pixels_have_no_keypoint_and_the_answer_is_the_same_twice():
    depth, normal = room_corner(128)
    depth[:40] = np.inf
    first, second = keypoints3d(depth, normal, VIEW), keypoints3d(depth, normal, VIEW)
    assert first[:40].max() == 0 and (first == second).all() and first.any()


def test_a_view_of_nothing_has_no_keypoint():
    assert keypoints3d(np.full((64, 64), np.inf), np.zeros((64, 64, 3)), VIEW).max() == 0
