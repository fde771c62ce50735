"""Half precision is numpy's, bit by bit."""

import numpy as np
import pytest

from models.examples.half_precision import to_half, to_single

HALVES = np.arange(1 << 16, dtype="uint16").view("float16")
KNOWN = HALVES[~np.isnan(HALVES)]


def around():
    """every half, what lies between two of them, a little to either side, and what is too large."""
    finite = KNOWN[np.isfinite(KNOWN)].astype("float32")
    middle = (finite[1:] + finite[:-1]) / 2
    every = np.concatenate([finite, middle, np.float32([1e6, -1e6, np.inf, -np.inf, 1e-30])])
    up, down = (np.nextafter(every, np.float32(end)) for end in (np.inf, -np.inf))
    return np.concatenate([every, up, down])


def test_rounding_is_to_the_nearest_ties_to_even_everywhere():
    values = around()
    with np.errstate(over="ignore"):
        expected = values.astype("float16")
    assert np.array_equal(to_half(values).view("uint16"), expected.view("uint16"))


def test_every_half_comes_back_as_it_is():
    assert np.array_equal(to_single(KNOWN).view("uint32"), KNOWN.astype("float32").view("uint32"))
    assert np.isnan(to_single(HALVES)[np.isnan(HALVES)]).all()


@pytest.mark.parametrize("shape", [(), (3,), (40, 41, 3), (2, 50, 50, 1), (0, 8)])
def test_shapes_stay_and_views_may_be_cut(shape):
    values = np.random.default_rng(0).normal(size=(*shape, 2)).astype("float32")[..., 1]
    half = to_half(values)
    assert half.dtype == np.float16 and half.shape == shape
    assert np.array_equal(half, values.astype("float16"))
    assert np.array_equal(to_single(half), half.astype("float32"))
    wide = values.astype("float64")
    assert np.array_equal(to_half(wide), wide.astype("float16"))
    assert to_single(values) is values or to_single(values).base is values.base
