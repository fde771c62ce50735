"""Every published folder says how its files are written."""

import dataclasses

import numpy as np
import pytest

from models.tasks import DOMAINS, TASKS, label_domains


def test_every_label_of_a_task_is_a_folder_with_a_file_a_view():
    assert {label for entry in TASKS.values() for label in entry.labels} == set(label_domains())


def test_rgb_comes_first_and_files_about_points_are_no_labels_of_views():
    assert label_domains()[0] == "rgb"
    assert set(DOMAINS) - set(label_domains()) == {"nonfixated_matches"}


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=lambda domain: domain.folder)
def test_a_missing_code_and_the_range_fit_the_dtype(domain):
    if domain.file != "png":
        return
    largest = np.iinfo(domain.dtype).max
    assert 0 <= domain.low <= domain.high <= largest
    assert domain.missing is None or domain.low <= domain.missing <= domain.high


@pytest.mark.parametrize(
    "change, message",
    [({"file": "jpg"}, "png, npy or json"), ({"dtype": "float32"}, "uint8 or uint16")],
)
def test_a_folder_of_other_files_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(DOMAINS["depth_zbuffer"], **change)
