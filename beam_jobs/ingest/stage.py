"""Keeps an unfinished output in a locked folder beside its destination, which is renamed when
complete. What a killed run left there is taken up again or removed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from types import TracebackType
from typing import IO

from beam_jobs.ingest import storage
from models.examples.index import FOLDER
from models.examples.splits import SPLITS
from models.provenance.atomic import check_replaceable, put_in_place, recover

# Folders of a stage that only a restart needs.
SCAFFOLD = ("listed", "done", "quarantine", "flaws")
LOCK = ".lock"
# Files that every finished result has, and all that one may hold: anything else is not ours.
MARKS = frozenset(("manifest.json", "counts.json"))
RESULT = MARKS | {
    *(f"Split-{split}" for split in SPLITS),
    FOLDER,
    "manifest",
    "contract.json",
    "quarantine.jsonl",
    "statistics.json",
}


def check_place(root: str, uri: str) -> None:
    """Raises ValueError where a result at `uri` would lie in the data set at `root`, around it, or
    in the place of files that no ingest has written; OSError for a mount point. Call it before the
    work: a result takes its place as a whole, and what was there is gone.
    """
    data, out = real_place(root), real_place(uri)
    if is_within(data, out) or is_within(out, data):
        raise ValueError(
            f"the result's place {uri} and the data set {root} contain each other, and the result "
            "would replace data; choose a folder outside the data set"
        )
    if not storage.is_local(uri) or not os.path.lexists(out):
        return
    check_replaceable(out)
    if not os.path.isdir(out):
        raise ValueError(f"{uri} is a file, which the result would replace; choose a folder")
    others = strangers(out)
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise ValueError(
            f"{uri} holds what no ingest has written ({', '.join(others[:3])}{more}) and what the "
            "result would replace; choose a folder that is new, empty, or an earlier result"
        )


def real_place(uri: str) -> str:
    """Returns the path behind all links, or the address in a store, without a slash at its end."""
    return os.path.realpath(uri) if storage.is_local(uri) else uri.rstrip("/")


def is_within(outer: str, inner: str) -> bool:
    """Returns whether `inner` is the place `outer` or lies below it."""
    return f"{inner}/".startswith(f"{outer.rstrip('/')}/")


def strangers(folder: str) -> list[str]:
    """Returns the names in a folder that are no part of a result: all of them if the folder is no
    result.
    """
    names = sorted(os.listdir(folder))
    if not MARKS.issubset(names):
        return names
    # hidden files are a desktop's or a network drive's own
    return [name for name in names if name not in RESULT and not name.startswith(".")]


class Stage:
    """The folder of an unfinished output. `with Stage(uri) as folder` gives a folder beside `uri`
    that takes its place when the block ends well, and stays for the next run when it does not.
    Where `uri` is a link, both are beside what it leads to, and the link stays.

    In an object store, which cannot rename at once, the stage is `uri` itself: readers wait for
    manifest.json, which is written last.
    """

    def __init__(self, uri: str) -> None:
        self.local = storage.is_local(uri)
        self.uri = os.path.realpath(uri) if self.local else uri
        self.folder = hidden(self.uri, "partial") if self.local else uri
        self.lock: IO[str] | None = None

    def __enter__(self) -> str:
        if self.local:
            recover(self.uri)
            os.makedirs(self.folder, exist_ok=True)
            self.lock = locked(self.folder, self.uri)
            sweep(self.folder)
        # without its manifest, for which readers wait, the output counts as being written
        elif storage.exists(storage.join(self.uri, "manifest.json")):
            storage.remove(storage.join(self.uri, "manifest.json"))
        return self.folder

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.lock is None:
            return
        if kind is None:
            publish(self.folder, self.uri)
        elif not worth_keeping(self.folder):
            shutil.rmtree(self.folder)
        self.lock.close()


def locked(folder: str, uri: str) -> IO[str]:
    """Returns the lock of a stage, held until it is closed. Raises ValueError if another run holds
    it.
    """
    lock = open(os.path.join(folder, LOCK), "w")  # noqa: SIM115  held until the end
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise ValueError(f"another ingest is writing {uri}; wait for it or end it") from error
    return lock


def worth_keeping(folder: str) -> bool:
    """Returns whether a stage holds anything that a restart could use, or a person would
    look at.
    """
    return any(os.path.exists(os.path.join(folder, name)) for name in ("done", "quarantine.jsonl"))


def hidden(uri: str, kind: str) -> str:
    """Returns a path beside `uri` that listings skip."""
    return os.path.join(os.path.dirname(uri), f".{os.path.basename(uri)}.{kind}")


def publish(stage: str, uri: str) -> None:
    """Makes a finished stage visible at `uri` at once, by one rename. An earlier output is moved
    aside first; `recover` brings it back after a kill.
    """
    for folder in SCAFFOLD:
        shutil.rmtree(os.path.join(stage, folder), ignore_errors=True)
    sweep(stage)
    os.remove(os.path.join(stage, LOCK))
    os.makedirs(os.path.dirname(uri), exist_ok=True)
    put_in_place(stage, uri)


def sweep(stage: str) -> None:
    """Removes what killed workers left half written."""
    for place, folders, files in os.walk(stage):
        for name in folders:
            if name.startswith("."):
                shutil.rmtree(os.path.join(place, name), ignore_errors=True)
        for name in files:
            if name.startswith(".") and name != LOCK:
                os.remove(os.path.join(place, name))
        # os.walk goes on only into the folders that stay in this list
        folders[:] = [name for name in folders if not name.startswith(".")]
