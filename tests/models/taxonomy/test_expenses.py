"""What a policy costs, and what it saves."""

import numpy as np
import pytest
from affinity_tables import PUBLISHED, graded_table, there

from models.taxonomy import solve, solve_all
from models.taxonomy.expenses import Expenses, headline, independent, ledger
from models.taxonomy.published import read_any


def test_a_ledger_pays_for_every_label_once():
    table = graded_table(3)
    policy = solve(table, 2, 1)
    found = ledger(policy, Expenses(1000, {"": 10}, dict.fromkeys(policy.supervised, 5.0), 1.0))
    assert found["images"] == 2 * 1000 + 4 * 10
    assert found["seconds"] == 2 * 5 + 4 * 1
    assert ledger(policy, Expenses(1000, {"": 10}))["seconds"] is None
    with pytest.raises(ValueError, match="fewer labelled images"):
        Expenses(10, {"": 100})


def test_the_headline_is_what_independent_learning_would_have_cost():
    table = graded_table(4)
    images, quality = independent(table, Expenses(1000, {"": 100}))
    assert images[0] == 600 and images[-1] == 6000
    assert quality[0] == pytest.approx(0.1) and quality[-1] == pytest.approx(
        0.5
    )  # scratch is 1 - 0.9
    [row] = headline(table, [solve(table, 2, 2)], Expenses(1000, {"": 100}))
    assert row["independent"] == pytest.approx(np.interp(row["quality"], quality, images))
    assert row["saved"] == pytest.approx(1 - row["images"] / row["independent"])


@there
def test_the_released_policies_save_labels_at_equal_quality():
    table = read_any(PUBLISHED / "all_affinities_16k.json")
    rows = headline(table, solve_all(table, [2, 4, 6], [2]), Expenses(129_380, {"": 16_000}))
    assert all(0.3 < row["saved"] < 0.6 for row in rows)
