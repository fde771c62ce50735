"""What Keras and TensorFlow can do without is left to those that want it."""

import subprocess
import sys
import threading

import pytest

from models.networks.optional import PACKAGES, left_out

WITHIN = """
import sys
from models.networks.optional import PACKAGES, left_out
with left_out():
    import keras
assert not {*PACKAGES} & {*sys.modules}, {*PACKAGES} & {*sys.modules}
import matplotlib, pandas, sklearn
"""


def test_keras_loads_without_them_and_they_load_afterwards():
    done = subprocess.run([sys.executable, "-c", WITHIN], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


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
