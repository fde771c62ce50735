"""Soft shapes know their curvature by formula."""

import numpy as np
import pytest

from beam_jobs.scenes.geometry import soft

STRAIGHT = np.array([[0.0, 0, 0], [0.5, 0, 0], [1.0, 0, 0]])
CABLE = soft.tube(STRAIGHT, 0.02)


def test_a_straight_cable_is_a_cylinder_and_a_bent_one_is_a_torus():
    np.testing.assert_allclose(
        CABLE.curvature, np.tile([50.0, 0], (len(CABLE.vertices), 1)), atol=1e-9
    )
    turn = np.linspace(0, np.pi, 400)
    ring = soft.tube(0.5 * np.stack([np.cos(turn), np.sin(turn), 0 * turn], -1), 0.1)
    middle = ring.curvature.reshape(400, -1, 2)[200, :, 1]
    away = np.hypot(*ring.vertices.reshape(400, -1, 3)[200, :, :2].T)
    np.testing.assert_allclose(
        middle, (away - 0.5) / (0.1 * away), rtol=0.02, atol=0.02
    )  # cos(t) / (R + r cos(t))


def test_an_upright_cable_is_as_thick_as_a_level_one():
    upright = soft.tube(STRAIGHT[:, ::-1], 0.02)
    np.testing.assert_allclose(np.hypot(*upright.vertices[:, :2].T), 0.02, atol=1e-12)


def test_a_skirt_leads_from_the_sides_down_to_the_ground():
    shape, radius = soft.skirt(1.0, 0.6, 0.05), 0.05
    away = np.linalg.norm(np.maximum(np.abs(shape.vertices[:, :2]) - [0.5, 0.3], 0), axis=1)
    np.testing.assert_allclose(
        (radius - away) ** 2 + (radius - shape.vertices[:, 2]) ** 2, radius**2, atol=1e-12
    )
    np.testing.assert_allclose(shape.curvature[:, 0], -1 / radius)
    assert shape.vertices[:, 2].min() == pytest.approx(0, abs=1e-12) and shape.vertices[
        :, 2
    ].max() == pytest.approx(radius)
