"""GLPK against brute force and an independent solver, with its certificate."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from affinity_tables import brute_force, gappy_table, regime_table, valued_request, with_scratch

from models.taxonomy import Affinities, Transfer, solve
from models.taxonomy.affinities import Row
from models.taxonomy.program.answers import answer
from models.taxonomy.program.policies import Policies
from models.taxonomy.program.program import make_program
from models.taxonomy.program.request import Request, Resource
from models.taxonomy.program.solver import settled, solve_glpk, solve_highs


@pytest.mark.parametrize("seed", range(25))
def test_glpk_equals_brute_force_with_unequal_costs_and_values(seed):
    table, request = gappy_table(seed), valued_request(seed)
    selection, expected = solve_glpk(make_program(table, request)), brute_force(table, request)
    if np.isinf(expected):
        assert selection.status == "infeasible"
    else:
        assert selection.status == "optimal"
        assert selection.objective == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(40))
def test_glpk_equals_highs(seed):
    rng = np.random.default_rng(seed)
    table = gappy_table(seed, tasks=9, source_only=2)
    request = Request(
        float(rng.uniform(2, 6)),
        2,
        cost={f"t{i}": float(rng.uniform(0.3, 2)) for i in range(9)},
        target_only=frozenset({"t0"}),
    )
    program = make_program(table, request)
    ours, other = solve_glpk(program), solve_highs(program)
    assert ours.status == other.status
    if ours.x is not None:
        assert ours.objective == pytest.approx(other.objective, abs=1e-6)


ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize("seed", range(200))
def test_hundreds_of_random_requests_agree_with_an_independent_solver(seed):
    rng, table = (
        np.random.default_rng(seed),
        regime_table(seed, tasks=7, regimes=("",) if seed % 3 else ("1k", "16k"), source_only=2),
    )
    if seed % 4 == 0:
        table = with_scratch(table, seed)
    names = [f"t{i}" for i in range(7)]

    def some(limit):
        return frozenset(rng.choice(names, rng.integers(0, limit), replace=False).tolist())

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
        scratch=seed % 4 == 0,
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
        "import sys; sys.path[:0] = ['.', 'tests/fixtures/networks']\n"
        "from affinity_tables import *\n"
        "from dataclasses import replace\n"
        "from models.taxonomy.program.solver import solve_glpk\n"
        "for seed in range(20):\n"
        "    table = regime_table(seed)\n"
        "    for budget in (1, 4, 100):\n"
        "        for forced in ((), ('t0',), ('t0', 't1', 't2', 't3')):\n"
        "            program = make_program(table, Request(budget, 2, forced=frozenset(forced)))\n"
        "            solve_glpk(replace(program, reward=0 * program.reward)); solve_glpk(program)\n"
        "print('alive')\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert process.stdout.strip().endswith("alive"), process.stderr[-500:]


def grown(tasks: int, transfers: int, seed: int = 0) -> Affinities:
    """a table in which near tasks help each other, with `transfers` a target of orders 1 to 4."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from taxonomy_solver import grown_table

    return grown_table(tasks, transfers, seed)


def test_an_answer_cut_short_says_its_gap_and_is_never_called_optimal():
    table = grown(60, 80)
    taxonomy = solve(table, 12, 4, time_limit=0.01)
    assert (
        taxonomy.status == "feasible" and taxonomy.gap > 0 and taxonomy.bound >= taxonomy.objective
    )
    proven = solve(table, 12, 4)
    assert (
        proven.status == "optimal"
        and taxonomy.objective <= proven.objective + 1e-9 <= taxonomy.bound + 2e-9
    )


def test_fixing_by_reduced_costs_loses_nothing(monkeypatch):
    import models.taxonomy.program.solver as room

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


def split_answer(parts):
    """(program, x): two sources serve, a target has `parts` of its two equal edges, another one the
    cheap edge, since the dear and better one passes the budget.
    """
    rows = [Row(Transfer((source,), "a"), 0.25) for source in ("x", "y")]
    rows += [Row(Transfer(("x",), "b", "much"), 0.81), Row(Transfer(("x",), "b", "few"), 0.25)]
    request = Request(2.5, 1, regime_cost={"much": 1.0, "few": 0.5}, forced=frozenset("xy"))
    program = make_program(Affinities(tuple(rows), {}), request)
    values = {"x": 1.0, "y": 1.0, "a": 0.0, "b": 0.0}
    x = [values[name] for name in program.nodes]
    shares = {rows[0].transfer: parts[0], rows[1].transfer: parts[1], rows[3].transfer: 1.0}
    return program, np.array([*x, *(shares.get(edge, 0.0) for edge in program.edges)])


def test_a_split_target_takes_one_of_its_edges_and_the_others_keep_theirs():
    program, x = split_answer((0.5, 0.5))
    whole = settled(program, x)
    assert set(np.unique(whole)) <= {0.0, 1.0} and Policies(program).allowed(whole)
    assert float(program.reward @ whole) >= float(program.reward @ x) - 1e-12
    chosen = [edge for edge, one in zip(program.edges, whole[len(program.nodes) :]) if one]
    assert sorted(edge.target for edge in chosen) == ["a", "b"]


@pytest.mark.parametrize("parts", [(0.0, 0.0), (1.0, 1.0)])
def test_a_vector_with_a_target_that_is_not_reached_once_is_no_policy(parts):
    program, x = split_answer(parts)
    assert not Policies(program).allowed(x)


def test_an_answer_that_breaks_a_rule_is_not_believed(monkeypatch):
    from cvxopt import glpk, matrix

    program, x = split_answer((0.0, 0.0))
    monkeypatch.setattr(
        glpk, "ilp", lambda *_, **__: ("optimal", matrix(np.concatenate([x, [0.0, 0.0]])))
    )
    selection = solve_glpk(program)
    assert selection.status == "feasible" and selection.bound >= selection.objective
    assert Policies(program).allowed(selection.x)
