"""Two tables side by side: against cases whose answer is known."""

import pytest
from affinity_tables import graded_table

from models.taxonomy.agreement import agreement


def test_agreement_of_a_table_with_itself_is_one_and_with_noise_is_not():
    table, other = graded_table(5, tasks=9), graded_table(6, tasks=9)
    own, noise = agreement(table, table), agreement(table, other)
    assert own["mean"]["spearman"] == pytest.approx(1) and own["mean"]["low"] == pytest.approx(1)
    assert noise["mean"]["low"] < 0 < noise["mean"]["high"]
    assert all(row["low"] <= row["spearman"] <= row["high"] for row in noise["targets"].values())
