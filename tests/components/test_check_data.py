"""The gate before training: the kept schema, TFDV's drift, what makes data the accepted ones."""

import numpy as np
import pandas
import pytest
import tensorflow_data_validation as tfdv

from components import check_data
from components.accepted import (
    ACCEPTED,
    KEPT_SCHEMA,
    PROFILE,
    STATISTICS,
    accept,
    accepted_address,
    accepted_profile,
    schema_beside,
    write_evidence,
)
from components.data_schema import SCHEMA, SPLITS, changes, curated, statistics_file
from models.provenance.atomic import write_json

COUNT = 60


def examples(seed: int, shift: float = 0.0) -> pandas.DataFrame:
    """views of one building with a label of bytes and a class's probability."""
    random = np.random.default_rng(seed)
    return pandas.DataFrame(
        {
            "building": [f"house{seed}"] * COUNT,
            "key": [f"house{seed}/point_0/view_{i}" for i in range(COUNT)],
            "normal": [random.bytes(20) for _ in range(COUNT)],
            "class_scene": random.normal(shift, 1, COUNT).astype("float32"),
        }
    )


def statistics(folder, table: pandas.DataFrame):
    """as StatisticsGen leaves them, every split the same."""
    found = tfdv.generate_statistics_from_dataframe(table)
    for split in SPLITS:
        path = statistics_file(str(folder), split)
        (folder / f"Split-{split}").mkdir(parents=True)
        with open(path, "wb") as file:
            file.write(found.SerializeToString())
    return tfdv.infer_schema(found, infer_feature_shape=False)


@pytest.fixture
def run(tmp_path):
    """a run's folder whose data were accepted once."""
    schema = statistics(tmp_path / "statistics", examples(0))
    tfdv.write_schema_text(schema, str(tmp_path / "inferred.pbtxt"))
    artifact = tmp_path / "verdict"
    evidence = (str(tmp_path / "inferred.pbtxt"), str(tmp_path / "statistics"))
    write_evidence(str(artifact), {"normal": {}}, *evidence)
    accept(str(artifact), tmp_path / "run" / ACCEPTED, {"records": 3.0})
    return tmp_path / "run"


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


def test_a_curated_schema_knows_no_buildings_and_says_what_changed(tmp_path):
    first = curated(statistics(tmp_path / "a", examples(0)))
    assert not first.string_domain and not any(feature.domain for feature in first.feature)
    assert changes(first, curated(statistics(tmp_path / "b", examples(1)))) == []
    other = examples(1).drop(columns="normal").assign(depth=1.0)
    lines = changes(first, curated(statistics(tmp_path / "c", other)))
    assert lines[0] == "normal: no longer there" and lines[1].startswith("depth: new, ")


def test_accepted_data_have_an_address_that_a_kept_schema_changes(run, tmp_path):
    before = accepted_address(run)
    assert before and accepted_address(tmp_path / "other") == ""
    assert accepted_profile(run / ACCEPTED) == {"normal": {}}
    accept(str(tmp_path / "verdict"), run / ACCEPTED, {"records": 4.0})
    assert accepted_address(run) == before, "what was measured of the server is no part of it"
    (run / KEPT_SCHEMA).mkdir()
    (run / KEPT_SCHEMA / SCHEMA).write_text((run / ACCEPTED / SCHEMA).read_text())
    assert accepted_address(run) != before
    assert schema_beside(run / ACCEPTED) == run / KEPT_SCHEMA / SCHEMA
    assert sorted(path.name for path in (run / ACCEPTED).iterdir()) == sorted(
        ["figures.json", PROFILE, SCHEMA, STATISTICS]
    )


def test_many_broken_views_are_refused(tmp_path):
    counts = {"read": 10, "written": 7, "quarantined": 3}
    write_json(tmp_path / "counts.json", counts)
    assert not check_data.nothing_lost(str(tmp_path)).passed
    write_json(tmp_path / "counts.json", {**counts, "quarantined": 1})
    assert check_data.nothing_lost(str(tmp_path)).passed
