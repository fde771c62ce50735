"""What ended a run, in one line that says what to do."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from models.arguments.command import UserError
from models.provenance.atomic import NO_ROOM

# Another run holds the folder: come back later (sysexits.h, EX_TEMPFAIL).
HELD = 75
# How a run that broke off ends its message.
RESUMES = " (finished work is kept; the same command resumes)"
# Name of the class that carries a worker's traceback: multiprocessing and concurrent.futures have
# one each, and the latter's is private.
REMOTE = "RemoteTraceback"


class RunError(UserError):
    """A run that could not start or finish; the message is for the person who started it."""


class HeldError(RunError):
    """Another run holds the folder."""

    code = HELD


def reason(error: BaseException) -> str:
    """Returns the deepest cause of an error in one line: frameworks wrap what matters."""
    # `raise ... from`: frameworks wrap the error that says what happened. A pool of processes gives
    # the error itself, with the text of its traceback for a cause, which is no deeper one.
    while error.__cause__ is not None and not type(error.__cause__).__name__.endswith(REMOTE):
        error = error.__cause__
    lines = str(error).strip().splitlines() or [type(error).__name__]
    # Beam passes a worker's error on as the text of its traceback
    if any(line.startswith("Traceback ") for line in lines):
        return reason_in(lines)
    return (
        lines[0]
        # errors that we, or the file system, put into words; of others the type belongs to it
        if isinstance(error, (ValueError, LookupError, OSError, RunError))
        else f"{type(error).__name__}: {lines[0]}"
    )


def reason_in(lines: list[str]) -> str:
    """Returns the last error that a worker's traceback names, which Beam passes on as text."""
    error_lines = [line for line in lines if re.match(r"[A-Za-z_][\w.]*(Error|Exception)\b", line)]
    last = (error_lines or lines)[-1].strip()
    # Beam adds the stage in which it happened
    return re.sub(r"\s*\[while running .*$", "", last)


# How a full disk reads in the words of the C library, a quota, and SQLite (under ML metadata).
FULL = re.compile(
    r"No space left on device|Disk quota exceeded|database or disk is full", re.IGNORECASE
)
# What SQLite says when it could not write its journal; a full disk is one of the reasons.
UNWRITTEN = re.compile(r"disk I/O error", re.IGNORECASE)
PATH = re.compile(r"(?<![\w.])/[^\s'\":;,)\]]+")
# Less than that is no space to write in.
NOTHING = 1 << 20


def disk_full(error: BaseException, run: Path) -> str | None:
    """Returns one line that says which folder's disk is full, where that is what `error` comes from
    (our own writes, those of ML metadata, HDF5 or Beam's workers); else None.
    """
    for each in causes(error):
        text = str(each)
        number = each.errno if isinstance(each, OSError) else None
        # SQLite's words for it are the same for other troubles: only a disk that is full makes them
        # that
        suspicious = bool(UNWRITTEN.search(text)) and free_bytes(run) < NOTHING
        if number in NO_ROOM or FULL.search(text) or suspicious:
            folder = full_folder(each, text, run)
            return (
                f"disk full: {free_bytes(folder) >> 20} MiB free at {folder}; free some"
                + (", or set TMPDIR to another disk" if folder == temporary_folder() else "")
                + (", or use --run OTHER_DIR" if folder == run.absolute() else "")
            )
    return None


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yields an error, what caused it, and what was being handled when it came."""
    ids: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop(0)
        if each is not None and id(each) not in ids:
            # causes may be a circle
            ids.add(id(each))
            yield each
            # also what was being handled: SQLite's error may hide behind the one that its caller
            # raised
            waiting += [each.__cause__, each.__context__]


def full_folder(error: BaseException, text: str, run: Path) -> Path:
    """Returns the folder that was written to: the one that the error names, or the fuller of the
    usual two.
    """
    paths = [error.filename] if isinstance(error, OSError) and error.filename else []
    for name in [*map(str, paths), *PATH.findall(text)]:
        folder = Path(name).parent
        # a path to code is where it happened, not what was written
        if folder.is_dir() and not folder.is_relative_to("/dev") and ".py" not in name:
            return folder.absolute()
    # nothing named: the fuller disk of the two that a run writes to
    return min((run.absolute(), temporary_folder()), key=free_bytes)


def temporary_folder() -> Path:
    """Returns the folder of temporary files, of Beam's and others'."""
    return Path(tempfile.gettempdir()).absolute()


def free_bytes(folder: Path) -> int:
    """Returns the free bytes on the disk of a folder, or of its nearest parent that exists."""
    # a run folder that is not there yet lies on its parent's disk
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def check_space(run: Path, needed: int = 1 << 30) -> None:
    """Raises RunError if less than `needed` bytes are free at `run`."""
    free = free_bytes(run)
    if free < needed:
        raise RunError(
            f"{free >> 20} MiB free at {os.fspath(run)}, at least {needed >> 20} MiB are needed; "
            "free some or use --run OTHER_DIR"
        )
