"""From a blessed bundle to the folder that the server polls, and back."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path


def push(bundle: str | Path, destination: str | Path) -> Path:
    """copy `bundle` beside the versions, then rename it to the next one: a poller sees all of it or nothing. Returns the version's folder.

    Versions are UNIX seconds, or one past the newest. Raises OSError if the destination cannot be written, ValueError for no bundle.
    """
    bundle, destination = Path(bundle), Path(destination)
    if not (bundle / "saved_model.pb").exists():
        raise ValueError(f"no SavedModel at {bundle}")
    destination.mkdir(parents=True, exist_ok=True)
    scratch = destination / f".push-{os.getpid()}"
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(bundle, scratch)
    version = destination / str(max([int(time.time()), *(number + 1 for number in versions(destination))]))
    os.replace(scratch, version)
    return version


def versions(destination: str | Path) -> list[int]:
    """the served versions, oldest first."""
    return sorted(int(path.name) for path in Path(destination).iterdir() if path.name.isdigit())


def rollback(destination: str | Path) -> Path:
    """take the newest version out of service (kept under a hidden name); returns the one that serves now. Raises ValueError if there is none to go back to."""
    found = versions(destination)
    if len(found) < 2:
        raise ValueError(f"{destination} holds {len(found)} version(s); rolling back needs an older one to return to")
    os.replace(Path(destination) / str(found[-1]), Path(destination) / f".withdrawn-{found[-1]}")
    return Path(destination) / str(found[-2])
