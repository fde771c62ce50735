"""Policies without a solver: the best edges of given nodes by trying all; greed keeps rules."""

import itertools

import numpy as np
import pytest
from affinity_tables import all_policies, priced_request, regime_table, with_scratch

from models.taxonomy.program.policies import Policies
from models.taxonomy.program.program import make_program
from models.taxonomy.program.request import Request


@pytest.mark.parametrize("seed", range(6))
def test_the_best_edges_of_given_nodes_are_those_of_brute_force(seed):
    table, request = regime_table(seed), priced_request(seed)
    program = make_program(table, request, reduced=False)
    best = {}
    for value, nodes, _ in all_policies(table, request):
        best[nodes] = max(value, best.get(nodes, -np.inf))
    for bits in itertools.product((False, True), repeat=len(program.nodes)):
        x = Policies(program).best(np.array(bits))
        nodes = frozenset(itertools.compress(program.nodes, bits))
        if nodes in best:
            assert program.reward @ x == pytest.approx(best[nodes])
        else:
            assert x is None


@pytest.mark.parametrize("seed", range(6))
def test_greed_breaks_no_rule_and_starts_from_nothing_where_scratch_reaches_all(seed):
    from dataclasses import replace

    table = with_scratch(regime_table(seed), seed)
    request = replace(priced_request(seed), scratch=True)
    policies = Policies(make_program(table, request))
    greedy = policies.greedy()
    nothing = policies.best(np.zeros(policies.count, bool))
    assert policies.allowed(greedy)
    assert policies.value(greedy) >= policies.value(nothing)


@pytest.mark.parametrize("seed", range(8))
def test_where_the_best_edges_pass_the_budget_cheaper_ones_are_taken(seed):
    rng = np.random.default_rng(seed)
    table = regime_table(seed, tasks=4, regimes=("few", "much"), source_only=2)
    edges = [row.transfer for row in table.rows if row.transfer.control is None]
    request = Request(
        float(rng.uniform(2, 4)),
        2,
        "paper",
        edge_cost={edge: float(rng.uniform(0, 1.5)) for edge in edges},
    )
    policies = Policies(make_program(table, request))
    reachable = {nodes for _, nodes, _ in all_policies(table, request, reduced=True)}
    assert reachable
    for bits in itertools.product((False, True), repeat=policies.count):
        x = policies.best(np.array(bits))
        nodes = frozenset(itertools.compress(policies.program.nodes, bits))
        assert (x is not None) == (nodes in reachable)
        assert x is None or policies.allowed(x)


def test_of_ways_that_pass_the_budget_no_more_are_given_up_than_must_be():
    table = regime_table(1, tasks=9, regimes=("few", "much"))
    request = Request(1.7, 1, "paper", regime_cost={"few": 0.05, "much": 0.2})
    policies = Policies(make_program(table, request))
    names = policies.program.nodes
    t8 = np.array([name == "t8" for name in names])
    ways = [
        [
            (row.affinity, request.edge_cost_of(row.transfer))
            for row in table.rows
            if row.transfer.sources == ("t8",) and row.transfer.target == target
        ]
        for target in policies.program.targets
    ]
    sums = [np.sum(chosen, 0) for chosen in itertools.product(*ways)]
    best = max(reward for reward, cost in sums if 1 + cost <= 1.7 + 1e-9)
    assert policies.value(policies.best(t8)) >= 0.97 * best
