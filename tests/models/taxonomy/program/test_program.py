"""Programs with several regimes, a second budget, costs a transfer: against brute force."""

from dataclasses import replace

import numpy as np
import pytest
from affinity_tables import all_policies, priced_request, regime_table, with_scratch

from models.taxonomy import Affinities, Infeasible, Transfer, solve
from models.taxonomy.affinities import Row
from models.taxonomy.program.answers import answer
from models.taxonomy.program.program import make_program
from models.taxonomy.program.request import Request, Resource
from models.taxonomy.program.solver import solve_glpk


@pytest.mark.parametrize("seed", range(12))
def test_regimes_at_their_label_costs_equal_brute_force(seed):
    table = regime_table(seed, tasks=3, regimes=("1k", "16k"), source_only=0)
    rng = np.random.default_rng(seed)
    request = priced_request(seed, regime_cost={"1k": 0.05, "16k": float(rng.uniform(0.2, 0.8))})
    request = replace(
        request, cost={name: price for name, price in request.cost.items() if name != "t3"}
    )
    expected = max((value for value, *_ in all_policies(table, request)), default=None)
    if expected is None:
        with pytest.raises(Infeasible):
            answer(table, request)
        return
    taxonomy = answer(table, request)
    assert taxonomy.objective == pytest.approx(expected, abs=1e-6)
    assert taxonomy.spent <= request.budget + 1e-9


def test_a_dear_regime_is_bought_where_it_is_worth_most():
    """two targets, one source; the good regime fits the budget once: half a dear edge for each
    would cheat.
    """
    rows = [
        Row(Transfer(("s",), t, r), v)
        for t, r, v in [
            ("a", "1k", 0.04),
            ("a", "16k", 0.25),
            ("b", "1k", 0.04),
            ("b", "16k", 0.36),
        ]
    ]
    taxonomy = solve(Affinities(tuple(rows), {}), 1.5, 1, regime_cost={"16k": 0.4})
    assert {edge.transfer.target: edge.transfer.regime for edge in taxonomy.edges} == {
        "a": "1k",
        "b": "16k",
    }


@pytest.mark.parametrize("seed", range(12))
def test_a_second_budget_equals_brute_force(seed):
    table, rng = regime_table(seed), np.random.default_rng(seed)
    latency = Resource(
        "latency_ms",
        float(rng.uniform(2, 6)),
        node={f"t{i}": float(rng.uniform(0.5, 3)) for i in range(4)},
        each_edge=0.3,
    )
    request = priced_request(seed, second=latency)
    expected = max((value for value, *_ in all_policies(table, request)), default=None)
    if expected is None:
        with pytest.raises(Infeasible):
            answer(table, request)
    else:
        assert answer(table, request).objective == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_costs_of_single_transfers_equal_brute_force(seed):
    table, rng = regime_table(seed, tasks=3, source_only=0), np.random.default_rng(seed)
    price = {
        row.transfer: float(rng.uniform(0, 0.6))
        for row in table.rows
        if row.transfer.control is None
    }
    request = Request(float(rng.uniform(1.2, 3)), 2, edge_cost=price)
    expected = max((value for value, *_ in all_policies(table, request)), default=None)
    if expected is None:
        with pytest.raises(Infeasible):
            answer(table, request)
    else:
        assert answer(table, request).objective == pytest.approx(expected, abs=1e-6)


def test_dominated_edges_change_no_optimum():
    for seed in range(10):
        request = priced_request(seed)
        whole, reduced = (
            make_program(regime_table(seed), request, reduced=flag) for flag in (False, True)
        )
        assert len(reduced.edges) <= len(whole.edges)
        assert solve_glpk(reduced).objective == pytest.approx(solve_glpk(whole).objective, abs=1e-9)


def test_an_unknown_regime_is_refused_with_the_known_ones():
    with pytest.raises(KeyError, match="unknown regime '2k'.*1k"):
        solve(regime_table(0, regimes=("1k", "16k")), 2, regime_cost={"2k": 0.1})


@pytest.mark.parametrize("variant", ["web", "paper"])
@pytest.mark.parametrize("seed", range(8))
def test_training_from_scratch_at_its_label_cost_equals_brute_force(seed, variant):
    table = with_scratch(regime_table(seed, tasks=3, regimes=("1k", "16k"), source_only=0), seed)
    costs = {"1k": 0.05, "16k": float(np.random.default_rng(seed).uniform(0.2, 0.8))}
    request = Request(1.5 + seed / 8, 2, variant, cost={"t0": 1.7}, regime_cost=costs, scratch=True)
    expected = max(value for value, *_ in all_policies(table, request))
    assert answer(table, request).objective == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_training_from_scratch_is_never_worse_than_without_and_off_it_changes_nothing(seed):
    bare, request = regime_table(seed), priced_request(seed)
    table = with_scratch(bare, seed)
    offered = answer(table, replace(request, scratch=True))
    try:
        without = answer(bare, request)
    except Infeasible:
        with pytest.raises(Infeasible):
            answer(table, request)
        return
    assert offered.objective >= without.objective - 1e-9
    assert answer(table, request) == without == answer(bare, replace(request, scratch=True))


def test_a_network_from_scratch_that_is_best_is_chosen_and_a_sources_labels_are_saved():
    rows = [
        Row(Transfer(("s",), "a"), 0.2),
        Row(Transfer(("s",), "b"), 0.1),
        Row(Transfer((), "a", control="scratch"), 0.04),
        Row(Transfer((), "b", control="scratch"), 0.3),
    ]
    both = solve(Affinities(tuple(rows), {}), 1, 1, scratch=True)
    assert {edge.transfer.target: edge.way for edge in both.edges} == {
        "a": "transferred",
        "b": "scratch",
    }
    alone = solve(Affinities(tuple(rows), {}), 0.5, 1, scratch=True)
    assert alone.supervised == () and alone.ways["scratch"]["targets"] == 2


def test_free_labels_cost_nothing_in_full_or_in_part_unless_their_cost_is_named():
    table = regime_table(1, regimes=("1k",))
    little = {"1k": 0.3}
    request = Request(9, 2, regime_cost=little, free=frozenset({"t0"}))
    assert request.cost_of("t0") == 0 and request.cost_of("t1") == 1
    assert request.edge_cost_of(Transfer(("t1",), "t0", "1k")) == 0
    assert request.edge_cost_of(Transfer(("t0",), "t1", "1k")) == 0.3
    assert replace(request, cost={"t0": 2.0}).cost_of("t0") == 2
    paid = answer(table, replace(request, budget=2.5, free=frozenset()))
    assert answer(table, replace(request, budget=2.5)).objective >= paid.objective
