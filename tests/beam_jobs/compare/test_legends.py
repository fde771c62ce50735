"""One scale for all views of a row, and a legend that says what a colour means."""

import numpy as np
import pytest

from beam_jobs.compare.legends import PAPER, RAMPS, Layout, classes_there, legend, shown
from models.tasks import DOMAINS


def test_all_views_share_one_scale():
    near, far = np.full((4, 4), 512, "uint16"), np.full((4, 4), 5120, "uint16")
    row = shown([near, far], "depth_zbuffer", [512, 512])
    assert (row.low, row.high) == (1.0, 10.0) and "m" in row.unit
    assert [tile[0, 0, 0] for tile in row.tiles] == [0, 255]
    assert shown([near, far], "depth_zbuffer", [512, 5120]).high == pytest.approx(1.0)


def test_classes_that_are_seen_are_named_the_most_frequent_first():
    ids = np.array([[4, 4], [4, 1]], "uint8")
    assert [name for _, name in classes_there([ids, None])] == ["couch", "background"]


@pytest.mark.parametrize(
    "label", [name for name, row in DOMAINS.items() if row.file == "png" and name != "rgb"]
)
def test_every_label_but_the_picture_has_a_legend(label):
    domain = DOMAINS[label]
    shape = (8, 8, 3) if domain.channels == 3 else (8, 8)
    value = (np.arange(np.prod(shape)).reshape(shape) % 17).astype(domain.dtype)
    row = shown([value], label, [512])
    assert (row.unit != "") == (label in RAMPS)
    assert (legend(row, Layout(128)) != PAPER).any()
    assert row.tiles[0].shape == (8, 8, 3) and row.tiles[0].dtype == np.uint8
