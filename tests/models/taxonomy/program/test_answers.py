"""Taxonomies of a request: alternatives, ties, time limits, roles."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from affinity_tables import all_policies, gappy_table, priced_request, regime_table, with_scratch

from models.taxonomy import Affinities, Transfer, solve, solve_all
from models.taxonomy.affinities import Row
from models.taxonomy.program.answers import answer, attempt, best_policies, ties, useful, without
from models.taxonomy.program.explanations import explanation
from models.taxonomy.program.offers import on_offer, reward_of
from models.taxonomy.program.program import make_program
from models.taxonomy.program.propagation import contradictory
from models.taxonomy.program.request import Request, Resource
from models.taxonomy.program.solver import Answer


def best_of_tasks(table: Affinities, request: Request) -> dict[frozenset[str], float]:
    """supervised tasks -> the best objective of any policy with them; sets of which that policy
    leaves a task idle left out.
    """
    own = make_program(table, request).own
    best, busy = {}, {}
    for value, nodes, edges in all_policies(table, request, reduced=True):
        best[nodes] = max(value, best.get(nodes, -np.inf))
        used = {source for edge in edges for source in edge.sources}
        if nodes <= used | own:
            busy[nodes] = max(value, busy.get(nodes, -np.inf))
    return {nodes: value for nodes, value in busy.items() if value >= best[nodes] - 1e-9}


@pytest.mark.parametrize("variant", ["web", "paper"])
@pytest.mark.parametrize("seed", range(6))
def test_the_best_policies_are_those_of_brute_force(seed, variant):
    table, request = regime_table(seed), replace(priced_request(seed), variant=variant)
    expected = sorted(best_of_tasks(table, request).values(), reverse=True)[:5]
    policies = list(best_policies(table, request, 5))
    assert [policy.objective for policy in policies] == pytest.approx(expected, abs=1e-6)
    assert len({policy.supervised for policy in policies}) == len(policies)


def test_ties_are_found_and_named():
    rows = [Row(Transfer((s,), t), 0.25) for t in ("a", "b") for s in ("x", "y")]
    table = Affinities(tuple(rows), {})
    assert {policy.supervised for policy in ties(table, Request(1, 1))} == {("x",), ("y",)}
    assert "exactly as good" in explanation(table, Request(1, 1))[1]["tie"]


def test_a_time_out_without_any_policy_is_an_error_of_its_own(monkeypatch):
    import models.taxonomy.program.answers as room

    monkeypatch.setattr(
        room, "solve_glpk", lambda program, limit: Answer("unknown", None, -np.inf, 3.0, limit)
    )
    with pytest.raises(TimeoutError, match="no policy was found"):
        solve(regime_table(0), 2)


def test_more_budget_is_never_worse():
    answers = solve_all(gappy_table(3), [1, 2, 3, 4, 5], [2])
    assert all(a.objective <= b.objective + 1e-9 for a, b in itertools.pairwise(answers))


def test_forced_sources_are_supervised_and_forbidden_ones_are_not():
    policy = solve(gappy_table(1), 3, 2, forced=frozenset({"t4"}), forbidden=frozenset({"t0"}))
    assert "t4" in policy.supervised and "t0" not in policy.supervised


@pytest.mark.parametrize("seed", range(4))
def test_the_best_policies_with_training_from_scratch_are_those_of_brute_force(seed):
    table = with_scratch(regime_table(seed), seed)
    request = replace(priced_request(seed), scratch=True)
    best = best_of_tasks(table, request)
    assert frozenset() in best, "nothing supervised is a policy too"
    expected = sorted(best.values(), reverse=True)[:5]
    policies = list(best_policies(table, request, 5))
    assert [policy.objective for policy in policies] == pytest.approx(expected, abs=1e-6)


def test_a_source_that_adds_nothing_to_training_from_scratch_is_no_other_policy():
    rows = [Row(Transfer(("x",), "a"), 0.25), Row(Transfer((), "a", control="scratch"), 0.25)]
    request = Request(1, 1, "paper", scratch=True)
    assert [policy.supervised for policy in ties(Affinities(tuple(rows), {}), request)] == [()]


WORSE = {("a", "t"): 0.5, ("a", "u"): 0.5, ("b", "t"): 0.01, ("c", "t"): 0.4, ("c", "u"): 0.4}


def test_a_task_that_only_makes_a_target_worse_is_no_other_policy():
    rows = [Row(Transfer((source,), target), value) for (source, target), value in WORSE.items()]
    policies = list(best_policies(Affinities(tuple(rows), {}), Request(2, 1, "paper"), 5))
    assert [policy.supervised for policy in policies] == [("a",), ("c",)]


@pytest.mark.parametrize("budget, listed", [(3.0, False), (2.2, True)])
def test_a_worse_edge_is_another_policy_where_the_better_one_cannot_be_paid(budget, listed):
    rows = [Row(Transfer((source,), target), value) for (source, target), value in WORSE.items()]
    dear = {Transfer(("a",), "t"): 0.5}
    request = Request(budget, 1, "paper", edge_cost=dear)
    policies = list(best_policies(Affinities(tuple(rows), {}), request, 5))
    assert (("a", "c") in [policy.supervised for policy in policies]) == listed


def test_next_best_policies_end_where_no_other_task_can_be_paid():
    # GLPK's presolving does not come back from what is left after the first policy
    rows = [Row(Transfer((source,), "a"), 0.5) for source in "ab"]
    rows.append(Row(Transfer((), "a", control="scratch"), 0.2))
    table, request = Affinities(tuple(rows), {}), Request(0.5, 2, scratch=True)
    program = useful(make_program(table, request))
    assert contradictory(without(program, np.array([0.0, 0.0, 1.0])))
    assert [policy.supervised for policy in best_policies(table, request, 3)] == [()]


@pytest.mark.parametrize("unit", [1e-9, 1e-6, 1.0, 1e3, 1e7])
def test_a_budget_is_kept_in_whatever_unit_costs_are(unit):
    rows = [Row(Transfer((source,), target), 0.5) for source, target in ("ab", "ba")]
    rows += [Row(Transfer((), name, control="supervised"), 0.8) for name in "ab"]
    request = Request(
        0.6 * unit,
        cost={"a": 0.0, "b": unit},
        regime_cost={"": 0.1 * unit},
        forced=frozenset("b"),
    )
    table = Affinities(tuple(rows), {})
    assert attempt(table, request) is None
    assert answer(table, replace(request, budget=unit)).spent == unit
    assert answer(table, replace(request, forced=frozenset())).spent == 0.1 * unit


@pytest.mark.parametrize("unit", [1e-9, 1e12])
def test_a_policy_does_not_depend_on_the_unit_of_values(unit):
    table, request = regime_table(2), priced_request(2)
    value = dict.fromkeys(table.targets, unit)
    assert answer(table, replace(request, value=value)).supervised == (
        answer(table, request).supervised
    )


def test_values_that_no_solver_tells_apart_are_refused():
    with pytest.raises(ValueError, match=r"value of t1 \(1e\+10\).*that of t0 \(1\).*closer"):
        solve(regime_table(0), 2, value={"t1": 1e10})
    # 0 is a value: nobody cares
    assert solve(regime_table(0), 2, value={"t1": 1e3, "t0": 0.0}).status == "optimal"


def priced_amounts(seed: int) -> tuple[Affinities, Request]:
    """a table of two amounts of data and a request with every kind of price and rule."""
    rng = np.random.default_rng(seed + 500)
    table = with_scratch(regime_table(seed, tasks=5, regimes=("few", "much"), source_only=2), seed)
    names = [f"t{i}" for i in range(5)]

    def some(limit):
        return frozenset(rng.choice(names, rng.integers(0, limit), replace=False).tolist())

    forced, forbidden, target_only = some(2), some(3), some(2)
    edges = [row.transfer for row in table.rows if row.transfer.control != "supervised"]
    second = Resource(
        "size",
        float(rng.uniform(1, 4)),
        node={name: float(rng.uniform(0.2, 1)) for name in names},
        edge={name: float(rng.uniform(0, 0.5)) for name in names},
    )
    return table, Request(
        float(rng.uniform(1, 4)),
        2,
        variant=("web", "paper")[seed % 2],
        value={name: float(rng.uniform(0.1, 2)) for name in names},
        cost={name: float(rng.uniform(0.2, 1.5)) for name in names},
        transfer_cost={name: float(rng.uniform(0, 0.3)) for name in names},
        regime_cost={"few": 0.05, "much": float(rng.uniform(0.1, 0.8))},
        edge_cost={edge: float(rng.uniform(0, 0.6)) for edge in edges},
        scratch=seed % 3 == 0,
        forced=forced,
        forbidden=forbidden - forced,
        source_only=frozenset({"t1"}) if seed % 4 == 0 else frozenset(),
        target_only=target_only - forced - {"t1"},
        second=second if seed % 5 < 2 else None,
    )


def best_in_words(table: Affinities, request: Request) -> float:
    """the best objective by trying every policy, without matrices; minus infinity for none."""
    targets = [name for name in table.targets if name not in request.source_only]
    barred, best = request.forbidden | request.target_only, -np.inf
    second = request.second or Resource("none", 0.0, each_node=0.0)
    nothing = 1e-5 if request.variant == "web" else 0.0
    names = [name for name in sorted({*table.sources, *table.targets}) if name not in barred]
    for size in range(len(names) + 1):
        for nodes in map(set, itertools.combinations(names, size)):
            if request.forced - nodes:
                continue
            own = {
                name: reward_of(row, request)
                for name in nodes.intersection(targets)
                if request.variant == "web" and (row := table.supervised(name))
            }
            total = sum(own.get(name, nothing) for name in nodes)
            first = sum(map(request.cost_of, nodes)), sum(map(second.of_node, nodes))
            ways = [
                [
                    (reward_of(row, request), request.edge_cost_of(edge), second.of_edge(edge))
                    for row in on_offer(table, request)
                    if (edge := row.transfer).target == target and nodes.issuperset(edge.sources)
                ]
                for target in targets
                if target not in own
            ]
            for choice in itertools.product(*ways):
                if (
                    first[0] + sum(way[1] for way in choice) <= request.budget
                    and first[1] + sum(way[2] for way in choice) <= second.limit
                ):
                    best = max(best, total + sum(way[0] for way in choice))
    return best


@pytest.mark.parametrize("seed", range(20))
def test_with_prices_of_edges_and_amounts_the_answer_is_the_best_policy_in_words(seed):
    table, request = priced_amounts(seed)
    expected, policy = best_in_words(table, request), attempt(table, request)
    if policy is None:
        assert expected == -np.inf
    else:
        assert policy.status == "optimal" and policy.objective == pytest.approx(expected, abs=1e-6)


def test_the_answers_in_words_are_of_both_kinds():
    taxonomies = [attempt(*priced_amounts(seed)) for seed in range(20)]
    assert 3 <= sum(policy is None for policy in taxonomies) <= 15
