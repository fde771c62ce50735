"""What a run came to, from the artifacts that it left."""

import pytest

from models.provenance.atomic import write_json
from tfx_pipeline.history.account import data_of, facts_in, metrics_of, policy_of

POLICY = {
    "budget": 2,
    "order": 1,
    "supervised": ["normal"],
    "quality": 0.4,
    "gain": 0.6,
    "edges": [
        {"target": "reshading", "sources": ["normal"], "quality": 0.4, "gain": 0.6},
        {"target": "jigsaw", "sources": [], "control": "scratch"},
    ],
}


@pytest.fixture
def artifacts(tmp_path):
    folders = {
        "ExampleGen/examples": (
            "index/index.json",
            {
                "hash": "d1",
                "views": {"train": 3, "test": 1},
                "buildings": ["a", "b"],
            },
        ),
        "TrainPolicy/transfers": ("policy.json", POLICY),
        "EvaluateTaxonomy/evidence": (
            "evidence.json",
            {
                "budget": 2,
                "order": 1,
                "headline": [
                    {"budget": 1, "order": 1, "saved": 0.9},
                    {"budget": 2, "order": 1, "saved": 0.3},
                ],
                "significance": {"p": 0.01, "verdict": "p <= 0.01"},
            },
        ),
    }
    for name, (file, value) in folders.items():
        write_json(tmp_path / name / file, value)
    return {name: str(tmp_path / name) for name in folders}


def test_data_are_counted(artifacts):
    assert data_of(artifacts) == {"hash": "d1", "views": {"train": 3, "test": 1}, "buildings": 2}


def test_measures_are_those_of_the_budget_and_order_that_is_served(artifacts):
    assert metrics_of(artifacts) == {
        "quality": 0.4,
        "gain": 0.6,
        "saved": 0.3,
        "p": 0.01,
        "significance": "p <= 0.01",
    }


def test_a_policy_is_a_table_of_ways(artifacts):
    found = policy_of(artifacts)
    assert (found["budget"], found["order"], found["supervised"]) == (2, 1, ["normal"])
    assert found["edges"]["reshading"]["way"] == "transfer"
    assert found["edges"]["jigsaw"] == {
        "sources": [],
        "way": "scratch",
        "quality": None,
        "gain": None,
    }


def test_what_a_run_did_not_come_to_is_nothing(tmp_path):
    assert data_of({}) == metrics_of({}) == policy_of({}) == {}
    (tmp_path / "policy.json").write_text("{torn")
    (tmp_path / "list.json").write_text("[]")
    place = {"TrainPolicy/transfers": str(tmp_path)}
    assert policy_of(place) == {} and facts_in(place, "TrainPolicy/transfers", "list.json") == {}
