"""Weights of networks in Keras' own files, written and read without Keras' longest detour."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from keras.src.saving import saving_lib


def save_weights(model: Any, path: str | Path) -> None:
    """Writes a model's weights, as `model.save_weights` does."""
    remember_attributes()
    model.save_weights(path)


def load_weights(model: Any, path: str | Path) -> None:
    """Reads a model's weights, as `model.load_weights` does, and raises as it does."""
    remember_attributes()
    model.load_weights(path)


def remember_attributes() -> None:
    """Lets Keras know, from the second layer on, which attributes all layers have.

    It makes a layer to find out, for every layer that it saves or loads: it keeps the answer under
    one name (`saving_attr_skipset`) and looks under another (`saving_attr_skiplist`). A third of
    what it takes to load a network.
    """
    if not hasattr(saving_lib.get_attr_skipset, "cache_info"):
        # the answers are the same for the whole process; nobody changes them
        saving_lib.get_attr_skipset = functools.cache(saving_lib.get_attr_skipset)
