"""What a run asks of the program beside budget and order."""

from made_run import NAMES, table

from models.tasks import TASKS
from models.taxonomy import Affinities, Transfer, solve
from models.taxonomy.affinities import Row
from models.taxonomy.program.run_request import request_fields


def test_a_table_with_networks_from_scratch_offers_them_where_the_run_does():
    assert request_fields(table(NAMES), scratch=True, costs="equal") == {
        "scratch": True,
        "free": frozenset(),
        "target_only": frozenset(),
    }
    assert request_fields(table(NAMES), scratch=False, costs="equal")["scratch"] is False


def test_a_table_without_networks_from_scratch_offers_none():
    known = table(NAMES).only(lambda row: row.transfer.control != "scratch")
    assert request_fields(known, scratch=True, costs="equal")["scratch"] is False


def test_labels_that_an_algorithm_makes_cost_nothing_under_that_preset():
    free = request_fields(table(NAMES), scratch=True, costs="derived")["free"]
    assert free == {name for name in NAMES if TASKS[name].derivation} and free


def with_outside(name: str) -> Affinities:
    """a table in which a source from outside is the best of all into every target."""
    rows = table(NAMES).rows
    best = max(row.affinity for row in rows)
    more = [Row(Transfer((name,), target), 2 * best, 0.9, 0.5) for target in NAMES]
    return Affinities((*rows, *more), {})


def test_a_source_from_outside_costs_no_label():
    known = with_outside("hed")
    request = request_fields(known, scratch=True, costs="equal")
    assert request["free"] == {"hed"}
    policy = solve(known, 1, 1, **request)
    assert "hed" in policy.supervised and policy.spent == len(policy.supervised) - 1
    assert any(edge.transfer.sources == ("hed",) for edge in policy.edges)


def test_what_no_bundle_can_hold_is_in_no_policy():
    known = with_outside("hed")
    policy = solve(
        known,
        1,
        1,
        **request_fields(known, scratch=True, costs="equal", unserved=["hed", "never_measured"]),
    )
    assert "hed" not in policy.supervised
    assert not any("hed" in edge.transfer.sources for edge in policy.edges)
