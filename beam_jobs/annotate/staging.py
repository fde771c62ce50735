"""Makes a building in a hidden, locked folder that is renamed when complete, and removes the
folders that dead runs left.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from models.provenance.atomic import write_text

PREFIX = ".annotate."
LOCK = ".lock"
GRACE = 60  # seconds that a folder may be without its lock: between being made and being locked


@contextlib.contextmanager
def workplace(root: Path, name: str) -> Iterator[Path]:
    """Yields a new folder that this process alone writes to; other processes may have others for
    the same name. It is removed at the end unless `publish` moved it. A killed process leaves it,
    unlocked.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{name}.", dir=root))
    # mkdtemp gives a folder to its user alone; a data set is for others to read
    folder.chmod(0o755)
    with open(folder / LOCK, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep(root: Path) -> list[str]:
    """Removes the workplaces of runs that died and returns their names. One whose lock is held
    belongs to a live run and stays.
    """
    removed = []
    for folder in root.glob(f"{PREFIX}*"):
        try:
            with open(folder / LOCK) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except FileNotFoundError:
            if not folder.is_dir() or time.time() - folder.stat().st_mtime < GRACE:
                continue
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # locked
            continue
        removed.append(folder.name)
    return removed


def publish(scratch: Path, folder: Path, there: Callable[[], bool]) -> None:
    """Moves a finished building into place; where another run has put the same one there first
    (`there()`), that one is kept. Raises OSError if runs go on replacing each other's.
    """
    # only the file goes: its opener holds the lock until the block of `workplace` ends
    (scratch / LOCK).unlink(missing_ok=True)
    for _ in range(10):
        if there():
            shutil.rmtree(scratch)
            return
        if folder.exists():
            # moved onto an empty folder, which a rename may replace
            stale = Path(
                tempfile.mkdtemp(prefix=f"{PREFIX}{folder.name}.stale.", dir=folder.parent)
            )
            with contextlib.suppress(OSError):  # the other run moved it first
                os.replace(folder, stale)
            shutil.rmtree(stale, ignore_errors=True)
        try:
            os.replace(scratch, folder)
            return
        except OSError:  # another run put its own there meanwhile: look again
            continue
    raise OSError(
        f"{folder} is replaced by another run again and again; give each run with other "
        "parameters its own --out"
    )


def described(folder: Path) -> dict[str, Any]:
    """Returns building.json of a complete building, {} where there is none."""
    path = folder / "building.json"
    if not path.exists():
        return {}
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
    return facts


def buildings(root: Path) -> dict[str, dict[str, Any]]:
    """Returns {name: building.json} of every complete building of a data set."""
    # hidden folders are still being made
    places = sorted(root.glob("[!.]*/building.json"))
    return {path.parent.name: described(path.parent) for path in places}


def replace_if_changed(path: Path, text: str) -> None:
    """Writes a file atomically, and only if its text differs: modification times are part of the
    pipeline's cache key.
    """
    if not path.exists() or path.read_text() != text:
        write_text(path, text)
