"""Programs with several regimes, a second budget, costs a transfer; alternatives, ties, conflicts
and time limits; all against brute force.
"""

import itertools
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.taxonomy import Affinities, Infeasible, Transfer, solve
from models.taxonomy.affinities import Row
from models.taxonomy.answers import answer, best_policies, ties
from models.taxonomy.explanations import explanation
from models.taxonomy.infeasibility import conflict
from models.taxonomy.policies import Policies
from models.taxonomy.program import make_program
from models.taxonomy.request import Request, Resource
from models.taxonomy.solver import Answer, solve_glpk, solve_highs

ROOT = Path(__file__).resolve().parents[3]


def made_up(seed: int, tasks: int = 4, regimes=("",), source_only: int = 1) -> Affinities:
    rng, names, rows = np.random.default_rng(seed), [f"t{i}" for i in range(tasks)], []
    for target in names[: tasks - source_only]:
        for regime in regimes:
            sets = [(a,) for a in names if a != target] + list(
                itertools.combinations([name for name in names if name != target], 2)
            )
            rows += [
                Row(Transfer(s, target, regime), float(rng.random()), None, float(rng.random()))
                for s in sets
            ]
        rows.append(Row(Transfer((), target, control="supervised"), float(rng.random()), None, 0.5))
    return Affinities(tuple(rows), {})


def all_policies(table: Affinities, request: Request):
    """every policy as (objective, supervised, edges): all node sets, all combinations of edges;
    only for tiny tables.
    """
    program = make_program(table, request, reduced=False)
    count = len(program.nodes)
    for bits in itertools.product((0, 1), repeat=count):
        nodes = {name for name, bit in zip(program.nodes, bits) if bit}
        ways = []
        for target in program.targets:
            if target in nodes and target in program.own:
                ways.append([None])
                continue
            ways.append(
                [
                    j
                    for j, edge in enumerate(program.edges)
                    if edge.target == target and set(edge.sources) <= nodes
                ]
            )
        for choice in itertools.product(*ways):
            x = np.zeros(len(program.reward))
            x[:count] = bits
            x[[count + j for j in choice if j is not None]] = 1
            if Policies(program).allowed(x):
                yield (
                    float(program.reward @ x),
                    frozenset(nodes),
                    tuple(program.edges[j] for j in choice if j is not None),
                )


def request_of(seed: int, **more) -> Request:
    rng = np.random.default_rng(seed + 77)
    costs = {f"t{i}": float(rng.uniform(0.5, 2)) for i in range(4)}
    return Request(float(rng.uniform(1.5, 4)), 2, cost=costs, **more)


@pytest.mark.parametrize("seed", range(12))
def test_regimes_at_their_label_costs_equal_brute_force(seed):
    table = made_up(seed, tasks=3, regimes=("1k", "16k"), source_only=0)
    rng = np.random.default_rng(seed)
    request = request_of(seed, regime_cost={"1k": 0.05, "16k": float(rng.uniform(0.2, 0.8))})
    request = replace(
        request, cost={name: price for name, price in request.cost.items() if name != "t3"}
    )
    wanted = max((value for value, *_ in all_policies(table, request)), default=None)
    if wanted is None:
        with pytest.raises(Infeasible):
            answer(table, request)
        return
    found = answer(table, request)
    assert found.objective == pytest.approx(wanted, abs=1e-6)
    assert found.spent <= request.budget + 1e-9


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
    found = solve(Affinities(tuple(rows), {}), 1.5, 1, regime_cost={"16k": 0.4})
    assert {edge.transfer.target: edge.transfer.regime for edge in found.edges} == {
        "a": "1k",
        "b": "16k",
    }


@pytest.mark.parametrize("seed", range(12))
def test_a_second_budget_equals_brute_force(seed):
    table, rng = made_up(seed), np.random.default_rng(seed)
    latency = Resource(
        "latency_ms",
        float(rng.uniform(2, 6)),
        node={f"t{i}": float(rng.uniform(0.5, 3)) for i in range(4)},
        each_edge=0.3,
    )
    request = request_of(seed, second=latency)
    wanted = max((value for value, *_ in all_policies(table, request)), default=None)
    if wanted is None:
        with pytest.raises(Infeasible):
            answer(table, request)
    else:
        assert answer(table, request).objective == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_costs_of_single_transfers_equal_brute_force(seed):
    table, rng = made_up(seed, tasks=3, source_only=0), np.random.default_rng(seed)
    price = {
        row.transfer: float(rng.uniform(0, 0.6))
        for row in table.rows
        if row.transfer.control is None
    }
    request = Request(float(rng.uniform(1.2, 3)), 2, edge_cost=price)
    wanted = max((value for value, *_ in all_policies(table, request)), default=None)
    if wanted is None:
        with pytest.raises(Infeasible):
            answer(table, request)
    else:
        assert answer(table, request).objective == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("variant", ["web", "paper"])
@pytest.mark.parametrize("seed", range(6))
def test_the_best_policies_are_those_of_brute_force(seed, variant):
    table, request = made_up(seed), replace(request_of(seed), variant=variant)
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


def test_an_explanation_says_what_each_source_is_worth():
    table = made_up(4)
    found, facts = explanation(table, Request(2, 2))
    for row in facts["sources"]:
        other = solve(table, 2, 2, forbidden=frozenset({row["name"]}))
        assert row["lost"] == pytest.approx(found.objective - other.objective)
        assert row["lost"] >= 0 and row["name"] not in other.supervised


def test_dominated_edges_change_no_optimum():
    for seed in range(10):
        request = request_of(seed)
        whole, reduced = (
            make_program(made_up(seed), request, reduced=flag) for flag in (False, True)
        )
        assert len(reduced.edges) <= len(whole.edges)
        assert solve_glpk(reduced).objective == pytest.approx(solve_glpk(whole).objective, abs=1e-9)


@pytest.mark.parametrize("seed", range(200))
def test_hundreds_of_random_requests_agree_with_an_independent_solver(seed):
    rng, table = (
        np.random.default_rng(seed),
        made_up(seed, tasks=7, regimes=("",) if seed % 3 else ("1k", "16k"), source_only=2),
    )
    names = [f"t{i}" for i in range(7)]
    some = lambda limit: frozenset(
        rng.choice(names, rng.integers(0, limit), replace=False).tolist()
    )
    roles = dict(
        zip(
            ("forced", "forbidden", "target_only", "source_only"),
            (some(2), some(3), some(2), some(2)),
        )
    )
    roles["forbidden"] -= roles["forced"]
    roles["target_only"] -= roles["forced"] | roles["source_only"]
    request = Request(
        float(rng.uniform(1, 6)),
        int(rng.integers(1, 3)),
        variant=("web", "paper")[seed % 2],
        value={name: float(rng.uniform(0, 3)) for name in names},
        cost={name: float(rng.uniform(0.2, 2)) for name in names},
        transfer_cost={name: float(rng.uniform(0, 0.3)) for name in names},
        regime_cost=None if seed % 3 else {"16k": float(rng.uniform(0, 0.5))},
        second=Resource("size", float(rng.uniform(1, 5))) if seed % 5 == 0 else None,
        **roles,
    )
    program = make_program(table, request)
    ours, other = solve_glpk(program), solve_highs(program)
    assert ours.status == other.status in ("optimal", "infeasible")
    if ours.x is not None:
        assert ours.objective == pytest.approx(other.objective, abs=1e-6)
        assert Policies(program).allowed(ours.x)
        assert set(np.unique(ours.x)) <= {0.0, 1.0}
        answer(table, request)  # a Taxonomy checks itself in words


def test_programs_that_presolving_empties_do_not_abort_the_process():
    """GLPK ends the process where its presolver leaves nothing; so this runs in one of its own."""
    code = (
        "import sys; sys.path[:0] = ['.', 'tests/models/taxonomy']\n"
        "from test_program import *\n"
        "for seed in range(20):\n"
        "    table = made_up(seed)\n"
        "    for budget in (1, 4, 100):\n"
        "        for forced in ((), ('t0',), ('t0', 't1', 't2', 't3')):\n"
        "            program = make_program(table, Request(budget, 2, forced=frozenset(forced)))\n"
        "            solve_glpk(replace(program, reward=0 * program.reward)); solve_glpk(program)\n"
        "print('alive')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.stdout.strip().endswith("alive"), done.stderr[-500:]


def grown(tasks: int, transfers: int, seed: int = 0) -> Affinities:
    """a table in which near tasks help each other, with `transfers` a target of orders 1 to 4."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from taxonomy_solver import grown_table

    return grown_table(tasks, transfers, seed)


def test_an_answer_cut_short_says_its_gap_and_is_never_called_optimal():
    table = grown(60, 80)
    found = solve(table, 12, 4, time_limit=0.01)
    assert found.status == "feasible" and found.gap > 0 and found.bound >= found.objective
    proven = solve(table, 12, 4)
    assert (
        proven.status == "optimal"
        and found.objective <= proven.objective + 1e-9 <= found.bound + 2e-9
    )


def test_fixing_by_reduced_costs_loses_nothing(monkeypatch):
    import models.taxonomy.solver as room

    table = grown(30, 40)
    rng = np.random.default_rng(0)
    for budget in (3.0, 7.5):
        program = make_program(
            table,
            Request(budget, 4, cost={name: float(rng.uniform(0.5, 2)) for name in table.targets}),
        )
        plain = solve_glpk(program)
        monkeypatch.setattr(room, "LARGE", 0)
        narrowed = solve_glpk(program)
        monkeypatch.undo()
        assert narrowed.status == plain.status == "optimal"
        assert narrowed.objective == pytest.approx(plain.objective, abs=1e-9)


def test_conflicting_rules_are_each_needed():
    table = made_up(0)
    request = Request(
        4,
        1,
        forced=frozenset({"t0", "t1"}),
        forbidden=frozenset({"t2"}),
        cost={"t0": 3.0, "t1": 3.0},
    )
    assert [rule.text for rule in conflict(table, request)] == [
        "forced t0",
        "forced t1",
        "budget 4",
    ]
    with pytest.raises(Infeasible, match="lift forced t0 or lift forced t1"):
        answer(table, request)


def test_targets_out_of_reach_are_named():
    rows = (Row(Transfer(("x",), "a"), 0.5), Row(Transfer(("y",), "b"), 0.5))
    with pytest.raises(Infeasible, match="no allowed transfer reaches b"):
        solve(Affinities(rows, {}), 5, 1, forbidden=frozenset({"y"}))


def test_a_time_out_without_any_policy_is_an_error_of_its_own(monkeypatch):
    import models.taxonomy.answers as room

    monkeypatch.setattr(
        room, "solve_glpk", lambda program, limit: Answer("unknown", None, -np.inf, 3.0, limit)
    )
    with pytest.raises(TimeoutError, match="no policy was found"):
        solve(made_up(0), 2)


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


def test_an_unknown_regime_is_refused_with_the_known_ones():
    with pytest.raises(KeyError, match="unknown regime '2k'.*1k"):
        solve(made_up(0, regimes=("1k", "16k")), 2, regime_cost={"2k": 0.1})
