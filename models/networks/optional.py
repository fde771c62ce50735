"""Keras and TensorFlow without the packages that they use where these are installed, and we do not
use through them: they are here for TFX, and a quarter of what it takes to load Keras.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

# Keras': scikit-learn's wrappers, plots, tables, a notebook's output. TensorFlow's: a cloud's API.
PACKAGES = ("sklearn", "matplotlib", "pandas", "IPython", "googleapiclient")


class LeftOut(MetaPathFinder):
    """For the thread that made it, `PACKAGES` are not installed."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> None:
        """Finds nothing, so that other finders look. Raises ModuleNotFoundError for `PACKAGES`."""
        if name in PACKAGES and threading.get_ident() == self.thread:
            raise ModuleNotFoundError(f"{name} is left out while Keras loads", name=name)


@contextlib.contextmanager
def left_out() -> Iterator[None]:
    """Lets `import keras` or `import tensorflow` inside load none of `PACKAGES`; afterwards whoever
    wants one imports it.
    """
    finder = LeftOut()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
