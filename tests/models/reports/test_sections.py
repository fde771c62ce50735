"""Sections show what a run has, and nothing that it has not."""

import pytest
from made_run import files, write_run

from models.reports.page import write_report
from models.reports.sections import against_random, amounts, learning_curves, tabular


def test_a_random_encoder_is_compared_where_it_was_measured():
    row = {"sources": ["random_projection"], "target": "normal", "quality": 0.25}
    assert against_random([row, row | {"target": "x", "quality": None}]) == {"normal": 0.75}


def test_amounts_are_ordered_from_the_smallest_and_counted():
    best = {"": {"source": "a", "quality": 0.4}, "48": {"source": "b", "quality": 0.25}}
    rows = [{"target": "t", "spearman": {"48": 0.5}, "best": best}]
    shown = amounts({"images": {"": 195, "48": 48}, "targets": rows})
    assert shown["columns"] == [("48", 48), ("", 195)]
    assert shown["same"] == [(48, 0)]
    assert shown["spearman"] == [(48, 0.5)]


def test_a_curve_ends_at_the_right_and_flat_ones_are_drawn():
    falling, flat = learning_curves({"x": [3.0, 2.0, 1.0], "y": [1.0, 1.0], "z": [1.0]})
    assert falling["points"].startswith("0.0,0.0 ")
    assert falling["points"].endswith("140.0,56.0")
    assert flat["task"] == "y"


def test_statistics_that_are_no_table_are_left_out():
    assert tabular("no") == tabular(None) == tabular([1]) == []
    assert tabular([{"a": 1}]) == [{"a": 1}]


@pytest.mark.parametrize("target, is_damaged", [("denoising", True), ("autoencoding", False)])
def test_a_target_whose_transfers_read_the_undamaged_picture_says_so(tmp_path, target, is_damaged):
    content = files()
    content["affinities"]["rows"] += [
        {**row, "target": target}
        for row in content["affinities"]["rows"]
        if row["target"] == "normal"
    ]
    page = write_report(write_run(tmp_path, content)).read_text()
    # beside the policy's table and the matrix; this run has no curves by amounts of labels
    assert page.count("They have nothing to undo there") == 2 * is_damaged
    assert ("Denoising autoencoding: the task's own network" in page) == is_damaged
