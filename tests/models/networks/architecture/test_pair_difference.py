"""Heads that match views read how far their codes lie apart."""

import numpy as np

from models.networks.architecture.pair_difference import Compared

RNG = np.random.default_rng(0)


def test_a_matching_head_can_tell_equal_codes_by_their_differences():
    codes = RNG.normal(size=(5, 3, 7)).astype("float32")
    seen = np.asarray(Compared()(codes))
    assert seen.shape == Compared().compute_output_shape(codes.shape) == (5, 42)
    np.testing.assert_array_equal(seen[:, :21], codes.reshape(5, 21))
    np.testing.assert_array_equal(seen[:, 28:35], np.abs(codes[:, 0] - codes[:, 2]))
    assert not np.asarray(Compared()(codes[:, [0, 0]]))[:, 14:].any()
