"""Random policies, and the test against them."""

import numpy as np
from affinity_tables import graded_table

from models.taxonomy import Affinities, solve
from models.taxonomy.affinities import Row
from models.taxonomy.chance import random_policies, significance
from models.taxonomy.request import Request


def test_random_policies_keep_the_budget_and_the_rules():
    table, rng = graded_table(0), np.random.default_rng(0)
    costs = {f"t{i}": 0.5 + i / 4 for i in range(6)}
    request = Request(2.5, 2, cost=costs, forced=frozenset({"t3"}), forbidden=frozenset({"t0"}))
    drawn = random_policies(table, request, 200, rng)
    assert len(drawn) == 200
    assert (
        drawn.objective.max()
        <= solve(
            table, 2.5, 2, cost=costs, forced=frozenset({"t3"}), forbidden=frozenset({"t0"})
        ).objective
        + 1e-9
    )
    best = random_policies(table, request, 200, rng, best_edges=True)
    assert best.quality.mean() > drawn.quality.mean()


def test_an_informed_policy_is_significant_and_an_arbitrary_table_is_not():
    table = graded_table(1)
    request = Request(2, 2)
    assert significance(table, request, solve(table, 2, 2))["p"] <= 0.01
    flat = Affinities(
        tuple(
            Row(row.transfer, 0.25, 0.5, 0.5 if row.transfer.control else 0.25)
            for row in table.rows
        ),
        {},
    )
    found = significance(flat, request, solve(flat, 2, 2))
    assert found["p"] > 0.05 and "not distinguishable" in found["verdict"]
