"""How alike two maps are, against cases that one can count by hand."""

import numpy as np
import pytest

from beam_jobs.compare.measures import adjusted_rand, correlation, pairs


def test_the_rand_index_is_one_for_renamed_segments_and_near_zero_for_chance():
    rng = np.random.default_rng(0)
    segments = rng.integers(0, 5, (64, 64))
    assert adjusted_rand(segments, 4 - segments) == pytest.approx(1)
    assert abs(adjusted_rand(segments, rng.integers(0, 5, (64, 64)))) < 0.01


def test_the_correlation_of_maps_of_one_value_is_a_number():
    flat, steep = np.full((4, 4), 7, "uint16"), np.arange(16, dtype="uint16").reshape(4, 4)
    assert correlation(flat, flat + 2) == 1
    assert correlation(flat, steep) == correlation(steep, flat) == 0


def test_the_rand_index_of_one_segment_or_of_single_pixels_twice_is_one_by_definition():
    one = np.zeros((8, 8), "uint8")
    singles = np.arange(64).reshape(8, 8)
    assert adjusted_rand(one, one + 3) == adjusted_rand(singles, 63 - singles) == 1
    assert adjusted_rand(one[:1, :1], one[:1, :1]) == 1
    assert adjusted_rand(one, singles) == adjusted_rand(one, singles // 8) == 0


def test_pairs_are_counted_within_groups():
    assert pairs(np.array([1.0, 2.0, 4.0])) == 0 + 1 + 6


def test_correlation_is_blind_to_scale_and_offset():
    ours = np.arange(12, dtype="uint16").reshape(3, 4)
    assert correlation(ours, 5 * ours + 7) == pytest.approx(1)
    assert correlation(ours, 100 - ours) == pytest.approx(-1)
