"""Presets of label costs: what an algorithm makes from the picture, and nothing else."""

import pytest

from models.tasks import TASKS
from models.taxonomy.program.costs import derivations, free_tasks, without_labels

FREE = {
    "autoencoding",
    "denoising",
    "inpainting",
    "colorization",
    "edge_texture",
    "keypoints2d",
    "segment_unsup2d",
    "jigsaw",
    "random_projection",
}


def test_equal_costs_free_nobody_and_derived_ones_what_the_picture_gives():
    assert free_tasks("equal", TASKS) == frozenset()
    assert free_tasks("derived", TASKS) == FREE
    assert all(derivations(TASKS).values())


def test_what_learns_nothing_has_no_labels_in_both_spellings():
    assert without_labels([*TASKS, "sonar"]) == {"random_projection"}
    assert without_labels(["random", "jigsaw", "autoencoder"]) == {"random"}


def test_released_spellings_are_known_and_strangers_cost_something():
    names = [TASKS[name].published for name in ("autoencoding", "normal")]
    assert free_tasks("derived", [*names, "sonar"]) == {"autoencoder"}


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="equal, derived; got 'cheap'"):
        free_tasks("cheap", TASKS)
