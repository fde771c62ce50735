"""Taxonomies of a request: alternatives, ties, time limits, roles."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from affinity_tables import all_policies, gappy_table, priced_request, regime_table, with_scratch

from models.taxonomy import Affinities, Transfer, solve, solve_all
from models.taxonomy.affinities import Row
from models.taxonomy.answers import best_policies, ties
from models.taxonomy.explanations import explanation
from models.taxonomy.program import make_program
from models.taxonomy.request import Request
from models.taxonomy.solver import Answer


@pytest.mark.parametrize("variant", ["web", "paper"])
@pytest.mark.parametrize("seed", range(6))
def test_the_best_policies_are_those_of_brute_force(seed, variant):
    table, request = regime_table(seed), replace(priced_request(seed), variant=variant)
    best = {}
    for value, nodes, edges in all_policies(table, request):
        used = {source for edge in edges for source in edge.sources}
        own = make_program(table, request).own
        if all(name in used or name in own for name in nodes):
            best[nodes] = max(value, best.get(nodes, -np.inf))
    wanted = sorted(best.values(), reverse=True)[:5]
    found = list(best_policies(table, request, 5))
    assert [policy.objective for policy in found] == pytest.approx(wanted, abs=1e-6)
    assert len({policy.supervised for policy in found}) == len(found)


def test_ties_are_found_and_named():
    rows = [Row(Transfer((s,), t), 0.25) for t in ("a", "b") for s in ("x", "y")]
    table = Affinities(tuple(rows), {})
    assert {policy.supervised for policy in ties(table, Request(1, 1))} == {("x",), ("y",)}
    assert "exactly as good" in explanation(table, Request(1, 1))[1]["tie"]


def test_a_time_out_without_any_policy_is_an_error_of_its_own(monkeypatch):
    import models.taxonomy.answers as room

    monkeypatch.setattr(
        room, "solve_glpk", lambda program, limit: Answer("unknown", None, -np.inf, 3.0, limit)
    )
    with pytest.raises(TimeoutError, match="no policy was found"):
        solve(regime_table(0), 2)


def test_more_budget_is_never_worse():
    answers = solve_all(gappy_table(3), [1, 2, 3, 4, 5], [2])
    assert all(a.objective <= b.objective + 1e-9 for a, b in itertools.pairwise(answers))


def test_forced_sources_are_supervised_and_forbidden_ones_are_not():
    found = solve(gappy_table(1), 3, 2, forced=frozenset({"t4"}), forbidden=frozenset({"t0"}))
    assert "t4" in found.supervised and "t0" not in found.supervised


@pytest.mark.parametrize("seed", range(4))
def test_the_best_policies_with_training_from_scratch_are_those_of_brute_force(seed):
    table = with_scratch(regime_table(seed), seed)
    request = replace(priced_request(seed), scratch=True)
    best = {}
    own = make_program(table, request).own
    for value, nodes, edges in all_policies(table, request, reduced=True):
        used = {source for edge in edges for source in edge.sources}
        if all(name in used or name in own for name in nodes):
            best[nodes] = max(value, best.get(nodes, -np.inf))
    assert frozenset() in best, "nothing supervised is a policy too"
    wanted = sorted(best.values(), reverse=True)[:5]
    policies = list(best_policies(table, request, 5))
    assert [policy.objective for policy in policies] == pytest.approx(wanted, abs=1e-6)


def test_a_source_that_adds_nothing_to_training_from_scratch_is_no_other_policy():
    rows = [Row(Transfer(("x",), "a"), 0.25), Row(Transfer((), "a", control="scratch"), 0.25)]
    request = Request(1, 1, "paper", scratch=True)
    assert [policy.supervised for policy in ties(Affinities(tuple(rows), {}), request)] == [()]
