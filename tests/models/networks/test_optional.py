"""What Keras and TensorFlow can do without is left to those that want it."""

import concurrent.futures
import multiprocessing
import sys
import threading

import pytest

from models.networks.optional import PACKAGES, left_out
from models.networks.training.workers import begin_trainer


def test_a_trainer_has_keras_without_them_and_gets_those_that_it_asks_for():
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, spawn, begin_trainer) as pool:
        loaded = set(pool.submit(eval, "[*__import__('sys').modules]").result())
        assert "keras" in loaded and not {*PACKAGES} & loaded
        assert pool.submit(eval, "__import__('pandas').DataFrame().empty").result()


@pytest.fixture
def unknown(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)


def test_what_is_left_out_is_so_for_the_thread_that_asked(unknown):
    assert "sklearn" in PACKAGES
    found = []
    finder = threading.Thread(target=lambda: found.append(sys.meta_path[0].find_spec("sklearn")))
    with left_out():
        with pytest.raises(ModuleNotFoundError, match="left out"):
            import sklearn  # noqa: F401
        finder.start()
        finder.join()
    assert found == [None], "another thread is told to look elsewhere"
