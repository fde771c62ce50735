"""Costs as text: what differs reads differently, and what is advised is true."""

from decimal import Decimal

import numpy as np
import pytest

from models.taxonomy.program.digits import at_least, cost_text, enough


@pytest.mark.parametrize(
    "cost, budget, text",
    [
        (4e6, 4e6, "4000000"),
        (3999999.0, 4e6, "3999999"),
        (2.0, 3.0, "2"),
        (0.1 + 0.2, 0.3, "0.3"),
        (1 / 3, 1.0, "0.333333"),
        (3.9999999, 4.0, "3.9999999"),
        (20000.05, 20000.0, "20000.05"),
        (0.0, 1.0, "0"),
        (1e-7, 1.0, "1e-07"),
    ],
)
def test_a_cost_has_the_digits_that_tell_it_from_the_budget(cost, budget, text):
    assert cost_text(cost, budget) == text


def test_the_least_is_rounded_down_and_the_advice_up():
    rng = np.random.default_rng(0)
    for cost in [1000001.0, 0.1 + 0.2, *(10.0 ** rng.uniform(-7, 14, 200)).tolist()]:
        low, high = Decimal(at_least(cost)), Decimal(enough(cost))
        # 2e-12: no budget tells apart what is nearer
        assert low <= Decimal(cost * (1 + 2e-12)) and Decimal(cost * (1 - 2e-12)) <= high
        assert float(high) <= cost * 1.00001 and cost <= float(low) * 1.00001
    assert at_least(1000001.0) == enough(1000001.0) == "1000001"
