"""Requests that mean nothing are refused."""

import pytest
from affinity_tables import gappy_table

from models.taxonomy import solve
from models.taxonomy.program.request import Request, Resource


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"second": Resource("x", 1.0), "cost": {"t0": float("nan")}}, "finite"),
        ({"regime_cost": {"1k": -1.0}}, "not negative"),
        ({"time_limit": 0.0}, "positive number of seconds"),
        (
            {"source_only": frozenset({"t0"}), "target_only": frozenset({"t0"})},
            "both source_only and target_only",
        ),
    ],
)
def test_requests_that_mean_nothing_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Request(3.0, 2, **fields)


def test_contradictions_and_unknown_names_are_refused():
    with pytest.raises(ValueError, match="both forced and forbidden"):
        solve(gappy_table(0), 3, forced=frozenset({"t0"}), forbidden=frozenset({"t0"}))
    with pytest.raises(KeyError, match="unknown task 'tt0'"):
        solve(gappy_table(0), 3, forced=frozenset({"tt0"}))
    with pytest.raises(ValueError, match="positive number"):
        solve(gappy_table(0), 0)
