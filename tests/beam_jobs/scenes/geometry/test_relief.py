"""Reliefs: the derivatives are those of the height, and a rendered relief has the normals,
curvature and depth of its height field.
"""

from dataclasses import replace

import numpy as np
import pytest

from beam_jobs.scenes.buildings.scene import Builder
from beam_jobs.scenes.geometry import shapes
from beam_jobs.scenes.geometry.relief import SIDE, STYLES, height_field
from beam_jobs.scenes.render.renderer import Eye
from models.tasks import Camera
from models.tasks.view import rotation_from_euler


@pytest.mark.parametrize("name", [name for name in STYLES if name != "none"])
def test_derivatives_are_those_of_the_height(name):
    relief = STYLES[name]
    field, step = height_field(np.random.default_rng(0), relief), relief.tile / SIDE
    v, u = (
        2j * np.pi * np.fft.fftfreq(SIDE, step)[:, None],
        2j * np.pi * np.fft.fftfreq(SIDE, step)[None],
    )
    spectrum = np.fft.fft2(field[..., 0])
    for index, factor in enumerate((u, v, u * u, u * v, v * v), 1):
        np.testing.assert_allclose(
            np.fft.ifft2(spectrum * factor).real,
            field[..., index],
            atol=1e-6 * max(1, np.abs(field[..., index]).max()),
        )
    assert np.abs(field[..., 0]).max() < 0.02, "millimetres"
    assert ((field[..., 3] + field[..., 5]) / 2).std() == pytest.approx(relief.bend)


def test_a_patchy_relief_is_rough_in_places_and_smooth_in_others():
    def rough(relief):
        bend = height_field(np.random.default_rng(0), relief)[..., 3:6:2].mean(-1)
        return np.sqrt(
            (bend.reshape(8, SIDE // 8, 8, SIDE // 8) ** 2).mean((1, 3))
        ).ravel()  # root mean square in each of 64 squares

    even, patchy = (rough(replace(STYLES["boards"], patchy=amount)) for amount in (0.0, 0.7))
    assert np.ptp(np.quantile(patchy, (0.1, 0.9))) > 2 * np.ptp(np.quantile(even, (0.1, 0.9)))


def wall_seen(relief: str):
    builder = Builder(np.random.default_rng(1))
    material = builder.material(np.full((128, 128, 3), 0.5, "float32"), relief=relief)
    builder.add(shapes.quad((-3, 0, -3), (6, 0, 0), (0, 0, 6)), material, builder.object("wall"))
    camera = Camera(np.array([0.1, -2.0, 0.05]), rotation_from_euler(np.pi / 2, 0, 0), 0.6)
    return Eye(builder.finished()).look(camera, 160, np.random.default_rng(0))


def test_a_wall_without_relief_is_flat():
    surfaces = wall_seen("none")
    assert not surfaces.curvature.any()
    np.testing.assert_allclose(surfaces.depth, 2.0, atol=1e-5)


@pytest.mark.parametrize("relief", ["plaster", "boards", "cloth"])
def test_normals_are_those_of_the_depth_and_curvature_that_of_the_normals(relief):
    surfaces = wall_seen(relief)
    pixel = 2 * 2.0 * np.tan(0.3) / 160
    slope = np.gradient(
        surfaces.depth, pixel
    )  # rows downwards, columns to the right; a plane ahead: z = depth
    inner = (slice(4, -4), slice(4, -4))
    np.testing.assert_allclose(
        (surfaces.normal[..., 0] / -surfaces.normal[..., 2])[inner],
        slope[1][inner],
        atol=0.15 * np.abs(slope[1]).max(),
    )
    np.testing.assert_allclose(
        (surfaces.normal[..., 1] / -surfaces.normal[..., 2])[inner],
        slope[0][inner],
        atol=0.15 * np.abs(slope[0]).max(),
    )
    mean = (
        np.gradient(surfaces.normal[..., 0], pixel, axis=1)
        + np.gradient(surfaces.normal[..., 1], pixel, axis=0)
    ) / 2  # half the normal's divergence
    assert np.corrcoef(mean[inner].ravel(), surfaces.curvature.mean(-1)[inner].ravel())[0, 1] > 0.97
    assert np.abs(surfaces.curvature).max() > 0.2
