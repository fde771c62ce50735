"""Sums over shards are what one would compute over all pixels at once."""

import json

import cv2
import numpy as np
import pytest
from synthetic import view

from beam_jobs.ingest.statistics import add, add_codes, empty, empty_label, merged, spread, summary
from models.tasks import View


def totals_of(views):
    totals = empty()
    for each in views:
        add(totals, each)
    return totals


@pytest.fixture(scope="module")
def views():
    return [view(seed) for seed in range(4)]


def test_shards_merge_to_what_one_pass_gives(views):
    whole = summary(totals_of(views))
    parts = [totals_of(views[:1]), json.loads(json.dumps(totals_of(views[1:])))]
    joined = summary(merged(parts))
    assert joined["views"] == whole["views"] == 4
    for folder, row in whole["labels"].items():
        for name, value in row.items():
            if isinstance(value, float):
                assert joined["labels"][folder][name] == pytest.approx(value), (folder, name)
            else:
                assert joined["labels"][folder][name] == value, (folder, name)


def test_means_spreads_and_bounds_are_those_of_all_codes_that_are_there(views):
    row = summary(totals_of(views))["labels"]["depth_zbuffer"]
    codes = np.stack([each.labels["depth_zbuffer"] for each in views]).astype(float)
    values = codes[codes != 65535]
    assert row["missing"] == pytest.approx(1 - values.size / codes.size)
    assert (row["mean"], row["std"]) == pytest.approx((values.mean(), values.std()))
    assert (row["min"], row["max"]) == (values.min(), values.max())


def test_colours_that_say_that_nothing_is_seen_are_missing_not_values():
    made = view(0)
    normal = np.full((32, 32, 3), (200, 128, 20), "uint8")
    normal[:8] = 128
    normal[8:16] = 0
    curvature = np.full((32, 32, 3), (130, 127, 0), "uint8")
    curvature[:8] = 0
    labels = {"normal": normal, "principal_curvature": curvature}
    rows = summary(totals_of([View(made.key, made.rgb, made.camera, labels)]))["labels"]
    assert (rows["normal"]["missing"], rows["principal_curvature"]["missing"]) == (0.5, 0.25)
    assert (rows["normal"]["mean"], rows["normal"]["min"]) == (pytest.approx(116), 20)
    assert rows["principal_curvature"]["mean"] == pytest.approx(257 / 3)
    assert rows["rgb"]["missing"] == 0


@pytest.mark.parametrize("missing", [0, 0.3, 1])
@pytest.mark.parametrize(
    "folder, highest, code",
    [("normal", 256, 128), ("principal_curvature", 256, 0), ("depth_zbuffer", 65535, 65535)],
)
def test_sums_are_to_the_last_bit_those_of_opencvs_mean_and_deviation(
    folder, highest, code, missing
):
    rng = np.random.default_rng(0)
    colours = (3,) if highest == 256 else ()
    for size in (1, 7, 64):
        value = rng.integers(1, highest, (size, size, *colours)).astype(
            "uint8" if colours else "uint16"
        )
        unseen = rng.random((size, size)) < missing
        value[unseen] = code
        row = empty_label()
        add_codes(row, value, folder)
        values = value[~unseen].reshape(-1, 1)
        assert (row["values"], row["missing"]) == (values.size, value.size - values.size)
        if values.size:
            mean, std = (float(number[0, 0]) for number in cv2.meanStdDev(values))
            assert row["sum"] == mean * values.size
            assert row["squares"] == (std * std + mean * mean) * values.size
            assert (row["min"], row["max"]) == (values.min(), values.max())


def test_classes_are_counted_by_pixel_or_by_view(views):
    labels = summary(totals_of(views))["labels"]
    ids = np.stack([each.labels["segment_semantic"] for each in views])
    assert labels["segment_semantic"]["classes"] == np.bincount(ids.ravel(), minlength=18).tolist()
    assert sum(labels["class_object"]["classes"]) == 4


def test_of_nothing_there_is_no_mean():
    assert spread(0, 0.0, 0.0) == {"mean": None, "std": None}
    assert summary(empty()) == {
        "views": 0,
        "field_of_view": {"views": 0, "mean": None, "std": None},
        "labels": {},
    }
