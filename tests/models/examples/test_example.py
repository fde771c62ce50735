"""A record holds all that a view knows, and nothing else."""

import dataclasses

import numpy as np
import pytest
from synthetic import camera, view

from models.examples.example import encode_view, parse_view
from models.tasks import DOMAINS, Camera


def test_a_view_reads_back_with_every_label_bit_for_bit():
    whole = view(0)
    again = parse_view(encode_view(whole, "train"))
    assert again.key == whole.key
    np.testing.assert_array_equal(again.rgb, whole.rgb)
    assert (
        set(again.labels)
        == set(whole.labels)
        == {folder for folder, domain in DOMAINS.items() if domain.per_view} - {"rgb", "point_info"}
    )
    for folder, value in whole.labels.items():
        assert again.labels[folder].dtype == value.dtype, folder
        np.testing.assert_array_equal(again.labels[folder], value)


def test_absent_labels_and_cameras_are_absent_features():
    bare = dataclasses.replace(view(0), labels={}, camera=None)
    again = parse_view(encode_view(bare, "test"))
    assert again.labels == {} and again.camera is None


@pytest.mark.parametrize("points", [None, frozenset(), frozenset((7, 3))])
def test_no_other_point_in_view_is_not_the_same_as_unknown(points):
    seeing = dataclasses.replace(camera(0), points_in_view=points)
    again = parse_view(encode_view(dataclasses.replace(view(0), camera=seeing), "train")).camera
    assert isinstance(again, Camera) and again.points_in_view == points


def test_the_same_view_gives_the_same_record():
    assert encode_view(view(3), "val") == encode_view(view(3), "val")
    assert encode_view(view(3), "val") != encode_view(view(3), "test")


@pytest.mark.parametrize("field", ["room", "point"])
def test_what_a_camera_does_not_know_stays_unknown(field):
    unsure = dataclasses.replace(view(0), camera=dataclasses.replace(camera(0), **{field: None}))
    again = parse_view(encode_view(unsure, "train")).camera
    assert isinstance(again, Camera) and getattr(again, field) is None
