"""What TFX's cache cannot see: whether the content of a data folder has changed.

Data copied to another place, or linked from there, are the same data: names and contents count,
times do not. Times tell which files need not be read again, by a list that is kept beside the run's
other work.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from models.provenance.visible import visible_folders
from tfx_pipeline.known_files import Facts, KnownFiles

# Below a run's folder, the list of what was read.
KNOWN = "work/fingerprint.jsonl"
# Files that are read at a time: hashing frees Python's lock.
READERS = 4
# Files that a reader is handed at once, and how often before the first are waited for: whatever
# the number of files, few are in memory.
BATCH = 16
WAITING = 4 * READERS
# Seconds, more than file systems' times are apart (a few milliseconds).
TICK = 0.02
# A file to look at: name below the root, absolute path, what is known of it.
Asked = tuple[str, str, Facts | None]


def folder_fingerprint(root: str, ledger: str | Path | None = None) -> str:
    """Returns 16 hex digits over names and contents of all files below `root`. Held in memory are
    the names of one folder.

    root: a folder, or a pattern with {SPAN} of which the newest counts. ledger: file with the
    digests of files that were read before (`KnownFiles`), which is written anew; None reads all of
    them. Raises FileNotFoundError for a folder that is missing or holds no file, and, with its
    name, for a file that vanishes while it is read.
    """
    root = folder_of(root)
    digest, count = hashlib.sha256(), 0
    with KnownFiles(ledger) as files:
        entries = ((name, path, files.before(name)) for name, path in files_below(root))
        for (name, _, before), facts in with_facts(entries):
            # a zero byte, which no name holds, between name and digest: no two folders read alike
            digest.update(f"{name}\0{facts[-1]}\n".encode())
            files.note(name, facts, before)
            count += 1
        if not count:
            raise no_data_error(root)
    return digest.hexdigest()[:16]


def with_facts(entries: Iterable[Asked]) -> Iterator[tuple[Asked, Facts]]:
    """Yields each file with its facts, in the order that they are asked for, whichever is read
    first. Raises as `file_facts`.
    """
    waiting: deque[tuple[list[Asked], Future[list[Facts]]]] = deque()
    remaining = iter(entries)
    with ThreadPoolExecutor(READERS) as pool:
        while True:
            while len(waiting) < WAITING and (batch := list(itertools.islice(remaining, BATCH))):
                waiting.append((batch, pool.submit(facts_of, batch)))
            if not waiting:
                return
            batch, future = waiting.popleft()
            yield from zip(batch, future.result())


def facts_of(batch: list[Asked]) -> list[Facts]:
    """Returns the facts of some files. Raises as `file_facts`."""
    return [file_facts(path, before) for _, path, before in batch]


def check_there(root: str) -> None:
    """Raises FileNotFoundError as `folder_fingerprint` does; no file is read."""
    if next(files_below(folder_of(root)), None) is None:
        raise no_data_error(folder_of(root))


def folder_of(root: str) -> str:
    """Returns a folder as it is, and the newest folder of a pattern. Raises ValueError for a
    pattern without one.
    """
    if "{" not in root:
        return root
    # patterns alone need ingest's modules
    from beam_jobs.ingest.spans import PLACEHOLDER, newest

    return newest(root).root if PLACEHOLDER.search(root) else root


def no_data_error(root: str) -> FileNotFoundError:
    return FileNotFoundError(
        f"no data at {root}: expected buildings in the published layout "
        "(BUILDING/rgb/point_P_view_V_domain_rgb.png); "
        "`python -m beam_jobs annotate --out DIR` makes a procedural data set"
    )


def files_below(root: str) -> Iterator[tuple[str, str]]:
    """Yields (name below root, absolute path) of each file, in one order everywhere, through links,
    as ingest reads; hidden ones, which nothing reads and which come and go, are left out.
    """
    root = os.path.abspath(root)
    for folder, files in visible_folders(root):
        for name in files:
            path = os.path.join(folder, name)
            # names below the root: the same data elsewhere are the same
            yield os.path.relpath(path, root), path


def file_facts(path: str, before: Facts | None) -> Facts:
    """Returns the facts of a file; it is read only if its size, times or place are not
    those of `before`.
    """
    state = os.stat(path)
    # Programs set the time of content (`cp -p`, `tar x`), and a freed inode is given out again: the
    # inode's own time alone is the system's.
    facts: Facts = [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]
    if before is not None and before[:-1] == facts:
        return before
    # times go in ticks: what is written later must not have the time that is noted now
    if abs(time.time_ns() - state.st_ctime_ns) < TICK * 1e9:
        time.sleep(TICK)
    with open(path, "rb") as file:
        return [*facts, hashlib.file_digest(file, "sha256").hexdigest()]
