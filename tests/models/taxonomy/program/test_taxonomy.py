"""A taxonomy checks itself."""

import json

import pytest
from affinity_tables import gappy_table

from models.taxonomy import Affinities, Edge, Taxonomy, Transfer, solve
from models.taxonomy.affinities import Row
from models.taxonomy.program.request import Request
from models.taxonomy.program.taxonomy import Certificate, read_policy


def test_a_taxonomy_survives_json_and_refuses_nonsense():
    import dataclasses

    from models.taxonomy import Taxonomy

    taxonomy = solve(gappy_table(2), 2)
    assert Taxonomy.from_json(taxonomy.to_json()) == taxonomy
    with pytest.raises(ValueError, match="does not supervise"):
        dataclasses.replace(taxonomy, supervised=())
    with pytest.raises(ValueError, match="budget"):
        dataclasses.replace(taxonomy, spent=99.0)


def edges_of_all_ways() -> tuple[Edge, ...]:
    return (
        Edge(Transfer((), "a", control="supervised"), 0.5, 0.9, 0.5),
        Edge(Transfer(("a",), "b"), 0.4, 0.8, 0.3),
        Edge(Transfer(("a",), "c"), 0.4, 0.6, 0.1),
        Edge(Transfer((), "d", "1k", "scratch"), 0.3, 0.5, 0.2),
    )


def test_gain_and_quality_are_told_apart_by_the_way_a_target_is_reached():
    policy = Taxonomy(2, 1, "optimal", 1.0, 1.0, ("a",), edges_of_all_ways(), 1.0)
    assert policy.ways == {
        "supervised": {"targets": 1, "gain": 0.9, "quality": 0.5},
        "transferred": {"targets": 2, "gain": pytest.approx(0.7), "quality": pytest.approx(0.2)},
        "scratch": {"targets": 1, "gain": 0.5, "quality": 0.2},
    }
    assert policy.quality == pytest.approx(1.1 / 4)
    again = Taxonomy.from_json(json.loads(json.dumps(policy.to_json())))
    assert again == policy and policy.to_json()["ways"] == policy.ways


def test_a_network_from_scratch_needs_no_labels_of_a_source_and_a_constant_is_no_answer():
    scratch = edges_of_all_ways()[3:]
    assert Taxonomy(1, 1, "optimal", 1.0, 1.0, (), scratch).supervised == ()
    with pytest.raises(ValueError, match="answered by a constant"):
        Taxonomy(1, 1, "optimal", 1.0, 1.0, (), (Edge(Transfer((), "a", "", "average"), 0.1),))


def test_an_edge_that_the_request_does_not_offer_is_refused():
    scratch = Row(Transfer((), "a", control="scratch"), 0.2)
    table = Affinities((scratch, Row(Transfer(("x",), "a"), 0.1)), {})
    proof = Certificate("optimal", 1.0, 1.0)
    read_policy(table, Request(1, 1, scratch=True), frozenset(), [scratch.transfer], proof)
    with pytest.raises(ValueError, match="does not offer"):
        read_policy(table, Request(1, 1), frozenset(), [scratch.transfer], proof)
