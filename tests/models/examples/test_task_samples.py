"""Draws of a sample are those of its numbers."""

import numpy as np
import pytest

from models.examples.task_samples import generator_of


@pytest.mark.parametrize("numbers", [(0, 5, 7), (0, 2**32 - 1, 0, 9), (1, 2**32, 3), (2**70, 0, 1)])
def test_a_generator_is_that_of_its_numbers_however_large(numbers):
    expected = np.random.default_rng(list(numbers)).integers(1 << 60, size=5)
    assert (generator_of(numbers).integers(1 << 60, size=5) == expected).all()
