"""Rows that are made when they are asked for are taken as an array's rows are."""

import numpy as np
import pytest

from models.examples.lazy_rows import LazyRows

WHOLE = np.arange(5 * 6, dtype="float32").reshape(5, 2, 3)


@pytest.fixture
def rows():
    """and the numbers of the rows that were made."""
    questions = []

    def make(i: int) -> np.ndarray:
        questions.append(i)
        return WHOLE[i]

    return LazyRows(5, (2, 3), "float32", make), questions


@pytest.mark.parametrize(
    "place",
    [
        3,
        -1,
        slice(1, 4),
        slice(None, None, -2),
        np.array([4, 0, 0]),
        np.array([[1, -2], [3, 0]]),
        np.array([], int),
        np.array([True, False, True, False, False]),
        (2, slice(None), 1),
        (slice(0, 2), 0),
        (np.array([1, 3]), slice(None), slice(0, 2)),
    ],
    ids=str,
)
def test_a_place_gives_what_the_array_gives(rows, place):
    lazy, _ = rows
    np.testing.assert_array_equal(lazy[place], WHOLE[place])
    assert lazy[place].dtype == WHOLE.dtype


def test_only_what_is_asked_for_is_made(rows):
    lazy, asked = rows
    assert (lazy.shape, lazy.ndim, len(lazy), lazy.nbytes) == ((5, 2, 3), 3, 5, WHOLE.nbytes)
    assert asked == []
    assert lazy[[3, -5]].shape == (2, 2, 3)
    assert asked == [3, 0]


def test_the_whole_is_an_array(rows):
    np.testing.assert_array_equal(np.asarray(rows[0]), WHOLE)
    assert np.asarray(rows[0], "float64").dtype == np.float64


@pytest.mark.parametrize("place", [5, -6, np.array([0, 9]), np.array([True, False])], ids=str)
def test_a_row_that_is_not_there_is_an_error(rows, place):
    with pytest.raises(IndexError, match="row|rows"):
        rows[0][place]
