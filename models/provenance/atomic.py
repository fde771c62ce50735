"""Files and folders that appear whole or not at all: written beside their place, renamed when done.

Every writer of the project uses this module: a reader never sees half a file, and an interrupted
writer leaves the old content. What is being written is called `.NAME.PID-THREAD.partial`, in the
same folder, since a rename is atomic within one file system only. Where a folder replaces another,
the old one is called `.NAME.older` between two renames; `recover` brings it back after a kill. A
mount point cannot be renamed: it is refused before anything is written.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any


def partial_path(path: str | Path) -> Path:
    """Returns where `path` is written by this thread before it is renamed to it."""
    path = Path(path)
    # workers of a job may write one thing twice, at once, and pods have the same few process ids
    writer = f"{os.getpid()}-{threading.get_ident():x}"
    # the suffix stays: numpy appends its own to a name that lacks it
    return path.with_name(f".{path.name}.{writer}.partial{path.suffix}")


NO_ROOM = (errno.ENOSPC, errno.EDQUOT)  # on the disk, or in the user's share of it
FULL = (*NO_ROOM, errno.EFBIG)  # or a file would be longer than the user's may be


@contextmanager
def naming_a_full_disk(path: Path) -> Iterator[None]:
    """As a context, adds to the error of a disk without room what was being written there."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL or error.filename is not None:
            raise
        raise OSError(
            error.errno,
            f"{os.strerror(error.errno)}: nothing is left of what was written; make room, and run "
            "again",
            str(path),
        ) from error


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """As a context, yields the place to write a file that becomes `path` when the block ends
    without an error.

    The parent folder is made. After an error the partial file is removed and `path` is untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = partial_path(path)
    try:
        with naming_a_full_disk(path):
            yield scratch
            os.replace(scratch, path)
    # BaseException: Ctrl-C too
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_file(path: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
    """As a context, yields an open file ("w" or "wb") that becomes `path` when the block ends
    without an error.
    """
    encoding = None if "b" in mode else "utf-8"
    with atomic_path(path) as scratch, open(scratch, mode, encoding=encoding) as file:
        yield file


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """As a context, yields an empty folder that takes the place of `path` (file or folder) when the
    block ends well.

    After an error the partial folder is removed and what stood at `path` is untouched. Raises
    OSError for a mount point, before the block runs.
    """
    path = Path(path)
    check_replaceable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = partial_path(path)
    # what a killed process of the same number has left
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        with naming_a_full_disk(path):
            recover(path)
            yield scratch
            put_in_place(scratch, path)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def check_replaceable(path: str | Path) -> None:
    """Raises OSError for a mount point: the system does not rename one, so no folder can take its
    place. A link to one can be replaced, as any link.
    """
    if is_mount_point(path):
        raise OSError(
            f"{path} is a mount point, whose place no folder can take; name a folder inside it, "
            f"{Path(path) / 'result'} or the like"
        )


def is_mount_point(path: str | Path) -> bool:
    """Returns whether something is mounted there, a folder of the same file system (a bind mount)
    included.
    """
    if os.path.ismount(path):
        return True
    # the standard library does not see bind mounts within one file system; Linux lists them all
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return False
    place = os.path.join(os.path.realpath(Path(path).parent), Path(path).name)
    # the fifth word of a line is the place, a blank in it written as \040
    spelling = re.sub(r"[ \t\n\\]", lambda blank: f"\\{ord(blank[0]):03o}", place)
    return any(line.split(" ")[4] == spelling for line in lines)


def older_path(path: str | Path) -> Path:
    """Returns where what stands at `path` is moved while a folder takes its place."""
    path = Path(path)
    return path.with_name(f".{path.name}.older")


def put_in_place(folder: str | Path, path: str | Path) -> None:
    """Moves `folder`, of the same file system, to `path`; what stood there (file, link or folder)
    is removed last. After a kill the old or the new one stands at `path`, or the old one at
    `older_path(path)`, from where `recover` brings it back; after an OSError the old one is back.
    """
    older = older_path(path)
    with _one_writer(path):
        _recover(path)
        # a folder is renamed onto an empty one only
        if os.path.lexists(path):
            os.replace(path, older)
        try:
            os.replace(folder, path)
        except OSError:
            _recover(path)
            raise
        _removed(older)


def recover(path: str | Path) -> None:
    """Undoes the first half of a `put_in_place` that was killed, or completes its second half."""
    if os.path.lexists(older_path(path)):
        with _one_writer(path):
            _recover(path)


def _recover(path: str | Path) -> None:
    older = older_path(path)
    if os.path.lexists(older) and not os.path.lexists(path):
        os.replace(older, path)
    _removed(older)


@contextmanager
def _one_writer(path: str | Path) -> Iterator[None]:
    """As a context, lets one process at a time change names beside `path`: workers may write one
    thing twice, at once.
    """
    handle = os.open(Path(path).parent, os.O_RDONLY)
    try:
        # on the folder itself, so that no lock file stays; some network drives have no such lock
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _removed(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Writes `text` as UTF-8, atomically."""
    with atomic_file(path) as file:
        file.write(text)


def write_json(path: str | Path, value: object, *, indent: int | None = None) -> None:
    """Writes `value` as JSON, atomically. Raises TypeError for what JSON cannot say; nothing is
    written then.
    """
    write_text(path, json.dumps(value, indent=indent))
