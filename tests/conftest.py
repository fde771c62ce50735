"""What holds for every test."""

import gc

import pytest
from chromium import browser
from made_once import PLACE, shared_folder
from processor_time import ProcessorTime

from beam_jobs.annotate.compilation import compile_once

# Named here alone: a fixture that two folders import is two fixtures, and Playwright runs once.
__all__ = ["browser"]

# Files that take longest: first, so that no process is left with one of them at the end.
LONGEST = ("tests/tfx_pipeline/test_main_job.py", "tests/models/networks/test_growth.py")


def pytest_configure(config: pytest.Config) -> None:
    """in a fresh checkout a kernel is compiled by whichever of pytest's processes calls it first.
    Not a fixture: files that make shapes for their parameters call kernels as they are collected.
    """
    compile_once()
    config.pluginmanager.register(ProcessorTime())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """the longest files first; the order inside a file stays."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def pytest_collection_finish() -> None:
    """what was imported to collect the tests is never garbage: not looked through for it again, as
    Keras' `clear_session` does before every network.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def place_of_what_is_made_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    PLACE[:] = [shared_folder(tmp_path_factory)]
