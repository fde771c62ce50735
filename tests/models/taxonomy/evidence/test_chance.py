"""Random policies, and the test against them."""

from collections import Counter

import numpy as np
import pytest
from affinity_tables import all_policies, graded_table, regime_table, with_scratch

from models.taxonomy import Affinities, solve
from models.taxonomy.affinities import Row
from models.taxonomy.evidence.chance import Lottery, random_policies, significance
from models.taxonomy.program.request import Request, Resource


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


def test_transferred_targets_of_a_draw_are_those_that_a_source_reaches():
    table, request = with_scratch(graded_table(0), 0), Request(2, 1, scratch=True)
    lottery = Lottery(table, request)
    seen = 0
    for x in drawn_vectors(lottery, 50, best_edges=False):
        chosen = [lottery.program.edges[i] for i in np.flatnonzero(x[lottery.count :] > 0)]
        by_transfer = [table.of[edge].quality for edge in chosen if edge.control is None]
        every = [table.of[edge].quality for edge in chosen]
        seen += len(by_transfer) < len(every)
        _, _, _, transferred, not_bought = lottery.scores(x)
        assert not_bought == pytest.approx(np.mean(every))
        assert transferred == pytest.approx(np.mean(by_transfer))
    assert seen


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
    test = significance(flat, request, solve(flat, 2, 2))
    assert test["p"] > 0.05 and "not distinguishable" in test["verdict"]


def drawn_vectors(lottery, count, **words):
    rng = np.random.default_rng(0)
    draws = [lottery.draw(rng, best_edges=words.get("best_edges", False)) for _ in range(count)]
    assert all(x is not None for x in draws), "a budget that pays for one policy pays for each draw"
    assert all(lottery.policies.allowed(x) for x in draws)
    return np.array(draws)


@pytest.mark.parametrize("best_edges", [False, True])
@pytest.mark.parametrize(
    "more",
    [
        {"regime_cost": {"few": 0.05, "much": 0.4}},
        {"transfer_cost": {"t0": 0.3}},
        {"second": Resource("parameters", 3.0, each_edge=0.5)},
    ],
)
def test_where_ways_cost_every_draw_leaves_enough_for_them(more, best_edges):
    table = regime_table(0, regimes=("few", "much"))
    drawn_vectors(Lottery(table, Request(3, 2, **more)), 60, best_edges=best_edges)


def test_a_price_on_the_ways_into_a_task_does_not_buy_its_labels():
    table, shares = graded_table(0, tasks=8), []
    for price in (0.0, 0.01):
        request = Request(3, 2, transfer_cost={"t0": price} if price else {})
        lottery = Lottery(table, request)
        column = lottery.program.nodes.index("t0")
        shares.append(drawn_vectors(lottery, 300)[:, column].mean())
    assert shares[0] == pytest.approx(3 / 8, abs=0.08)
    assert shares[1] == pytest.approx(shares[0], abs=0.1)


def test_what_the_budget_leaves_for_ways_goes_to_every_target_alike():
    table = regime_table(0, regimes=("few", "much"))
    request = Request(
        # t3, three cheap ways, and one step from a cheap to a dear way
        1 + 3 * 0.1 + 0.3,
        1,
        regime_cost={"few": 0.1, "much": 0.4},
        forced=frozenset({"t3"}),
        forbidden=frozenset({"t0", "t1", "t2"}),
    )
    lottery = Lottery(table, request)
    drawn = drawn_vectors(lottery, 500)[:, lottery.count :]
    dear = Counter(
        edge.target
        for column, edge in zip(drawn.T, lottery.program.edges)
        for _ in range(int(column.sum()))
        if edge.regime == "much"
    )
    # the first in turn takes it in half of the draws, the second in a quarter, the third in an
    # eighth
    for name in ("t0", "t1", "t2"):
        assert dear[name] / 500 == pytest.approx(7 / 8 / 3, abs=0.07)


def test_the_best_ways_of_drawn_sources_are_near_the_best_there_are():
    table = regime_table(2, regimes=("few", "much"))
    request = Request(2.7, 2, regime_cost={"few": 0.1, "much": 0.3})
    lottery = Lottery(table, request)
    best: dict[frozenset[str], float] = {}
    for value, nodes, _ in all_policies(table, request):
        best[nodes] = max(value, best.get(nodes, 0.0))
    for x in drawn_vectors(lottery, 40, best_edges=True):
        nodes = frozenset(n for n, there in zip(lottery.program.nodes, x) if there)
        assert lottery.program.reward @ x >= 0.9 * best[nodes]


def test_without_a_random_policy_no_p_is_made_up():
    table = graded_table(1)
    request = Request(2, 2)
    unreachable = Request(0.5, 2)
    test = significance(table, unreachable, solve(table, 2, 2), policies=5)
    assert "p" not in test and "none of 100 random draws" in test["verdict"]
    assert significance(table, request, solve(table, 2, 2), policies=5)["policies"] == 5
