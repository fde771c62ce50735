"""Compiled geometry of cameras gives what numpy gives, to the last bit: no seed's views move."""

import numpy as np

from beam_jobs.scenes.cameras.sightlines import (
    rays_through,
    rotations,
    shares,
    triangles,
    ways_to,
)

RNG = np.random.default_rng(0)


def test_rotations_are_those_of_cross_products():
    ahead = RNG.normal(size=(50, 3))
    back = -ahead / np.linalg.norm(ahead, axis=1, keepdims=True)
    right = np.stack([-back[:, 1], back[:, 0], 0 * back[:, 0]], 1)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    expected = np.stack([right, np.cross(back, right), back], -1)
    np.testing.assert_array_equal(rotations(ahead), expected)


def test_rays_go_through_their_spots():
    turns, angles = rotations(RNG.normal(size=(6, 3))), RNG.uniform(0.8, 1.3, 6)
    spots = RNG.uniform(-1, 1, (49, 2))
    flat = np.tan(angles / 2)[:, None, None] * spots
    ways = np.concatenate([flat, -np.ones((6, 49, 1))], -1)
    ways /= np.linalg.norm(ways, axis=-1, keepdims=True)
    expected = ways @ turns.transpose(0, 2, 1)
    np.testing.assert_array_equal(rays_through(turns, angles, spots), expected)


def test_steep_and_near_points_do_not_count():
    places, locations = RNG.normal(size=(20, 3)), RNG.normal(size=(7, 3))
    expected = places[:, None] - locations
    far = np.linalg.norm(expected, axis=-1)
    ahead, length, ways, counts = ways_to(places, locations, 0.4, 1.2)
    np.testing.assert_array_equal(ahead, expected)
    np.testing.assert_array_equal(length, far)
    np.testing.assert_array_equal(ways, expected / far[..., None])
    steep, near = np.abs(ways[..., 2]) >= 0.4, far <= 1.2
    np.testing.assert_array_equal(counts, ~steep & ~near)
    assert steep.any() and near.any() and counts.any()


def test_shares_of_a_view_are_means_over_its_rays():
    views, count = 5, 30
    rays = RNG.normal(size=(views, count, 3))
    distance = RNG.uniform(0.2, 6, views * count).astype("float32")
    triangle = RNG.integers(-1, 8, views * count).astype("int32")
    instances = np.array([0, 1, 2, 2, 1, 0, 3, 3])
    rooms = RNG.integers(0, 2, views)
    low, high = np.array([[-3.0, -3.0], [-1.0, -2.0]]), np.array([[3.0, 2.0], [2.0, 2.0]])
    ceiling, named = np.arange(4) == 1, np.arange(4) > 1
    places = RNG.normal(size=(views, 3))
    got = shares(places, rays, distance, triangle, instances, rooms, 1.0, low, high, ceiling, named)
    hit = triangle >= 0
    far = np.where(hit, np.float64(distance), 100.0)
    points = places[:, None] + rays * far.reshape(views, count, 1)
    lowest, highest = low[rooms][:, None], high[rooms][:, None]
    outside = ((points[..., :2] < lowest) | (points[..., :2] > highest)).any(-1)
    instances_met = instances[triangle]
    flags = [far < 1.0, hit & ceiling[instances_met], outside.ravel(), hit & named[instances_met]]
    expected = np.stack([flag.reshape(views, count).mean(1) for flag in flags], 1)
    np.testing.assert_array_equal(got, expected)
    assert (got > 0).any(0).all()


def test_triangles_know_their_spread_and_height():
    corners = RNG.normal(size=(40, 3, 3))
    expected = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    spread, length, height = triangles(corners)
    np.testing.assert_array_equal(spread, expected)
    np.testing.assert_array_equal(length, np.linalg.norm(expected, axis=1))
    np.testing.assert_array_equal(height, corners[..., 2].mean(1))
