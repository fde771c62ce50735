"""Light: shadows where a thing is in the way, brighter near the lamp, no light through walls."""

import numpy as np

from beam_jobs.scenes.buildings.scene import Builder, Light
from beam_jobs.scenes.geometry import shapes
from beam_jobs.scenes.render.renderer import Eye, pixel_rays
from models.tasks import Camera
from models.tasks.view import rotation_from_euler

DOWN = Camera(np.array([0, 0, 2.4]), rotation_from_euler(0.0, 0, 0), 1.2)


def room(*things, lamp=(0.0, 0.0, 2.0)) -> Eye:
    """a grey box of 6 m under one lamp, with things in it."""
    builder = Builder(np.random.default_rng(0))
    grey, walls = builder.material(np.full((128, 128, 3), 0.6, "float32")), builder.object("wall")
    builder.add(shapes.quad((-3, -3, 0), (6, 0, 0), (0, 6, 0)), grey, walls)
    builder.add(shapes.quad((-3, 3, 2.5), (6, 0, 0), (0, -6, 0)), grey, walls)
    for origin, along in (
        ((-3, -3, 0), (0, 6, 0)),
        ((3, 3, 0), (0, -6, 0)),
        ((3, -3, 0), (-6, 0, 0)),
        ((-3, 3, 0), (6, 0, 0)),
    ):
        builder.add(shapes.quad(origin, along, (0, 0, 2.5)), grey, walls)
    for shape, place in things:
        builder.add(shape, grey, builder.object("box"), place)
    builder.lights.append(Light(lamp, 0.05, (2.0, 2.0, 2.0)))
    return Eye(builder.finished())


def direct(eye: Eye) -> np.ndarray:
    """[64, 64] light that comes straight from the lamp to what the camera sees."""
    rays, _ = pixel_rays(DOWN, 64)
    hits = eye.hits(np.tile(DOWN.location.astype("float32"), (64 * 64, 1)), rays, 0.02)
    return eye.lighting.arriving(hits, np.zeros(64 * 64, "int64"), np.arange(64 * 64), bare=True)[
        :, 0
    ].reshape(64, 64)


def test_the_floor_is_brightest_below_the_lamp():
    rgb = (
        room(lamp=(0.8, 0.0, 1.0))
        .look(DOWN, 64, np.random.default_rng(0))
        .rgb.astype(float)
        .mean(-1)
    )
    assert rgb[28:36, 44:52].mean() > rgb[28:36, 4:12].mean() + 20


def test_direct_light_is_cosine_over_squared_distance():
    height = 2.0
    x = ((np.arange(64) + 0.5) / 64 * 2 - 1) * np.tan(0.6) * 2.4
    square = x[None] ** 2 + x[:, None] ** 2 + height**2
    np.testing.assert_allclose(
        direct(room(lamp=(0, 0, height))), 2.0 * height / square**1.5, rtol=0.1
    )


def test_a_thing_in_the_way_casts_a_shadow():
    board = (
        shapes.rounded_box((0.05, 1.2, 0.8), 0.01),
        (-1.6, 0, 1.2),
    )  # its shadow begins at x = -0.9 m
    free, shaded = direct(room(lamp=(-2.6, 0, 2))), direct(room(board, lamp=(-2.6, 0, 2)))
    assert (free > 0).all() and not shaded[28:36, 20:].any()
    np.testing.assert_allclose(shaded[28:36, :8], free[28:36, :8])


def test_light_does_not_pass_a_wall():
    wall = (shapes.rounded_box((0.1, 5.98, 2.49), 0.01), (-2.0, 0, 1.25))
    assert not direct(room(wall, lamp=(-2.6, 0, 2))).any()


def test_a_probe_sees_a_light_that_one_of_its_places_sees():
    lighting = room((shapes.rounded_box((2.0, 2.0, 1.0)), (0.5, 0.3, 0.6))).lighting
    questions = []

    def free(origins, ways, reach):
        questions.append(len(origins))
        return clear(origins, ways, reach)

    clear = lighting.free
    lighting.free = free
    rng, light = np.random.default_rng(0), lighting.table[0]
    expected = np.zeros(len(lighting.places), bool)
    for _ in range(4):
        moved = rng.uniform(-0.45, 0.45, lighting.places.shape).astype("float32") * lighting.step
        rng.uniform(size=2)
        way = light[:3] - (lighting.places + moved)
        length = np.linalg.norm(way, axis=1)
        short = np.maximum(length - light[3] * 0.5 - 0.05, 0.01)
        expected |= clear(lighting.places + moved, way / length[:, None], short)
    assert 0 < expected.mean() < 1
    np.testing.assert_array_equal(lighting.sight() == 1, expected)
    assert questions[0] == len(expected) and questions[-1] < questions[0], (
        "who saw it is not asked again"
    )
