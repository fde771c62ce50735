"""What a run's budget buys with amounts, and of what the next labels should be."""

import pytest
from affinity_tables import regime_table, with_scratch, with_shares

from models.taxonomy.evidence.spending import spending
from models.taxonomy.program.answers import answer
from models.taxonomy.program.request import Request

AMOUNTS = {"": 200.0, "48": 48.0}


@pytest.fixture
def facts():
    table = with_scratch(regime_table(4, regimes=tuple(AMOUNTS), source_only=0), 4)
    request = Request(2, 2, scratch=True)
    policy = answer(table, Request(2, 2, regimes=frozenset({""}), scratch=True))
    return spending(table, request, policy, full=1000, amounts=AMOUNTS, budgets=(1, 2)), policy


def test_choosing_amounts_is_never_worse_at_any_budget(facts):
    book, _ = facts
    for row in book["budgets"]:
        assert row["labels"] == row["tasks"] * 1000 + (4 - row["tasks"]) * 200
        # label for label: nothing is left that the other could have spent
        assert row["fixed"]["spent"] == row["labels"]
        assert row["chosen"]["objective"] >= row["fixed"]["objective"] - 1e-9
        assert row["chosen"]["spent"] <= row["labels"]
        assert sum(held["cost"] for held in row["held"]) == row["chosen"]["spent"]


def test_shares_of_its_own_labels_are_chosen_where_they_are_worth_it():
    table = with_scratch(regime_table(4, regimes=tuple(AMOUNTS), source_only=0), 4)
    table = with_shares(table, 4, affinity=0.99)
    request = Request(2, 2, scratch=True)
    policy = answer(table, Request(2, 2, regimes=frozenset({""}), scratch=True))
    amounts = {**AMOUNTS, "500": 500.0}
    book = spending(table, request, policy, full=1000, amounts=amounts, budgets=(1, 2))
    assert book["decides"] == ""
    # what is compared with is what it was without shares
    assert [row["labels"] for row in book["budgets"]] == [1600, 2400]
    ways = [row["chosen"]["ways"] for row in book["budgets"]]
    assert any("share" in each for each in ways)
    for row in book["budgets"]:
        assert "share" not in row["fixed"]["ways"]
        assert row["chosen"]["objective"] >= row["fixed"]["objective"] - 1e-9


def test_the_next_labels_start_from_what_the_policy_bought(facts):
    book, policy = facts
    assert [row["more"] for row in book["next"]] == [1000]
    (next_one,) = book["next"]
    assert next_one["before"]["objective"] >= policy.objective - 1e-9
    assert next_one["gain"]["objective"] >= 0
    assert not {row["task"] for row in next_one["buy"]} & set(policy.supervised)


def test_a_split_that_is_smaller_than_what_transfers_learn_from_breaks_nothing():
    table = regime_table(5, regimes=("",), source_only=0)
    policy = answer(table, Request(1, 2))
    book = spending(table, Request(1, 2), policy, full=50, amounts={"": 200.0}, budgets=(1,))
    assert book["full"] == 200


def test_prices_and_free_labels_of_the_request_count():
    table = with_scratch(regime_table(4, regimes=tuple(AMOUNTS), source_only=0), 4)
    prices = {"t0": 3.0, "t1": 0.0, "t2": 1.0, "t3": 1.0}
    request = Request(2, 2, scratch=True, cost={"t0": 3.0}, free=frozenset({"t1"}))
    policy = answer(table, Request(2, 2, regimes=frozenset({""}), scratch=True))
    book = spending(table, request, policy, full=1000, amounts=AMOUNTS, budgets=(2,))
    rows = {row["task"]: row for row in book["budgets"][0]["held"]}
    assert set(rows) == set(prices) and all(row["labels"] > 0 for row in rows.values())
    for name, price in prices.items():
        assert rows[name]["cost"] == price * rows[name]["labels"]


def test_where_the_largest_amount_reaches_nothing_its_budget_is_spent_on_others():
    table = regime_table(4, regimes=tuple(AMOUNTS), source_only=0)
    # three targets were measured with few labels only: one task's own labels do not reach them
    part = table.only(
        lambda row: (
            row.transfer.control is not None
            or row.transfer.regime == "48"
            or row.transfer.target == "t3"
        )
    )
    policy = answer(table, Request(1, 2, regimes=frozenset({""})))
    book = spending(part, Request(1, 2), policy, full=1000, amounts=AMOUNTS, budgets=(1,))
    (row,) = book["budgets"]
    assert row["labels"] == 1000 + 3 * 200 and row["fixed"] is None
    assert row["chosen"]["spent"] <= row["labels"] and len(row["held"]) == 4
