"""A task as data: what follows from its fields, and what cannot be held."""

import dataclasses

import pytest

from models.tasks import TASKS, Output
from models.tasks.task import TILES


@pytest.mark.parametrize(
    "change, message",
    [
        ({"name": "two words"}, "identifier"),
        ({"images": 4}, "1, 2 or 3"),
        ({"source": False, "target": False}, "neither"),
        ({"mask": "some"}, "mask is one of"),
        ({"low": 2.0}, "empty"),
        ({"images": 2}, "vector or classes"),
        ({"loss": "euclidean"}, "loss is one of l1, l2; got 'euclidean'"),
        ({"sampling": "matching"}, "gives pairs of views, got images 1"),
        ({"flip": "mirror the cameras"}, "not by its cameras"),
        ({"names": ("one", "two")}, "3 channels, got 2 names"),
        ({"names": ("x", "y", "z"), "vocabulary": "xyz.txt"}, "not both"),
        ({"output": Output("vector", 3), "loss": "l2", "flip": "none"}, "need names"),
        ({"output": Output("pixels", 1)}, "negates x of three channels"),
        ({"shares": 2}, "fewer than half of a map's channels, got 2 of 3"),
    ],
)
def test_nonsense_cannot_be_held(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(TASKS["normal"], **change)


@pytest.mark.parametrize(
    "name, shape",
    [
        ("normal", (64, 64, 3)),
        ("colorization", (16, 16, 313)),
        ("segment_semantic", (64, 64, 1)),
        ("segment_unsup2d", (64, 64, 1)),
        ("class_scene", (63,)),
        ("fixated_pose", (6,)),
    ],
)
def test_a_target_has_the_shape_of_the_answer_or_an_id_a_pixel(name, shape):
    assert TASKS[name].target_shape(64) == shape


def test_representations_are_views_or_tiles_and_inputs_colours_or_lightness():
    assert TASKS["normal"].representations == 1 and TASKS["egomotion"].representations == 3
    assert TASKS["jigsaw"].representations == TILES and TASKS["fixated_pose"].representations == 2
    assert TASKS["colorization"].input_channels == 1 and TASKS["normal"].input_channels == 3


def test_an_unknown_kind_is_refused_at_once():
    with pytest.raises(ValueError, match="kind"):
        Output("guess", 3)
