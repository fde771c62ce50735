"""Versions of the packages that compute, and Keras' backend. No address holds them: the lock fixes
versions, but it has two lanes, and the backend is a word in the environment.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Mapping
from pathlib import Path

BACKEND = "backend"
PACKAGES = ("tensorflow", "keras", "jax", "numpy")


def software() -> dict[str, str]:
    """Returns package -> version, of those that are installed, and `backend`; none is imported."""
    versions = {BACKEND: os.environ.get("KERAS_BACKEND") or "tensorflow"}
    for name in PACKAGES:
        # of JAX only where it computes: a package that lies there changes nothing
        if name == "jax" and versions[BACKEND] != name:
            continue
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def software_changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Returns `name old -> new` for each that differs; [] where earlier code noted none."""
    if not before or not after:
        return []
    return [
        f"{name} {before.get(name, 'none')} -> {after.get(name, 'none')}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def software_note(run: Path, before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Returns a line for whoever runs a folder with other packages than the run before; "" if they
    are the same.
    """
    changes = software_changes(before, after)
    if not changes:
        return ""
    return (
        f"note: other software than in the run before ({', '.join(changes)}); networks and "
        f"transfers in {run / 'work'} are kept as they are, and what is made now is of the new "
        "one. A folder of its own keeps both apart"
    )
