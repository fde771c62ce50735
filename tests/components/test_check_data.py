"""The gate before training: the kept schema, TFDV's drift, what makes data the accepted ones."""

import pytest
from accepted_run import accepted_run, examples, statistics

from components import check_data
from components.accepted import (
    ACCEPTED,
    schema_beside,
)
from models.provenance.atomic import write_json


@pytest.fixture
def run(tmp_path):
    return accepted_run(tmp_path)


def refusals(run, tmp_path, table):
    statistics(tmp_path / "new", table)
    checks = check_data.schema_checks(str(tmp_path / "new"), str(run / ACCEPTED))
    return [check.said for check in checks if not check.passed]


def test_other_buildings_of_the_same_kind_keep_the_schema(run, tmp_path):
    assert refusals(run, tmp_path, examples(1)) == []


def test_a_lost_label_and_a_moved_distribution_are_refused(run, tmp_path):
    said = refusals(run, tmp_path, examples(1, shift=4.0).drop(columns="normal"))
    assert any(line.startswith("train, normal: ") for line in said), said
    assert any(line.startswith("train, class_scene: ") for line in said), said


def test_nothing_is_asked_while_no_schema_is_kept(tmp_path):
    statistics(tmp_path / "new", examples(0))
    (check,) = check_data.schema_checks(str(tmp_path / "new"), str(tmp_path / "run" / ACCEPTED))
    assert check.passed and schema_beside(tmp_path / "run" / ACCEPTED) is None


def test_many_broken_views_are_refused(tmp_path):
    counts = {"read": 10, "written": 7, "quarantined": 3}
    write_json(tmp_path / "counts.json", counts)
    assert not check_data.nothing_lost(str(tmp_path)).passed
    write_json(tmp_path / "counts.json", {**counts, "quarantined": 1})
    assert check_data.nothing_lost(str(tmp_path)).passed


def labels_check(folder, carried, **counts):
    rows = {"train": {"labels": {name: {"views": n} for name, n in carried.items()}}}
    write_json(folder / "counts.json", {"read": 10, "written": 10, "quarantined": 0, **counts})
    write_json(folder / "statistics.json", rows)
    return check_data.labels_read(str(folder))


def test_a_label_whose_files_are_refused_does_not_pass_and_a_few_flawed_ones_are_said(tmp_path):
    check = labels_check(tmp_path, {"rgb": 10}, labels_refused={"depth_zbuffer": 5})
    assert not check.passed and check.figures == {"depth_zbuffer": 1.0}
    assert "depth_zbuffer: its file is flawed in 5 of 5 views" in check.said
    assert f"{tmp_path}/quarantine.jsonl" in check.said
    check = labels_check(tmp_path, {"rgb": 10}, labels_misnamed={"depth_zbuffer": 5})
    assert not check.passed and "not called point_P_view_V" in check.said
    check = labels_check(tmp_path, {"normal": 9}, labels_refused={"normal": 1})
    assert check.passed and check.said.startswith("normal: its file is flawed in 1 of 10 views")
    assert labels_check(tmp_path, {"normal": 10}).said == "no file of a label was refused"


def test_folders_of_no_label_and_misnamed_copies_stop_nothing(tmp_path):
    counts = {"folders_unknown": {"thermal": 3}, "labels_misnamed": {"normal": 10}}
    assert labels_check(tmp_path, {"normal": 10}, **counts).passed
