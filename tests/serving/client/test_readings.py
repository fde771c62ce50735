"""Answers in units, and those that say no more than a constant are called so."""

import numpy as np
import pytest

from models.tasks import TASKS, View, ViewKey, target_names
from models.tasks.targets import target
from serving.bundle.class_names import class_names
from serving.client.readings import (
    alike,
    constant_words,
    least_spread,
    likeliest,
    magnitude,
    one_colour_words,
    spread,
    stretched,
)

SIDE = 16
STRETCHED = [name for name in target_names() if stretched(TASKS[name])]


def test_the_magnitudes_are_those_whose_unit_says_so():
    assert {"edge_texture", "edge_occlusion", "keypoints2d", "keypoints3d", "reshading"} == set(
        STRETCHED
    )


@pytest.mark.parametrize("name", STRETCHED)
def test_the_entrys_words_are_what_the_target_function_does(name):
    """a label of the largest magnitude becomes 1, none becomes -1."""
    entry = TASKS[name]
    _, high = stretched(entry)
    largest = 255 if entry.make == "reshading" else round(65535 * high)
    kind = "uint8" if entry.make == "reshading" else "uint16"
    rgb = np.zeros((SIDE, SIDE, 3), "uint8")
    for code, answer, shown in ((largest, 1, high), (0, -1, 0)):
        labels = {entry.labels[0]: np.full((SIDE, SIDE), code, kind)}
        value = target(entry, [View(ViewKey("b", 0, 0), rgb, None, labels)], None)[0]
        np.testing.assert_allclose(value, answer, atol=0.01)
        np.testing.assert_allclose(magnitude(entry, value).value, shown, atol=0.01 * high)


@pytest.mark.parametrize(
    "name", [name for name in target_names() if TASKS[name].output.kind == "pixels"]
)
def test_a_flat_map_is_called_flat_and_a_steep_one_is_not(name):
    entry = TASKS[name]
    channels = entry.output.channels
    noise = np.random.default_rng(0).normal(0, least_spread(entry) / 50, (SIDE, SIDE, channels))
    words = constant_words(entry, noise + 0.3)
    assert words.startswith("nearly the same everywhere")
    slope = np.linspace(0, 0.6, SIDE)[:, None, None] + noise
    assert spread(slope) > least_spread(entry) and constant_words(entry, slope) == ""


def test_the_constant_is_named_in_its_unit():
    flat = np.full((SIDE, SIDE, 1), np.log1p(1024) / np.log(65536))
    assert constant_words(TASKS["depth_zbuffer"], flat) == "nearly the same everywhere: 2 metres"
    assert constant_words(TASKS["keypoints2d"], np.full((SIDE, SIDE, 1), -0.6)) == (
        "nearly the same everywhere: 0.001 of at most 0.005"
    )


def test_one_wrong_pixel_does_not_make_a_map_steep():
    value = np.zeros((SIDE, SIDE, 1))
    value[0, 0] = 1
    assert constant_words(TASKS["edge_texture"], value)


def test_classes_without_a_leader_are_called_so():
    assert constant_words(TASKS["class_scene"], np.zeros(63)) == "no class stands out"
    assert constant_words(TASKS["class_scene"], np.eye(63)[3] * 5) == ""


def test_likeliest_classes_are_named_with_shares_that_fall():
    logits = np.zeros(63)
    logits[3], logits[7] = 5.0, 4.0
    classes = likeliest("class_scene", logits)
    names = class_names("class_scene")
    assert [word for word, _ in classes[:2]] == [names[3], names[7]]
    assert [share for _, share in classes] == sorted((share for _, share in classes), reverse=True)


def test_only_pictures_of_the_picture_can_be_alike():
    value = np.random.default_rng(0).uniform(-1, 1, (SIDE, SIDE, 3))
    assert alike("autoencoding", value, "denoising", value + 0.01)
    assert not alike("autoencoding", value, "denoising", -value)
    assert not alike("autoencoding", value, "normal", value)
    assert not alike("autoencoding", value, "room_layout_metric", value)


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (20, 90, 160)])
def test_a_picture_of_one_colour_is_called_so(colour):
    photo = np.full((SIDE, SIDE, 3), colour, "uint8")
    photo[0, 0] = 255 - photo[0, 0]  # one wrong pixel shows nothing either
    assert "nearly one colour" in one_colour_words(photo)
    photo[:, : SIDE // 2, 1] ^= 16
    assert one_colour_words(photo) == "", "one channel is enough"
