"""Requests that cannot be met are explained."""

import re

import pytest
from affinity_tables import gappy_table, regime_table

from models.taxonomy import Affinities, Infeasible, Transfer, solve
from models.taxonomy.affinities import Row
from models.taxonomy.program.answers import answer
from models.taxonomy.program.infeasibility import conflict
from models.taxonomy.program.request import Request


def test_conflicting_rules_are_each_needed():
    table = regime_table(0)
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


def test_an_unaffordable_request_names_the_cheapest_budget():
    costs = {f"t{i}": 3.0 for i in range(5)}
    with pytest.raises(
        Infeasible, match="reaching every target costs at least 3; raise the budget to 3"
    ):
        solve(gappy_table(0), 1, 2, cost=costs)
    with pytest.raises(
        Infeasible,
        match="forced t0 together with forced t1 together with budget 4; the other rules cost "
        "at least 6: raise the budget to 6 or lift forced t0",
    ):
        solve(gappy_table(0), 4, 2, cost=costs, forced=frozenset({"t0", "t1"}))


def test_a_cure_that_is_named_is_one():
    table, costs = gappy_table(0), {"t0": 5.0, "t1": 5.0}
    with pytest.raises(Infeasible) as error:
        solve(table, 3, 2, cost=costs, forced=frozenset({"t0", "t1"}))
    ways = str(error.value).split(": ")[-1].split(" or ")
    # one of the two that is lifted leaves the other, which costs more than there is
    assert ways == ["raise the budget to 10", "lift forced t0 together with forced t1"]
    assert solve(table, 10, 2, cost=costs, forced=frozenset({"t0", "t1"})).spent <= 10
    assert solve(table, 3, 2, cost=costs).spent <= 3


def test_a_cure_may_need_rules_and_money():
    rows = (Row(Transfer(("x",), "a"), 0.5), Row(Transfer(("y",), "b"), 0.5))
    with pytest.raises(Infeasible, match="lift forbidden y and raise the budget to 2$"):
        solve(Affinities(rows, {}), 1, 1, forbidden=frozenset({"y"}))


def test_targets_that_nothing_reaches_are_named_apart_from_those_that_cost_too_much():
    rows = (Row(Transfer(("x",), "a"), 0.5), Row(Transfer(("b",), "b"), 0.5))
    with pytest.raises(Infeasible, match="^b cannot be reached"):
        solve(Affinities(rows, {}), 1, 1, cost={"x": 2.0})


def test_training_from_scratch_is_named_as_a_way_out_where_it_is_one():
    rows = (Row(Transfer(("x",), "a"), 0.5), Row(Transfer((), "a", control="scratch"), 0.1))
    with pytest.raises(Infeasible, match="raise the budget to 1; or allow .* from scratch"):
        solve(Affinities(rows, {}), 0.5, 1)
    with pytest.raises(Infeasible, match="raise the budget to 1$"):
        solve(Affinities(rows[:1], {}), 0.5, 1)
    table = Affinities((*rows, Row(Transfer(("x",), "b"), 0.5)), {})
    with pytest.raises(Infeasible, match="raise the budget to 1$"):
        solve(table, 0.5, 1, scratch=True)


@pytest.mark.parametrize("cost", [1234567.9, 1.00000049, 2.0, 1e9 + 1 / 3])
@pytest.mark.parametrize("forced", [frozenset(), frozenset({"x"})])
def test_the_budget_that_is_advised_is_enough(cost, forced):
    table = Affinities((Row(Transfer(("x",), "a"), 0.5),), {})
    costs = {"x": cost, "a": 2 * cost}
    with pytest.raises(Infeasible) as error:
        solve(table, 0.5, 1, cost=costs, forced=forced)
    advised = float(re.findall("raise the budget to ([0-9.e+]+)", str(error.value))[0])
    assert cost <= advised <= cost * 1.00001
    assert solve(table, advised, 1, cost=costs, forced=forced).supervised == ("x",)


def test_amounts_of_data_that_only_networks_from_scratch_have_are_lifted():
    rows = (
        Row(Transfer((), "a", "1k", control="scratch"), 0.5),
        Row(Transfer(("a",), "a", "16k"), 0.5),
    )
    asked = {"regimes": frozenset({"16k"}), "scratch": True}
    with pytest.raises(Infeasible, match="regimes 16k.*lift regimes 16k"):
        solve(Affinities(rows, {}), 1, 1, **asked)
    # with none to lift the table itself is the cause
    with pytest.raises(Infeasible, match="the table has no transfer into it"):
        solve(Affinities(rows, {}), 1, 1, regimes=frozenset({"16k"}))
