"""The next labels: steps of tasks under one budget, by trying all of them."""

import itertools

import pytest
from affinity_tables import regime_table, with_scratch

from models.taxonomy import Infeasible
from models.taxonomy.answers import answer
from models.taxonomy.labels import Labels, next_labels, priced, purchases
from models.taxonomy.request import Request

LABELS = Labels(1000, {"1k": 50, "16k": 200})


def table_of(seed: int):
    return with_scratch(regime_table(seed, tasks=3, regimes=("1k", "16k"), source_only=0), seed)


def value_of(table, owned: dict[str, float]) -> float:
    """the best objective with these labels and no others."""
    request = Request(1, 2, scratch=True)
    labels = Labels(1000, LABELS.amounts, owned=owned)
    try:
        return answer(table, priced(table, request, labels, 0.0)).objective
    except Infeasible:
        return -1.0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("more", [400, 1300])
def test_a_budget_of_labels_is_spent_as_trying_all_amounts_says(seed, more):
    table = table_of(seed)
    names = [f"t{i}" for i in range(3)]
    wanted = max(
        value_of(table, dict(zip(names, amounts)))
        for amounts in itertools.product((0, 50, 200, 1000), repeat=3)
        if sum(amounts) <= more
    )
    facts = next_labels(table, Request(1, 2, scratch=True), LABELS, more)
    assert facts["after"]["objective"] == pytest.approx(wanted, abs=1e-6)
    bought = {row["task"]: row["labels"] for row in facts["buy"]}
    assert sum(bought.values()) <= more
    assert value_of(table, bought) == pytest.approx(wanted, abs=1e-6)


def test_owned_labels_are_not_bought_again_and_gain_is_what_more_labels_add():
    table = table_of(5)
    owned = {"t0": 1000, "t1": 50, "t2": 50}
    labels = Labels(1000, LABELS.amounts, owned=owned)
    facts = next_labels(table, Request(1, 2, scratch=True), labels, 150)
    assert facts["before"]["objective"] == pytest.approx(value_of(table, owned))
    gained = facts["after"]["objective"] - facts["before"]["objective"]
    assert facts["gain"]["objective"] == pytest.approx(gained) and gained >= 0
    assert all(row["labels"] <= 150 for row in facts["buy"])


def test_single_steps_are_worth_what_owning_them_adds():
    table = table_of(6)
    owned = {f"t{i}": 50 for i in range(3)}
    labels = Labels(1000, LABELS.amounts, owned=owned)
    facts = next_labels(table, Request(1, 2, scratch=True), labels, 150)
    assert facts["alone"], "some step helps"
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


def test_a_task_is_bought_once_at_its_largest_step():
    table = table_of(2)
    policy = answer(table, priced(table, Request(1, 2, "paper"), LABELS, 3000))
    rows = purchases(policy, LABELS)
    assert len({row["task"] for row in rows}) == len(rows)
    assert {
        row["task"]: row["amount"] for row in rows if row["task"] in policy.supervised
    } == dict.fromkeys(policy.supervised, 1000)
