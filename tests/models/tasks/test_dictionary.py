"""What must hold for every task runs over the dictionary."""

import dataclasses

import numpy as np
import pytest
from synthetic import SIZE, draws, view

from models.tasks import DOMAINS, TASKS, source_names, target_names, task
from models.tasks.targets import MAKERS, target

SAMPLED = [entry for entry in TASKS.values() if entry.trained]


def test_there_are_26_tasks_of_which_22_are_targets():
    assert (len(TASKS), len(source_names()), len(target_names())) == (26, 26, 22)
    assert set(source_names()) - set(target_names()) == {
        "colorization",
        "inpainting",
        "jigsaw",
        "random_projection",
    }


@pytest.mark.parametrize("entry", SAMPLED, ids=lambda entry: entry.name)
def test_a_target_has_the_declared_shape_and_range(entry):
    value, mask = target(entry, [view(i) for i in range(entry.images)], draws)
    expected = entry.target_shape(SIZE)
    assert value.shape == expected and value.dtype == mask.dtype == np.float32
    assert mask.shape in ((), expected[:2] + (1,))
    assert np.isfinite(value).all() and (mask >= 0).all()
    values = value[np.broadcast_to(mask > 0, value.shape)]
    assert values.min() >= entry.low - 1e-6 and values.max() <= entry.high + 1e-6


@pytest.mark.parametrize(
    "entry",
    [entry for entry in SAMPLED if set(entry.labels) - {"rgb"}],
    ids=lambda entry: entry.name,
)
def test_a_missing_label_gives_no_target(entry):
    whole = [view(i) for i in range(entry.images)]
    labels = {name: value for name, value in whole[0].labels.items() if name not in entry.labels}
    bare = dataclasses.replace(
        whole[0], labels=labels, camera=None if "point_info" in entry.labels else whole[0].camera
    )
    assert target(entry, [bare, *whole[1:]], draws) is None


@pytest.mark.parametrize("entry", TASKS.values(), ids=lambda entry: entry.name)
def test_an_entry_names_published_folders_and_a_target_function(entry):
    assert set(entry.labels) <= set(DOMAINS)
    assert entry.trained == (entry.make in MAKERS)
    assert entry.reference and entry.unit and entry.title


def test_published_names_are_distinct():
    published = [entry.published for entry in TASKS.values() if entry.published]
    assert len(set(published)) == len(published) == 26


def test_targets_are_ids_exactly_where_a_pixel_is_labelled_by_one():
    by_ids = [entry.name for entry in SAMPLED if entry.labelled_by_ids]
    assert by_ids == ["segment_unsup2d", "segment_unsup25d", "segment_semantic"]


def test_vectors_of_mixed_units_are_whitened_and_directions_are_not():
    assert [entry.name for entry in SAMPLED if entry.whitened] == [
        "room_layout",
        "fixated_pose",
        "nonfixated_pose",
        "egomotion",
    ]


def test_an_unknown_task_is_answered_with_the_closest_name_first():
    with pytest.raises(KeyError, match="did you mean normal"):
        task("normals")


@pytest.mark.parametrize("entry", SAMPLED, ids=lambda entry: entry.name)
def test_a_label_made_from_the_picture_alone_follows_from_its_colours_or_reads_no_folder(entry):
    """what colours decide is computed from the picture; what the sampler draws needs no label."""
    drawn_by_us = entry.labels == ("rgb",) or entry.name == "jigsaw"
    assert bool(entry.derivation) == (entry.colours or drawn_by_us)


def test_every_trained_task_has_a_family():
    assert all(entry.family for entry in SAMPLED)
    with pytest.raises(ValueError, match="family is one of 2d"):
        dataclasses.replace(SAMPLED[0], family="4d")
