"""A budget is kept to the last unit, whatever is small beside it; proofs are of that budget."""

import math

import numpy as np
import pytest
from affinity_tables import PUBLISHED, brute_force, gappy_table, there

from models.taxonomy import Affinities, Transfer
from models.taxonomy.affinities import Row
from models.taxonomy.program.answers import attempt
from models.taxonomy.program.covers import coarse, without_overspending
from models.taxonomy.program.infeasibility import Infeasible, explain_infeasible
from models.taxonomy.program.policies import Policies
from models.taxonomy.program.program import make_program
from models.taxonomy.program.request import Request
from models.taxonomy.tournament.published import read_any

# what costs are drawn from, beside a dear one
CHEAP = ((1.0,), (0.05, 2.0), (0.25, 1e-3))


def uneven_request(seed: int) -> Request:
    """dear tasks, cheap ones that are small beside them, and a budget at or just off their sums."""
    rng = np.random.default_rng(seed)
    dear = float(rng.choice([1e4, 1e6, 1e9]))
    cheap = CHEAP[seed % len(CHEAP)]
    costs = {f"t{i}": float(rng.choice([dear, dear, *cheap])) for i in range(6)}
    some = rng.choice(list(costs), 1 + seed % 3, replace=False)
    budget = math.fsum(costs[name] for name in some) + float(rng.choice([0, 0, -1, -0.05, 1]))
    return Request(max(budget, 0.5), 2, cost=costs)


def test_extreme_costs_equal_brute_force_and_keep_the_budget():
    solved = 0
    for seed in range(60):
        table, request = gappy_table(seed, tasks=6), uneven_request(seed)
        taxonomy, expected = attempt(table, request), brute_force(table, request)
        if taxonomy is None:
            assert np.isinf(expected), seed
            continue
        solved += 1
        assert taxonomy.status == "optimal" and taxonomy.spent <= request.budget, seed
        assert taxonomy.objective == pytest.approx(expected, abs=1e-6), seed
    assert 20 < solved < 60, "the draw holds requests with and without an answer"


@there
@pytest.mark.parametrize(
    "dear, cheap, tasks, objective",
    [(1e6, 1.0, 4, 4.746339), (1e4, 0.05, 2, 4.187974), (2e4, 0.05, 5, 4.924797)],
)
def test_cheap_labels_of_the_released_tasks_are_paid_beside_dear_ones(
    dear, cheap, tasks, objective
):
    table = read_any(PUBLISHED / "all_affinities_16k.json")
    costs = dict.fromkeys([*table.sources, *table.targets], dear)
    costs |= dict.fromkeys(["denoise", "edge2d"], cheap)
    taxonomy = attempt(table, Request(tasks * dear, 1, cost=costs))
    assert taxonomy.status == "optimal" and taxonomy.spent <= tasks * dear
    assert taxonomy.objective == pytest.approx(objective, abs=1e-6)


def three_sources(budget: float) -> tuple[Affinities, Request]:
    """three targets, each reached by a source of its own; two sources are dear, one is cheap."""
    rows = [Row(Transfer((source,), target), 0.5) for source, target in ("xa", "yb", "zc")]
    dear = {"x": 1e6, "y": 1e6, "z": 1.0}
    return Affinities(tuple(rows), {}), Request(budget, 1, cost=dear)


def test_what_overspends_is_cut_off_and_what_fits_is_not():
    table, request = three_sources(2e6)
    program = make_program(table, request)
    x = np.array([name in "xyz" for name in program.nodes] + [True] * 3, float)
    assert not Policies(program).allowed(x)
    # as a solver sees it, nothing is spent on the cheap one
    assert Policies(coarse(program)).allowed(x)
    narrower = without_overspending(program, x)
    assert not Policies(coarse(narrower)).allowed(x)
    without_z = [name != "z" for name in program.nodes]
    two = x * [*without_z, *("z" not in edge.sources for edge in program.edges)]
    assert Policies(narrower).affordable(two)
    assert without_overspending(program, two) is None


def test_the_budget_that_is_too_small_by_one_is_told_with_the_one():
    table, request = three_sources(2e6)
    assert attempt(table, request) is None
    words = "budget 2000000 is too small: .* at least 2000001; raise the budget to 2000001"
    with pytest.raises(Infeasible, match=words):
        raise Infeasible(explain_infeasible(table, request))
    assert attempt(*three_sources(2e6 + 1)).spent == 2e6 + 1


def test_a_program_without_small_costs_is_shown_as_it_is():
    program = make_program(gappy_table(0), Request(3, 2, cost={"t0": 0.1, "t1": 1.7}))
    assert (coarse(program).a != program.a).nnz == 0
    assert (coarse(program).b == program.b).all()
