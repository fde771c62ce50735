"""The solver against brute force and an independent solver; requests that cannot be met are
explained.
"""

import itertools

import numpy as np
import pytest

from models.taxonomy import Affinities, Infeasible, Transfer, solve, solve_all
from models.taxonomy.affinities import Row
from models.taxonomy.program import make_program
from models.taxonomy.request import Request
from models.taxonomy.solver import solve_glpk, solve_highs


def made_up(seed: int, tasks: int = 5, source_only: int = 1, drop: float = 0.2) -> Affinities:
    """a random table: orders 1 and 2 among `tasks` tasks, the last `source_only` of them no
    targets.
    """
    rng, names, rows = np.random.default_rng(seed), [f"t{i}" for i in range(tasks)], []
    for target in names[: tasks - source_only]:
        sets = [(a,) for a in names] + list(itertools.combinations(names, 2))
        kept = [s for s in sets if rng.random() > drop or len(s) == 1 and s[0] != target]
        rows += [
            Row(Transfer(s, target), float(rng.random()), float(rng.random()), float(rng.random()))
            for s in kept
        ]
        rows.append(
            Row(
                Transfer((), target, control="supervised"),
                float(rng.random()),
                float(rng.random()),
                0.5,
            )
        )
    return Affinities(tuple(rows), {})


def brute_force(table: Affinities, request: Request) -> float:
    """best reward over all sets of supervised tasks; every target takes its best allowed edge."""
    program = make_program(table, request)
    count, best = len(program.nodes), -np.inf
    for bits in itertools.product((0, 1), repeat=count):
        nodes = {name for name, bit in zip(program.nodes, bits) if bit}
        if (
            sum(request.cost_of(name) for name in nodes) > request.budget + 1e-9
            or nodes & request.forbidden
        ):
            continue
        total, whole = 0.0, True
        reward_of = dict(zip(program.nodes, program.reward[:count]))
        own = {
            name for name in nodes if table.supervised(name) is not None and name in program.targets
        }
        total += sum(reward_of[name] for name in nodes)
        for target in program.targets:
            if target in own:
                continue
            open_ = [
                program.reward[count + j]
                for j, edge in enumerate(program.edges)
                if edge.target == target and set(edge.sources) <= nodes
            ]
            whole &= bool(open_)
            total += max(open_, default=0)
        if whole:
            best = max(best, total)
    return best


def request_of(seed: int, order: int = 2) -> Request:
    rng = np.random.default_rng(seed + 1000)
    names = [f"t{i}" for i in range(5)]
    return Request(
        float(rng.uniform(1, 5)),
        order,
        value={name: float(rng.uniform(0.2, 3)) for name in names[:4]},
        cost={name: float(rng.uniform(0.3, 2)) for name in names},
        forbidden=frozenset(rng.choice(names, rng.integers(0, 2), replace=False).tolist()),
    )


@pytest.mark.parametrize("seed", range(25))
def test_glpk_equals_brute_force_with_unequal_costs_and_values(seed):
    table, request = made_up(seed), request_of(seed)
    found, wanted = solve_glpk(make_program(table, request)), brute_force(table, request)
    if np.isinf(wanted):
        assert found.status == "infeasible"
    else:
        assert found.status == "optimal"
        assert found.objective == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("seed", range(40))
def test_glpk_equals_highs(seed):
    rng = np.random.default_rng(seed)
    table = made_up(seed, tasks=9, source_only=2)
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


def test_more_budget_is_never_worse():
    answers = solve_all(made_up(3), [1, 2, 3, 4, 5], [2])
    assert all(a.objective <= b.objective + 1e-9 for a, b in itertools.pairwise(answers))


def test_forced_sources_are_supervised_and_forbidden_ones_are_not():
    found = solve(made_up(1), 3, 2, forced=frozenset({"t4"}), forbidden=frozenset({"t0"}))
    assert "t4" in found.supervised and "t0" not in found.supervised


def test_an_unaffordable_request_names_the_cheapest_budget():
    costs = {f"t{i}": 3.0 for i in range(5)}
    with pytest.raises(
        Infeasible, match="reaching every target costs at least 3; raise the budget to 3"
    ):
        solve(made_up(0), 1, 2, cost=costs)
    with pytest.raises(
        Infeasible,
        match="forced t0 together with forced t1 together with budget 4; the other rules cost "
        "at least 6: raise the budget to 6 or lift forced t0",
    ):
        solve(made_up(0), 4, 2, cost=costs, forced=frozenset({"t0", "t1"}))


def test_contradictions_and_unknown_names_are_refused():
    with pytest.raises(ValueError, match="both forced and forbidden"):
        solve(made_up(0), 3, forced=frozenset({"t0"}), forbidden=frozenset({"t0"}))
    with pytest.raises(KeyError, match="unknown task 'tt0'"):
        solve(made_up(0), 3, forced=frozenset({"tt0"}))
    with pytest.raises(ValueError, match="positive number"):
        solve(made_up(0), 0)


def test_a_taxonomy_survives_json_and_refuses_nonsense():
    import dataclasses

    from models.taxonomy import Taxonomy

    found = solve(made_up(2), 2)
    assert Taxonomy.from_json(found.to_json()) == found
    with pytest.raises(ValueError, match="does not supervise"):
        dataclasses.replace(found, supervised=())
    with pytest.raises(ValueError, match="budget"):
        dataclasses.replace(found, spent=99.0)
