"""Curvatures of meshes against formulas: sphere, cylinder, saddle, plane; whatever the winding and
the texture seams.
"""

import numpy as np
import pytest
import trimesh

from beam_jobs.scenes.geometry.curvature import principal_curvatures


def agrees_with(expected, answer):
    """to 2 % at the median, 12 % for 98 of 100 corners (an icosphere's triangles differ in size,
    and diffusion goes by edges).
    """
    assert np.median(answer) == pytest.approx(expected, rel=0.02)
    np.testing.assert_allclose(np.percentile(answer, [1, 99]), expected, rtol=0.12)


def test_a_sphere_has_one_over_its_radius_everywhere():
    ball = trimesh.creation.icosphere(subdivisions=5, radius=0.5)
    agrees_with(2.0, principal_curvatures(ball.vertices, ball.faces))


def test_a_cylinder_has_one_over_its_radius_and_nothing_along_its_axis():
    angle, height = np.meshgrid(
        np.linspace(0, 2 * np.pi, 129), np.linspace(0, 2, 81), indexing="ij"
    )  # the seam's vertices stand twice, as with uv
    vertices = np.stack([0.4 * np.cos(angle), 0.4 * np.sin(angle), height], -1).reshape(-1, 3)
    i = (np.arange(128)[:, None] * 81 + np.arange(80)).ravel()
    faces = np.concatenate([np.stack([i, i + 81, i + 82], 1), np.stack([i, i + 82, i + 1], 1)])
    inside = (vertices[faces][..., 2] > 0.2) & (vertices[faces][..., 2] < 1.8)
    curvature = principal_curvatures(vertices, faces)[inside]
    np.testing.assert_allclose(curvature[:, 0], 2.5, rtol=0.02)
    np.testing.assert_allclose(curvature[:, 1], 0, atol=0.03)


def test_a_saddle_bends_both_ways():
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, 101), np.linspace(-0.5, 0.5, 101), indexing="ij")
    vertices = np.stack([x, y, x**2 - y**2], -1).reshape(-1, 3)
    i = (np.arange(100)[:, None] * 101 + np.arange(100)).ravel()
    faces = np.concatenate([np.stack([i, i + 101, i + 102], 1), np.stack([i, i + 102, i + 1], 1)])
    middle = np.linalg.norm(vertices[faces], axis=-1) < 0.05
    np.testing.assert_allclose(
        principal_curvatures(vertices, faces)[middle], [[2, -2]] * middle.sum(), rtol=0.05
    )


def test_walls_of_two_triangles_are_flat_up_to_their_edges():
    room = trimesh.creation.box((5, 4, 3))
    np.testing.assert_allclose(principal_curvatures(room.vertices, room.faces), 0, atol=1e-9)


def test_faces_wound_at_random_give_the_same_curvature_seen_from_their_own_side():
    ball = trimesh.creation.icosphere(subdivisions=4, radius=0.5)
    flip = np.random.default_rng(0).random(len(ball.faces)) < 0.4
    flip[0] = False
    faces = np.where(flip[:, None], ball.faces[:, ::-1], ball.faces)
    curvature = principal_curvatures(ball.vertices, faces)
    agrees_with(2.0, curvature[~flip])
    agrees_with(-2.0, curvature[flip])


@pytest.mark.parametrize("scale", [0.05, 40.0])
def test_a_ball_of_any_size_is_round(scale):
    ball = trimesh.creation.icosphere(subdivisions=4, radius=scale)
    agrees_with(1 / scale, principal_curvatures(ball.vertices, ball.faces, radius=scale / 20))


def test_noise_of_a_scanner_is_averaged_away():
    """5 mm of noise on a 1 cm mesh of a ball of half a metre: within a quarter of the truth at the
    median, and never averaged to one sign.
    """
    ball = trimesh.creation.icosphere(subdivisions=6, radius=0.5)
    noisy = ball.vertices * (1 + np.random.default_rng(0).normal(0, 0.002, (len(ball.vertices), 1)))
    mean = principal_curvatures(noisy, ball.faces, radius=0.05).mean(-1)
    assert np.median(mean) == pytest.approx(2.0, rel=0.25)


@pytest.mark.parametrize("copy", ["alike", "turned over", "turned over and begun elsewhere"])
def test_faces_that_are_there_twice_bend_as_they_do_once(copy):
    ball = trimesh.creation.icosphere(subdivisions=4, radius=0.5)
    plain = principal_curvatures(ball.vertices, ball.faces)
    order = {"alike": [0, 1, 2], "turned over": [2, 1, 0]}.get(copy, [1, 0, 2])
    # vertices of their own, as exporters write them
    faces = np.concatenate([ball.faces, ball.faces[:, order] + len(ball.vertices)])
    curvature = principal_curvatures(np.tile(ball.vertices, (2, 1)), faces)
    np.testing.assert_array_equal(curvature[: len(ball.faces)], plain)
    other = plain[:, order] if copy == "alike" else -plain[:, order][..., ::-1]
    np.testing.assert_array_equal(curvature[len(ball.faces) :], other)


def test_quads_that_are_there_twice_and_cut_along_either_diagonal_are_two_layers():
    angle, height = np.meshgrid(
        np.linspace(0, 2 * np.pi, 129), np.linspace(0, 2, 81), indexing="ij"
    )
    vertices = np.stack([0.4 * np.cos(angle), 0.4 * np.sin(angle), height], -1).reshape(-1, 3)
    i = (np.arange(128)[:, None] * 81 + np.arange(80)).ravel()
    quads = np.stack([i, i + 81, i + 82, i + 1], 1)
    layers = [
        np.concatenate([cut[:, [0, 1, 2]], cut[:, [0, 2, 3]]]) for cut in (quads, quads[:, ::-1])
    ]
    faces = np.concatenate(layers)
    inside = (vertices[faces][..., 2] > 0.2) & (vertices[faces][..., 2] < 1.8)
    outer = np.arange(len(faces)) < len(layers[0])
    curvature = principal_curvatures(vertices, faces)
    for layer, expected in ((outer, [2.5, 0]), (~outer, [0, -2.5])):
        seen = curvature[layer[:, None] & inside]
        np.testing.assert_allclose(seen, np.tile(expected, (len(seen), 1)), rtol=0.02, atol=0.03)


def test_tiles_that_are_moved_into_place_are_one_surface():
    """vertices of every tile are float32 about the tile's own middle, and off by its rounding."""
    ball = trimesh.creation.icosphere(subdivisions=5, radius=0.45)
    plain = principal_curvatures(ball.vertices + [4, 2, 0.5], ball.faces)
    tile = (ball.triangles_center // 0.1).astype(int)
    moved = (tile * 0.1 + [4, 2, 0.5])[:, None] + 0.05
    corners = ((ball.triangles + [4, 2, 0.5]) - moved).astype("float32") + moved
    curvature = principal_curvatures(
        corners.reshape(-1, 3), np.arange(corners.size // 3).reshape(-1, 3)
    )
    np.testing.assert_allclose(curvature, plain, atol=0.01)
