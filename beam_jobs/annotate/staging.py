"""Where a building is made before it is shown: a hidden folder under a lock, renamed when complete;
those of dead runs are swept.
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
    """a folder of this process alone, another may work beside it; gone at the end unless `publish`
    took it. A kill leaves it, without its lock.
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
    """remove the workplaces of runs that died; their names. One whose lock is held belongs to a
    live run and stays.
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
    """move a finished building into place; where another run was first with the same one
    (`there()`), keep that. Raises OSError if runs fight over it.
    """
    # the file alone: the lock is held by whoever has it open, until the block ends
    (scratch / LOCK).unlink(missing_ok=True)
    for _ in range(10):
        if there():
            shutil.rmtree(scratch)
            return
        if folder.exists():
            # a rename takes an empty folder's place
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
    """building.json of a complete building, {} where there is none."""
    path = folder / "building.json"
    if not path.exists():
        return {}
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
    return facts


def buildings(root: Path) -> dict[str, dict[str, Any]]:
    """name -> building.json of every complete building of a data set."""
    # hidden folders are still being made
    places = sorted(root.glob("[!.]*/building.json"))
    return {path.parent.name: described(path.parent) for path in places}


def replace_if_changed(path: Path, text: str) -> None:
    """write atomically, and only what differs: times of change are part of the pipeline's cache
    key.
    """
    if not path.exists() or path.read_text() != text:
        write_text(path, text)
