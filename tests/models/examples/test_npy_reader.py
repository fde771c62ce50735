"""Many threads read array files at once."""

import gc
import io
import threading
import time

import numpy as np
import pytest

from models.examples.npy_reader import map_npy, read_npy

ROW = np.dtype([("building", "<u4"), ("point", "<i4"), ("view", "<i4"), ("offset", "<u8")])


class SlowToGo:
    """garbage whose end lets another thread run, as closing a file does."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        time.sleep(1e-4)


@pytest.fixture
def frequent_collections():
    """garbage is collected in the middle of whatever allocates."""
    before = gc.get_threshold()
    yield lambda threshold: gc.set_threshold(threshold, 100, 100)
    gc.set_threshold(*before)


def test_no_thread_fails_another_that_reads_a_header(tmp_path, frequent_collections):
    path = tmp_path / "rows.npy"
    np.save(path, np.zeros(8, ROW))
    content, errors = path.read_bytes(), []

    def read(number: int) -> None:
        for i in range(300):
            frequent_collections(5 + (7 * i + number) % 60)
            SlowToGo()
            try:
                assert len(map_npy(path)) == len(read_npy(io.BytesIO(content))) == 8
            except SystemError as error:
                errors.append(str(error))

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_objects_are_refused():
    file = io.BytesIO()
    np.save(file, np.array([{}], object))
    file.seek(0)
    with pytest.raises(ValueError, match="pickle"):
        read_npy(file)
