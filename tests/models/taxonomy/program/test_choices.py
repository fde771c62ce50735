"""A solver's choice is held against the request's rules, in words."""

import pytest

from models.taxonomy import Affinities, Transfer
from models.taxonomy.affinities import Row
from models.taxonomy.program.request import Request, Resource
from models.taxonomy.program.taxonomy import Certificate, read_policy


def two_targets() -> Affinities:
    rows = [Row(Transfer((source,), target), 0.3) for source in ("x", "y") for target in ("a", "b")]
    return Affinities((*rows, Row(Transfer((), "a", control="supervised"), 1.0)), {})


@pytest.mark.parametrize(
    "nodes, edges, asked, words",
    [
        ("x", ["a"], {}, "b is not reached"),
        ("xa", ["b"], {"variant": "paper"}, "a is not reached"),
        ("x", ["a", "b"], {"forced": frozenset("y")}, "y is forced"),
        ("x", ["a", "b"], {"forbidden": frozenset("x")}, "x may not be supervised"),
        ("x", ["a", "b"], {"target_only": frozenset("x")}, "x may not be supervised"),
        ("x", ["a", "b"], {"source_only": frozenset("b")}, "b is no target"),
        ("x", ["a", "b", "b"], {}, "b is reached twice"),
        ("x", ["a", "b"], {"second": Resource("size", 1.5, each_edge=0.3)}, "1.6 of size"),
    ],
)
def test_a_choice_that_breaks_a_rule_of_the_request_is_refused(nodes, edges, asked, words):
    proof = Certificate("optimal", 1.0, 1.0)
    chosen = [Transfer(("x",), target) for target in edges]
    with pytest.raises(ValueError, match=words):
        read_policy(two_targets(), Request(3, 1, **asked), frozenset(nodes), chosen, proof)


def test_a_choice_that_keeps_every_rule_is_a_taxonomy():
    request = Request(3, 1, forced=frozenset("x"), second=Resource("size", 1.6, each_edge=0.3))
    chosen = [Transfer(("x",), target) for target in "ab"]
    proof = Certificate("optimal", 1.0, 1.0)
    policy = read_policy(two_targets(), request, frozenset("x"), chosen, proof)
    assert [edge.transfer for edge in policy.edges] == chosen
