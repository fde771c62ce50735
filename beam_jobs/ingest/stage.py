"""Where an output grows before it is shown: a folder beside its destination, under a lock, renamed
when complete; what a kill left is taken up again or swept.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from types import TracebackType
from typing import IO

from beam_jobs.ingest import storage
from models.provenance.atomic import put_in_place, recover

# Folders of a stage that only a restart needs.
SCAFFOLD = ("listed", "done", "quarantine", "flaws")
LOCK = ".lock"


class Stage:
    """`with Stage(uri) as folder`: a folder beside `uri` that takes its place when the block ends
    well, and stays for the next run when it does not.

    In an object store, which cannot rename at once, the stage is `uri` itself: readers wait for
    manifest.json, which is written last.
    """

    def __init__(self, uri: str) -> None:
        self.local = storage.is_local(uri)
        self.uri = os.path.abspath(uri) if self.local else uri
        self.folder = hidden(self.uri, "partial") if self.local else uri
        self.lock: IO[str] | None = None

    def __enter__(self) -> str:
        if self.local:
            recover(self.uri)
            os.makedirs(self.folder, exist_ok=True)
            self.lock = locked(self.folder, self.uri)
            sweep(self.folder)
        # readers wait for the manifest: without it the output is being written
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
    """the lock of a stage, held until it is closed. Raises ValueError if another run holds it."""
    lock = open(os.path.join(folder, LOCK), "w")  # noqa: SIM115  held until the end
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise ValueError(f"another ingest is writing {uri}; wait for it or end it") from error
    return lock


def worth_keeping(folder: str) -> bool:
    """does a stage hold what a restart could use, or a person would look at?"""
    return any(os.path.exists(os.path.join(folder, name)) for name in ("done", "quarantine.jsonl"))


def hidden(uri: str, kind: str) -> str:
    """a place beside `uri` that listings pass over."""
    return os.path.join(os.path.dirname(uri), f".{os.path.basename(uri)}.{kind}")


def publish(stage: str, uri: str) -> None:
    """make a finished stage visible at `uri` at once: one rename. An earlier output steps aside
    first; `recover` brings it back after a kill.
    """
    for folder in SCAFFOLD:
        shutil.rmtree(os.path.join(stage, folder), ignore_errors=True)
    sweep(stage)
    os.remove(os.path.join(stage, LOCK))
    os.makedirs(os.path.dirname(uri), exist_ok=True)
    put_in_place(stage, uri)


def sweep(stage: str) -> None:
    """remove what killed workers left half written."""
    for place, folders, files in os.walk(stage):
        for name in folders:
            if name.startswith("."):
                shutil.rmtree(os.path.join(place, name), ignore_errors=True)
        for name in files:
            if name.startswith(".") and name != LOCK:
                os.remove(os.path.join(place, name))
        # os.walk goes on into what is left of this list
        folders[:] = [name for name in folders if not name.startswith(".")]
