"""Compiled arithmetic of shapes against NumPy's."""

import numpy as np
import pytest

from beam_jobs.scenes.geometry import lattices, shapes


@pytest.mark.parametrize("count, order", [(2, 1), (5, 1), (3, 2), (9, 2)])
def test_the_gradient_is_numpys(count, order):
    values, out = np.random.default_rng(count).random(count), np.empty(count)
    lattices.gradient(values, order, out)
    np.testing.assert_allclose(out, np.gradient(values, edge_order=order), atol=1e-15)


def test_the_curvature_of_a_face_is_its_least_squares_form():
    rng = np.random.default_rng(0)
    for _ in range(50):
        corner, normal = rng.random((2, 3, 3))
        edge, turn = np.roll(corner, -1, 0) - corner, np.roll(normal, -1, 0) - normal
        u = edge[0] / np.linalg.norm(edge[0])
        v = np.cross(np.cross(edge[0], edge[1]) / np.linalg.norm(np.cross(edge[0], edge[1])), u)
        rows = [row for e in edge for row in ((e @ u, e @ v, 0), (0, e @ u, e @ v))]
        a, b, c = np.linalg.lstsq(
            np.array(rows), [t @ axis for t in turn for axis in (u, v)], rcond=None
        )[0]
        np.testing.assert_allclose(
            lattices.bent(edge, turn),
            np.linalg.eigvalsh([[a, b], [b, c]])[::-1],
            rtol=1e-4,
            atol=1e-6,
        )


def test_a_sheet_is_measured_along_its_rows_and_columns():
    u, v = np.meshgrid(np.linspace(0, 3, 7), np.linspace(0, 2, 5), indexing="ij")
    shape = shapes.from_lattice(np.stack([u, v, 0 * u], -1))
    np.testing.assert_allclose(shape.uv, np.stack([v, u], -1).reshape(-1, 2), atol=1e-12)
    np.testing.assert_allclose(np.abs(shape.normals), np.tile([0, 0, 1.0], (35, 1)), atol=1e-12)
    np.testing.assert_allclose(shape.curvature, 0, atol=1e-9)


def test_a_placed_shape_is_turned_and_moved():
    shape = shapes.rounded_box((1, 2, 3), 0.1)
    turn = np.array([[np.cos(0.7), -np.sin(0.7), 0], [np.sin(0.7), np.cos(0.7), 0], [0, 0, 1]])
    placed = shape.placed((1, -2, 0.5), 0.7)
    np.testing.assert_allclose(placed.vertices, shape.vertices @ turn.T + [1, -2, 0.5], atol=1e-14)
    np.testing.assert_allclose(placed.normals, shape.normals @ turn.T, atol=1e-14)
