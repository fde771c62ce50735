"""Memory of large arrays is used again, and by nobody while it is held."""

import gc

import numpy as np
import pytest

from models.examples import recycled


@pytest.fixture(autouse=True)
def none_waits(monkeypatch):
    monkeypatch.setattr(recycled, "LARGE", 1 << 12)
    monkeypatch.setattr(recycled, "MOST", 3 << 13)
    monkeypatch.setattr(recycled, "WAITING", {})


def address(array):
    return array.__array_interface__["data"][0]


def test_an_array_is_of_its_shape_and_dtype_and_can_be_written():
    for shape in ((2, 3), (64, 4, 8)):
        array = recycled.empty(shape, "float16")
        array[...] = 2
        assert array.shape == shape and array.dtype == np.float16 and (array == 2).all()


def test_memory_of_an_array_that_is_gone_is_that_of_the_next():
    first = recycled.empty((64, 64), "float16")
    place = address(first)
    del first
    second = recycled.empty((4096,), "uint16")
    assert address(second) == place
    assert address(recycled.empty((64, 64), "float16")) != place


def test_memory_of_which_a_part_is_held_is_nobody_elses():
    first = recycled.empty((64, 64), "float16")
    first[...] = 1
    part = first[3:5].reshape(-1).view("int16")[::2]
    del first
    gc.collect()
    second = recycled.empty((64, 64), "float16")
    second[...] = 7
    assert (part.view("float16") == 1).all()


def test_no_more_waits_than_is_allowed():
    several = [recycled.empty((1 << 13,), "uint8") for _ in range(5)]
    while several:
        several.pop()
        assert sum(size * len(blocks) for size, blocks in recycled.WAITING.items()) <= 3 << 13
    assert recycled.WAITING
    del several
    large = recycled.empty((1 << 15,), "uint8")  # more than may wait at all
    del large
    assert 1 << 15 not in recycled.WAITING


def test_small_arrays_are_numpys_own():
    assert recycled.empty((8,), "float32").base is None
