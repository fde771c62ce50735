"""An array that was written row by row is the array."""

import numpy as np
import pytest

from models.examples.npy_writer import npy_writer


@pytest.mark.parametrize("shape", [(), (3,), (4, 4, 1)])
@pytest.mark.parametrize("rows", [0, 1, 5])
def test_rows_one_by_one_make_the_array(tmp_path, shape, rows):
    values = np.random.default_rng(0).normal(size=(rows, *shape))
    with npy_writer(tmp_path / "a.npy", "float16", shape) as writer:
        for row in values:
            writer.extend(row[None])
    read = np.load(tmp_path / "a.npy", mmap_mode="r" if rows else None)
    assert read.dtype == np.float16 and read.shape == values.shape
    assert (read == values.astype("float16")).all()


def test_rows_of_another_shape_are_refused_and_leave_no_array(tmp_path):
    with (
        pytest.raises(ValueError, match=r"rows of shape \(3,\) are expected, got \(4,\)"),
        npy_writer(tmp_path / "a.npy", "float32", (3,)) as writer,
    ):
        writer.extend(np.ones((1, 3)))
        writer.extend(np.ones((1, 4)))
    with pytest.raises(ValueError):
        np.load(tmp_path / "a.npy")
