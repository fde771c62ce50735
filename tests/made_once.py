"""What takes long is made once a run of pytest, by whichever of its processes asks first."""

import fcntl
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

Made = TypeVar("Made")
# The folder that all processes of this run (`-n 2`) share; `tests/conftest.py` says which it is.
PLACE: list[Path] = []


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """a folder of this run of pytest; it goes when pytest's own folders go."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / "made_once"
    folder.mkdir(exist_ok=True)
    return folder


def made_once(name: str, make: Callable[[Path], Made]) -> Made:
    """what `make(folder)` gives, or gave in another process of this run, which is waited for. The
    folder is all tests': they copy what they change. What fails is tried again by the next one.
    """
    folder = PLACE[0] / name
    folder.mkdir(exist_ok=True)
    kept = PLACE[0] / f"{name}.pickle"
    with open(PLACE[0] / f"{name}.lock", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_bytes(pickle.dumps(make(folder)))
        return pickle.loads(kept.read_bytes())
