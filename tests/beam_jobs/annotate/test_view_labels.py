"""Where a point stands in a picture: against the camera's own angles."""

import numpy as np
import pytest

from beam_jobs.annotate.view_labels import projected


def test_what_lies_ahead_stands_in_the_middle():
    assert projected(np.array([0.0, 0.0, -3.0]), 1.0, 64) == (32, 32)


@pytest.mark.parametrize("angle", [0.5, 1.0, 1.5])
def test_the_field_of_view_ends_at_the_border(angle):
    edge = np.tan(angle / 2)
    column, row = projected(np.array([0.999 * edge, 0.0, -1.0]), angle, 64)
    assert 63.9 < column < 64 and row == 32
    assert projected(np.array([1.001 * edge, 0.0, -1.0]), angle, 64) is None
    column, row = projected(np.array([0.0, 0.999 * edge, -1.0]), angle, 64)
    assert column == 32 and 0 <= row < 0.1, "rows count downwards"


def test_what_lies_behind_is_not_seen():
    assert projected(np.array([0.0, 0.0, 3.0]), 1.0, 64) is None
    assert projected(np.array([0.0, 0.0, 0.0]), 1.0, 64) is None
