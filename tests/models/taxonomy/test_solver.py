"""GLPK against brute force and an independent solver, with its certificate."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from affinity_tables import brute_force, gappy_table, regime_table, valued_request, with_scratch

from models.taxonomy import Affinities, solve
from models.taxonomy.answers import answer
from models.taxonomy.policies import Policies
from models.taxonomy.program import make_program
from models.taxonomy.request import Request, Resource
from models.taxonomy.solver import solve_glpk, solve_highs


@pytest.mark.parametrize("seed", range(25))
def test_glpk_equals_brute_force_with_unequal_costs_and_values(seed):
    table, request = gappy_table(seed), valued_request(seed)
    found, wanted = solve_glpk(make_program(table, request)), brute_force(table, request)
    if np.isinf(wanted):
        assert found.status == "infeasible"
    else:
        assert found.status == "optimal"
        assert found.objective == pytest.approx(wanted, abs=1e-6)


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


ROOT = Path(__file__).resolve().parents[3]


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
        "import sys; sys.path[:0] = ['.', 'tests']\n"
        "from affinity_tables import *\n"
        "from dataclasses import replace\n"
        "from models.taxonomy.solver import solve_glpk\n"
        "for seed in range(20):\n"
        "    table = regime_table(seed)\n"
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
