"""A label in numbers: shares, borders, and how much neighbours agree."""

import numpy as np
import pytest

from models.gates import summaries
from models.tasks import TASKS

SIDE = 16


def known(count=1):
    return np.ones((count, SIDE, SIDE, 1), "float32")


def test_noise_agrees_with_its_neighbours_by_chance_whatever_its_distribution():
    random = np.random.default_rng(0)
    for value in (random.normal(size=(1, SIDE, SIDE, 1)), random.exponential(size=(1, 16, 16, 1))):
        smoothness = summaries.smoothness(TASKS["reshading"], value, known())[0]
        assert abs(smoothness) < 0.2
    ids = random.integers(0, 17, (1, SIDE, SIDE, 1))
    assert abs(summaries.smoothness(TASKS["segment_semantic"], ids, known())[0]) < 0.1


def test_a_ramp_agrees_almost_wholly_and_a_constant_says_nothing():
    ramp = np.broadcast_to(np.linspace(-1, 1, SIDE)[None, None, :, None], known().shape)
    assert summaries.smoothness(TASKS["reshading"], ramp, known())[0] > 0.95
    flat = np.zeros(known().shape)
    assert np.isnan(summaries.smoothness(TASKS["reshading"], flat, known())[0])
    assert summaries.is_constant(TASKS["reshading"], flat, known())[0]
    assert not summaries.is_constant(TASKS["reshading"], ramp, known())[0]


def test_what_is_masked_does_not_count():
    value, mask = np.zeros(known().shape), known()
    value[:, :8], mask[:, :8] = 100, 0
    assert summaries.is_constant(TASKS["reshading"], value, mask)[0]
    assert summaries.of_samples(TASKS["reshading"], value, mask) == pytest.approx(0)
    nothing = np.zeros(known().shape)
    assert np.isnan(summaries.of_samples(TASKS["reshading"], value, nothing)).all()


def test_class_ids_become_shares_and_segments_borders():
    ids = np.zeros(known().shape)
    ids[:, :, 8:] = 3
    shares = summaries.of_samples(TASKS["segment_semantic"], ids, known())[0]
    assert shares[0] == shares[3] == 0.5 and shares.sum() == pytest.approx(1)
    border = summaries.of_samples(TASKS["segment_unsup2d"], ids, known())[0, 0]
    assert border == pytest.approx(1 / SIDE)


def test_maps_are_averaged_over_cells():
    value = np.broadcast_to(np.arange(SIDE)[None, :, None, None], known().shape)
    cells, weight = summaries.in_cells(TASKS["reshading"], value, known())
    assert cells.shape == (1, 64, 1) and weight.shape == (1, 64, 1)
    assert cells[0, 0, 0] == 0.5 and cells[0, -1, 0] == 14.5
