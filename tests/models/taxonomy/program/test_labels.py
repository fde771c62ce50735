"""The next labels: steps of tasks under one budget, by trying all of them."""

import itertools
from dataclasses import replace

import pytest
from affinity_tables import regime_table, with_scratch, with_shares

from models.taxonomy import Affinities, Infeasible, Transfer
from models.taxonomy.affinities import Row
from models.taxonomy.program.answers import answer
from models.taxonomy.program.labels import (
    Labels,
    holdings,
    next_labels,
    priced,
    purchases,
    with_bought,
)
from models.taxonomy.program.request import Request

LABELS = Labels(1000, {"1k": 50, "16k": 200})


SHARED = replace(LABELS, amounts={**LABELS.amounts, "500": 500})
PLAIN = Request(1, 2, scratch=True)
# on offer by name
NAMED = replace(PLAIN, regimes=frozenset(SHARED.amounts))


def table_of(seed: int):
    return with_scratch(regime_table(seed, tasks=3, regimes=("1k", "16k"), source_only=0), seed)


def value_of(table, owned: dict[str, float], request=PLAIN) -> float:
    """the best objective with these labels and no others."""
    labels = replace(SHARED if request.regimes else LABELS, owned=owned)
    try:
        return answer(table, priced(table, request, labels, 0.0)).objective
    except Infeasible:
        return -1.0


@pytest.mark.parametrize("shares", [False, True])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("more", [400, 1300])
def test_a_budget_of_labels_is_spent_as_trying_all_amounts_says(seed, more, shares):
    table = with_shares(table_of(seed), seed) if shares else table_of(seed)
    request, labels = (NAMED, SHARED) if shares else (PLAIN, LABELS)
    names = [f"t{i}" for i in range(3)]
    expected = max(
        value_of(table, dict(zip(names, amounts)), request)
        for amounts in itertools.product((0, *labels.amounts.values(), 1000), repeat=3)
        if sum(amounts) <= more
    )
    facts = next_labels(table, request, labels, more)
    assert facts["after"]["objective"] == pytest.approx(expected, abs=1e-6)
    bought = {row["task"]: row["labels"] for row in facts["buy"]}
    assert sum(bought.values()) <= more
    assert value_of(table, bought, request) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("variant", ["web", "paper"])
def test_a_share_of_its_own_labels_is_a_step_like_any_other(variant):
    """half of a task's labels answer for it, and feed no other."""
    rows = [
        Row(Transfer((source,), target, "1k"), 0.1, None, 0.1)
        for source, target in itertools.permutations(("a", "b", "c"), 2)
    ]
    for target in "abc":
        rows.append(Row(Transfer((), target, control="supervised"), 0.5, None, 0.5))
        rows.append(Row(Transfer((), target, "500", "share"), 0.45, None, 0.4))
    table = Affinities(tuple(rows), {})
    labels = Labels(1000, {"1k": 50, "500": 500})
    request = Request(1, 1, variant=variant, regimes=frozenset(labels.amounts))
    policy = answer(table, priced(table, request, labels, 1500))
    assert [edge.way for edge in policy.edges] == ["share"] * 3
    assert policy.supervised == () and policy.spent == 1500
    assert [(row["task"], row["labels"]) for row in purchases(policy, labels)] == [
        (name, 500) for name in "abc"
    ]
    assert policy.ways["share"]["quality"] == pytest.approx(0.4)
    assert {row["step"] for row in holdings(policy, labels, "abc")} == {"500"}


def test_a_share_is_on_offer_where_its_amount_is_named():
    table = with_shares(table_of(7), 7, affinity=0.99)
    unnamed = Request(9, 2, scratch=True, target_only=frozenset({"t0"}))
    named = replace(unnamed, regimes=frozenset({"1k", "16k", "500"}))
    ways = [{edge.way for edge in answer(table, each).edges} for each in (unnamed, named)]
    assert ["share" in each for each in ways] == [False, True]
    with pytest.raises(KeyError, match="unknown regime '501'.*500"):
        answer(table, replace(named, regimes=frozenset({"501"})))


def test_lifting_the_amounts_keeps_the_shares_among_them():
    """of a and b each is reached by one amount alone: both are needed."""
    rows = (
        Row(Transfer((), "a", "500", control="share"), 0.5),
        Row(Transfer(("a",), "b", "16k"), 0.5),
    )
    request = Request(1, 1, regimes=frozenset({"500"}))
    with pytest.raises(Infeasible, match="regimes 500.*lift regimes 500"):
        answer(Affinities(rows, {}), request)


def test_what_learns_nothing_has_no_labels_to_buy():
    rows = (
        Row(Transfer(("random_projection",), "normal", "1k"), 0.6, None, 0.3),
        Row(Transfer((), "normal", control="supervised"), 0.5, None, 0.5),
    )
    labels = Labels(1000, {"1k": 50})
    table = Affinities(rows, {})
    policy = answer(table, priced(table, Request(1, 1), labels, 50))
    assert policy.supervised == ("random_projection",) and policy.spent == 50
    assert [row["task"] for row in purchases(policy, labels)] == ["normal"]
    rows = {row["task"]: row for row in holdings(policy, labels, ["normal", "random_projection"])}
    assert rows["random_projection"]["amount"] == 0


def test_owned_labels_are_not_bought_again_and_gain_is_what_more_labels_add():
    table = table_of(5)
    owned = {"t0": 1000, "t1": 50, "t2": 50}
    labels = Labels(1000, LABELS.amounts, owned=owned)
    facts = next_labels(table, Request(1, 2, scratch=True), labels, 150)
    assert facts["before"]["objective"] == pytest.approx(value_of(table, owned))
    gained = facts["after"]["objective"] - facts["before"]["objective"]
    assert facts["gain"]["objective"] == pytest.approx(gained) and gained >= 0
    better = facts["after"]["quality"] - facts["before"]["quality"]
    assert facts["gain"]["quality"] == pytest.approx(better)
    assert all(row["labels"] <= 150 for row in facts["buy"])


@pytest.mark.parametrize("seed", [5, 6])
def test_single_steps_are_worth_what_owning_them_adds(seed):
    table = table_of(seed)
    owned = {f"t{i}": 50 for i in range(3)}
    labels = Labels(1000, LABELS.amounts, owned=owned)
    facts = next_labels(table, Request(1, 2, scratch=True), labels, 150)
    assert facts["alone"], "some step helps"
    assert all(row["objective"] > 0 for row in facts["alone"]), "the others are left out"
    one, two = (
        next_labels(table, Request(1, 2, scratch=True), labels, n, alone=False) for n in (150, 1)
    )
    assert one["buy"] and not one["alone"], "nobody asked"
    assert not two["buy"] and two["alone"] == facts["alone"], "nothing is bought"
    for row in facts["alone"]:
        after = value_of(table, {**owned, row["task"]: row["amount"]})
        assert row["objective"] == pytest.approx(after - value_of(table, owned), abs=1e-9)
    rates = [row["objective"] / row["cost"] for row in facts["alone"]]
    assert rates == sorted(rates, reverse=True)


def test_prices_make_money_of_labels_and_free_ones_cost_nothing():
    labels = Labels(1000, {"": 10}, price={"a": 2.0}, free=frozenset({"b"}), owned={"a": 400})
    assert (labels.cost("a", 1000), labels.cost("b", 1000), labels.cost("c", 10)) == (1200, 0, 10)
    with pytest.raises(ValueError, match="fewer than the amounts big"):
        Labels(10, {"big": 20})
    with pytest.raises(KeyError, match="unknown amount of data '2k'.*1k, 16k"):
        LABELS.amount_of("2k")


def test_a_budget_that_reaches_nothing_says_what_would():
    table = regime_table(0, tasks=3, regimes=("1k",), source_only=0)
    with pytest.raises(Infeasible, match="raise the budget to 1"):
        next_labels(table, Request(1, 2), Labels(1000, {"1k": 50}), 20)


def test_costs_of_a_request_give_way_to_the_price_of_what_is_lacking():
    table = table_of(0)
    request = Request(
        1,
        scratch=True,
        cost={"t0": 7.0},
        transfer_cost={"t1": 3.0},
        regime_cost={"1k": 5.0, "16k": 5.0},
        free=frozenset({"t2"}),
    )
    labels = replace(LABELS, price={"t2": 2.0}, owned={"t0": 100})
    policy = priced(table, request, labels, 500)
    assert [policy.cost_of(name) for name in ("t0", "t1", "t2")] == [900, 1000, 2000]
    for regime, amount in LABELS.amounts.items():
        for name, cost in (("t0", max(0, amount - 100)), ("t1", amount), ("t2", 2 * amount)):
            scratch = Transfer((), name, regime, "scratch")
            assert policy.edge_cost_of(scratch) == cost
    assert policy.budget == 500 and not policy.free


def test_purchases_are_listed_dearest_first():
    table = table_of(2)
    policy = answer(table, priced(table, Request(1, 2), LABELS, 3000))
    price = {"t0": 1.0, "t1": 30.0, "t2": 5.0}
    for prices in (price, dict(zip(price, reversed(price.values())))):
        costs = [row["cost"] for row in purchases(policy, replace(LABELS, price=prices))]
        assert len(set(costs)) > 1 and costs == sorted(costs, reverse=True)


def test_a_target_that_is_reached_by_transfer_is_bought_at_the_amount_of_its_edge():
    table = table_of(2)
    policy = answer(table, priced(table, Request(1, 2), LABELS, 1400))
    amounts = {row["task"]: row["amount"] for row in purchases(policy, LABELS)}
    reached = {edge.transfer.target: edge.transfer.regime for edge in policy.by("transferred")}
    assert reached and amounts == {
        **dict.fromkeys(policy.supervised, 1000),
        **{name: LABELS.amounts[regime] for name, regime in reached.items()},
    }


def test_labels_that_a_policy_does_not_use_are_not_given_back():
    table = table_of(2)
    policy = answer(table, priced(table, Request(1, 2), LABELS, 1400))
    before = replace(LABELS, owned={"t0": 1000, "t1": 1000, "t2": 1000, "t9": 30})
    assert with_bought(policy, before, ["t0", "t1", "t2"]).owned == before.owned


def test_a_task_is_bought_once_at_its_largest_step():
    table = table_of(2)
    policy = answer(table, priced(table, Request(1, 2, "paper"), LABELS, 3000))
    rows = purchases(policy, LABELS)
    assert len({row["task"] for row in rows}) == len(rows)
    assert {
        row["task"]: row["amount"] for row in rows if row["task"] in policy.supervised
    } == dict.fromkeys(policy.supervised, 1000)


def only(regime: str) -> Labels:
    return replace(LABELS, amounts={regime: LABELS.amounts[regime]})


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("variant", ["web", "paper"])
def test_choosing_amounts_is_never_worse_than_one_amount_at_the_same_budget(seed, variant):
    table = table_of(seed)
    request = Request(1, 2, variant, scratch=True)
    chosen = answer(table, priced(table, request, LABELS, 2300))
    for regime in ("1k", "16k"):
        plain = replace(request, regimes=frozenset({regime}))
        single = answer(table, priced(table, plain, only(regime), 2300))
        assert chosen.objective >= single.objective - 1e-9


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("variant", ["web", "paper"])
def test_with_one_amount_it_is_the_program_that_buys_fully_or_not_at_all(seed, variant):
    table = with_scratch(regime_table(seed, regimes=("16k",), source_only=0), seed)
    names = [f"t{i}" for i in range(4)]
    request = Request(2600, 2, variant, scratch=True)
    cost = {"cost": dict.fromkeys(names, 1000.0), "transfer_cost": dict.fromkeys(names, 200.0)}
    plain = answer(table, replace(request, **cost))
    amounts = answer(table, priced(table, request, only("16k"), 2600))
    assert amounts.objective == pytest.approx(plain.objective, abs=1e-9)
    assert (amounts.supervised, amounts.spent) == (plain.supervised, plain.spent)


def test_what_a_policy_stands_on_is_said_of_every_task_and_then_owned():
    table = regime_table(1, tasks=4, regimes=("1k", "16k"))
    names = [f"t{i}" for i in range(4)]
    policy = answer(table, priced(table, Request(1, 2), LABELS, 2300))
    rows = {row["task"]: row for row in holdings(policy, LABELS, names)}
    assert set(rows) == set(names)
    assert {name for name in names if rows[name]["step"] == "full"} == set(policy.supervised)
    for edge in policy.edges:
        if edge.way != "supervised":
            row = rows[edge.transfer.target]
            assert row["step"] == edge.transfer.regime
            assert row["amount"] == LABELS.amounts[edge.transfer.regime]
    assert sum(row["cost"] for row in rows.values()) == policy.spent
    owned = with_bought(policy, LABELS, names)
    again = answer(table, priced(table, Request(1, 2), owned, 0.0))
    assert again.objective == pytest.approx(policy.objective, abs=1e-9)
