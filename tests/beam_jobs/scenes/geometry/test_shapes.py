"""Every primitive is wound the way its normals look, and knows its curvature by formula."""

import numpy as np
import pytest

from beam_jobs.scenes.buildings import clutter, shell
from beam_jobs.scenes.buildings.plan import Side
from beam_jobs.scenes.geometry import shapes, soft

RNG = np.random.default_rng
STRAIGHT = np.array([[0.0, 0, 0], [0.5, 0, 0], [1.0, 0, 0]])
WALL = Side(np.zeros(2), np.array([1.0, 0]), np.array([0.0, 1]), 3.0, np.pi)
SOLIDS = {
    "box": shapes.rounded_box((1, 0.6, 0.4), 0.05),
    "cylinder": shapes.cylinder(0.3, 1.0),
    "cone": shapes.cone(0.3, 0.1, 1.0),
    "ball": shapes.ball(0.5, 60),
    "ring": shapes.ring(0.5, 0.1),
    "cushion": shapes.cushion((0.3, 0.3, 0.1)),
    "pillow": soft.pillow(RNG(0), (0.3, 0.3, 0.1)),
    "cable": soft.tube(STRAIGHT, 0.02),
    "tap": soft.tube(
        np.array([[0, 0, 0.0], [0, 0, 0.12], [0, 0, 0.2], [0, -0.07, 0.27], [0, -0.14, 0.2]]), 0.013
    ),
}
SHEETS = {
    "quad": shapes.quad((0, 0, 0), (1, 0, 0), (0, 1, 0)),
    "cloth": soft.cloth(RNG(0), 1.0, 0.7),
    "heap": soft.heap(RNG(0), 0.3, 0.1),
    "curtain": soft.hanging(RNG(0), 0.5, 0.1, 2.0),
    "coat": soft.coat(RNG(0), 0.4, 0.8),
    "blind": soft.blind(1.0, 0.8),
    "skirt": soft.skirt(1.0, 0.6, 0.05),
    "leaf": clutter.blade(0.3, 0.8, 0.6, 0.2),
    "floor": shell.uneven(RNG(0), (4.0, 3.0)),
    "corner": shell.fillet(2.5, (1, 1)),
    "cove": shell.cove(WALL, 0.0, 3.0, 0.06, 1),
    "foot": shell.cove(WALL, 0.0, 3.0, 0.045, -1),
}


def facing(shape: shapes.Shape) -> np.ndarray:
    """[f] product of every face's own normal (twice its area long) with the mean of its corners'
    normals.
    """
    corner = shape.vertices[shape.faces]
    return (
        np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        * shape.normals[shape.faces].mean(1)
    ).sum(1)


@pytest.mark.parametrize("name", [*SOLIDS, *SHEETS])
def test_faces_are_wound_the_way_the_normals_look(name):
    sides = facing({**SOLIDS, **SHEETS}[name])
    assert sides.sum() > 0 and (sides >= -1e-9).mean() > 0.99


@pytest.mark.parametrize("name", SOLIDS)
def test_normals_of_solids_look_outwards(name):
    shape = SOLIDS[name]
    corner = shape.vertices[shape.faces]
    volume = (corner[:, 0] * np.cross(corner[:, 1], corner[:, 2])).sum() / 6
    assert volume > 0


@pytest.mark.parametrize("name", [*SOLIDS, *SHEETS])
def test_normals_have_length_one_and_curvature_is_finite(name):
    shape = {**SOLIDS, **SHEETS}[name]
    np.testing.assert_allclose(np.linalg.norm(shape.normals, axis=1), 1, atol=1e-9)
    assert np.isfinite(shape.curvature).all()


@pytest.mark.parametrize("radius", [0.1, 0.7])
def test_a_ball_bends_by_one_over_its_radius_everywhere(radius):
    np.testing.assert_allclose(shapes.ball(radius).curvature, 1 / radius)


@pytest.mark.parametrize("radius", [0.1, 0.7])
def test_the_side_of_a_cylinder_bends_one_way_only(radius):
    side = shapes.revolved([radius, radius], [0, 1.0])
    np.testing.assert_allclose(
        np.sort(side.curvature, 1), np.tile([0, 1 / radius], (len(side.vertices), 1)), atol=1e-9
    )


def test_fillets_are_concave():
    for name in ("corner", "cove", "foot"):
        assert (SHEETS[name].curvature[:, 0] < -5).all() and not SHEETS[name].curvature[:, 1].any()


def test_curvature_of_a_lattice_is_near_the_formula():
    u, v = np.meshgrid(np.linspace(-0.5, 0.5, 81), np.linspace(-0.5, 0.5, 81), indexing="ij")
    shape = shapes.from_lattice(np.stack([u, v, 0.02 * np.sin(10 * u)], -1))
    slope, expected = 0.2 * np.cos(10 * u), 2 * np.sin(10 * u)
    expected = expected / (1 + slope**2) ** 1.5  # a wave's crest is convex
    got = shape.curvature.reshape(81, 81, 2)
    larger = np.where(np.abs(got[..., 0]) > np.abs(got[..., 1]), got[..., 0], got[..., 1])[
        5:-5, 5:-5
    ]
    np.testing.assert_allclose(larger, expected[5:-5, 5:-5], atol=0.1)


@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_arrays_that_do_not_fit_together_are_refused(dtype):
    ball = shapes.ball(0.5)
    count = len(ball.vertices)
    for index in (-1, count):
        faces = ball.faces.astype(dtype)
        faces[3, 1] = index
        with pytest.raises(ValueError, match=f"index {count} vertices, got .*{index}"):
            shapes.Shape(ball.vertices, faces, ball.normals, ball.uv, ball.curvature)
    with pytest.raises(ValueError, match=rf"uv and curvature \[{count}, 2\], got"):
        shapes.Shape(ball.vertices, ball.faces, ball.normals, ball.uv[1:], ball.curvature)
