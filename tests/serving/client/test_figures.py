"""Figures hold what they claim: depths in metres, segments that the embedding makes, classes with
their names.
"""

import io

import numpy as np
import pytest
from client_answers import PHOTO, made_up_answer
from PIL import Image

from models.tasks import TASKS, target_names
from serving.client.answers import description
from serving.client.drawing import headed, titled
from serving.client.figures import (
    SIDE,
    curvature_panels,
    figure,
    headings,
    magnitude_panels,
    photo_of,
    segments_of,
)

DRAWN_VECTORS = {"room_layout", "vanishing_point"}


@pytest.fixture(scope="module")
def photo():
    return photo_of(PHOTO)


@pytest.mark.parametrize("name", target_names())
def test_every_target_gives_a_figure_or_numbers(name, photo):
    value = made_up_answer(name)
    entry = TASKS[name]
    metric = value if entry.whitened else None
    drawn = figure(name, value, photo, metric)
    if entry.output.kind == "vector":
        assert len(description(name, value)["numbers"]) == entry.output.channels
        assert (drawn is not None) == (name in DRAWN_VECTORS)
    if drawn is not None:
        assert drawn.dtype == "uint8" and drawn.shape[0] > SIDE and drawn.shape[1] > 1.5 * SIDE
        assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 5


@pytest.mark.parametrize("name", ["normal", "class_scene", "depth_zbuffer"])
def test_panels_are_headed_input_and_answer(name, photo):
    drawn = figure(name, made_up_answer(name), photo)
    words = headings(TASKS[name], made_up_answer(name))[0]
    assert words.startswith("answer")
    first = titled(headed(photo, "input"), "")
    np.testing.assert_array_equal(drawn[28 : len(first), :SIDE], first[28:])
    second = headed(photo, words)[:20]
    np.testing.assert_array_equal(drawn[28:48, SIDE + 6 : 2 * SIDE + 6], second)


def test_a_room_without_metres_is_not_drawn(photo):
    assert figure("room_layout", made_up_answer("room_layout"), photo) is None


def test_windows_do_not_stretch_the_scale_of_depth(photo):
    value = np.tile(np.log1p(np.linspace(512, 1024, 32)) / np.log(65536), (32, 1))[..., None]
    with_window = value.copy()
    with_window[:8, :8] = 1.0
    plain = figure("depth_zbuffer", value, photo)
    panel = figure("depth_zbuffer", with_window, photo)
    np.testing.assert_array_equal(plain[-SIDE:, -88:], panel[-SIDE:, -88:])
    assert (panel[-SIDE:][:60, SIDE + 6 : SIDE + 66] == 120).all(), "left grey"


def test_noise_around_a_constant_is_not_stretched(photo):
    """a map within a thousandth of its range was drawn from black to white."""
    noise = np.random.default_rng(0).normal(-0.73, 0.001, (32, 32, 1))
    panel = figure("keypoints2d", noise, photo)[-SIDE:-30, SIDE + 6 : 2 * SIDE + 6]
    assert np.ptp(panel.astype(int), axis=(0, 1)).max() < 8
    told = figure("keypoints2d", noise, photo)[-24:, SIDE + 6 : 2 * SIDE + 6]
    assert (told < 100).any() and (told > 240).any(), "words stand at its foot"


def test_segments_are_found_again():
    ids = np.kron(np.arange(4).reshape(2, 2), np.ones((8, 8), int))
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 5, (4, 6))
    segments = segments_of(centres[ids] + rng.normal(0, 0.05, (16, 16, 6)))
    assert len(set(zip(ids.ravel(), segments.ravel()))) == 4


def test_photos_are_cut_as_the_graph_cuts_them():
    buffer, wide = io.BytesIO(), np.zeros((20, 60, 3), "uint8")
    wide[:, 20:40] = 255
    Image.fromarray(wide).save(buffer, "PNG")
    assert (photo_of(buffer.getvalue()) == 255).all()


@pytest.mark.parametrize(
    "name, panels", [("edge_texture", magnitude_panels), ("principal_curvature", curvature_panels)]
)
def test_a_map_on_the_scale_of_another_has_its_numbers_and_is_shaded_by_them(name, panels):
    """so that a weak answer beside a strong label looks weak."""
    strong = made_up_answer(name)
    weak = strong * 0.25 - (0.75 if name == "edge_texture" else 0)  # [-1, 1] stands for [0, most]
    arguments = () if panels is curvature_panels else (TASKS[name],)
    own = panels(*arguments, strong)
    beside = panels(*arguments, weak, strong)
    alone = panels(*arguments, weak)
    np.testing.assert_array_equal(beside[-1], own[-1])  # the bar
    assert not np.array_equal(alone[-1], own[-1])
    assert not np.array_equal(beside[0], alone[0])
