"""What a camera is asked to be."""

import numpy as np
import pytest

from beam_jobs.scenes.cameras.shot import PITCH, aimed, fibonacci, field_of_view, fields_of_view


def test_directions_are_spread_evenly():
    directions = fibonacci(400)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    assert np.abs(directions.mean(0)).max() < 0.01
    nearest = np.sort(directions @ directions.T, axis=1)[:, -2]
    angles = np.degrees(np.arccos(np.clip(nearest, -1, 1)))
    assert angles.min() > 0.6 * angles.max(), "no two are close while others are alone"


def test_fields_of_view_follow_the_published_histogram():
    rng = np.random.default_rng(0)
    degrees = np.degrees([field_of_view(rng) for _ in range(4000)])
    assert degrees.min() >= 45 and degrees.max() <= 75
    assert degrees.mean() == pytest.approx(75 - 30 * 0.4599, abs=0.5), "of |z| cut at 1"


def test_fields_of_view_together_are_those_that_are_drawn_one_by_one():
    for count in (1, 3, 50):
        together, single = np.random.default_rng(count), np.random.default_rng(count)
        expected = [field_of_view(single) for _ in range(count)]
        assert fields_of_view(together, count).tolist() == expected
        assert together.random() == single.random(), "and no more is drawn"


class Room:
    low = np.zeros(3)
    high = np.ones(3) * 4


@pytest.mark.parametrize("point", [(3.0, 1.0, 1.5), (1.0, 3.0, 2.0), (1.0, 0.0, 0.2), (0, 1, 1.5)])
def test_a_camera_looks_at_its_point_and_stands_level(point):
    location = np.array([1.0, 1.0, 1.5])
    camera = aimed(location, np.array(point), 1.0, Room)
    ahead = (np.array(point) - location) / np.linalg.norm(np.array(point) - location)
    axes = camera.rotation
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-6)
    # one of the camera's axes meets the point, and its right is level
    assert np.abs(axes.T @ ahead).max() == pytest.approx(1, abs=1e-6)
    assert np.abs(axes[2]).min() == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(camera.location, location)


def test_the_published_bound_of_pitch():
    assert np.degrees(PITCH) == 22.5
