"""What TFX's cache cannot see: whether the content of a data folder has changed.

Data copied to another place, or linked from there, are the same data: names and contents count,
times do not. Times tell which files need not be read again, by a list that is kept beside the run's
other work.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from models.provenance.atomic import write_json
from models.provenance.visible import visible_folders

# Below a run's folder, the list of what was read.
KNOWN = "work/fingerprint.json"
# Files that are read at a time: hashing frees Python's lock.
READERS = 4
# Seconds, more than file systems' times are apart (a few milliseconds).
TICK = 0.02
# What a file must keep for its digest to be believed: [size, time of its content, time of its
# inode, inode, SHA-256].
Known = dict[str, list[int | str]]


def folder_fingerprint(root: str, known: str | Path | None = None) -> str:
    """Returns 16 hex digits over names and contents of all files below `root`.

    root: a folder, or a pattern with {SPAN} of which the newest counts. known: file with the
    digests of files that were read before, which is written anew; None reads all of them. Raises
    FileNotFoundError for a folder that is missing or holds no file, and, with its name, for a file
    that vanishes while it is read.
    """
    root = folder_of(root)
    before = read_known(known)
    paths = dict(files_below(root))
    with ThreadPoolExecutor(READERS) as pool:
        # in the order of the names, whichever is read first
        found = pool.map(file_facts, paths.values(), [before.get(p) for p in paths.values()])
        rows = dict(zip(paths, found))
    if not rows:
        raise no_data_error(root)
    now = {paths[name]: row for name, row in rows.items()}
    # written only where something is new: a tick of a schedule finds nothing nearly always
    if known is not None and now != before:
        with contextlib.suppress(OSError):  # it only saves time; who needs the folder says so
            write_json(known, now)
    digest = hashlib.sha256()
    for name, row in rows.items():
        # a zero byte, which no name holds, between name and digest: no two folders read alike
        digest.update(f"{name}\0{row[-1]}\n".encode())
    return digest.hexdigest()[:16]


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


def read_known(known: str | Path | None) -> Mapping[str, list[int | str]]:
    """Returns path -> facts of the files that were read before; {} for a list that is not there, or
    cannot be read: it only saves time.
    """
    try:
        found: Known = json.loads(Path(known).read_text()) if known is not None else {}
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}


def file_facts(path: str, before: list[int | str] | None) -> list[int | str]:
    """Returns the facts of a file (`Known`); it is read only if its size, times or place are not
    those of `before`.
    """
    state = os.stat(path)
    # Programs set the time of content (`cp -p`, `tar x`), and a freed inode is given out again: the
    # inode's own time alone is the system's.
    facts: list[int | str] = [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]
    if before is not None and before[:-1] == facts:
        return before
    # times go in ticks: what is written later must not have the time that is noted now
    if abs(time.time_ns() - state.st_ctime_ns) < TICK * 1e9:
        time.sleep(TICK)
    with open(path, "rb") as file:
        return [*facts, hashlib.file_digest(file, "sha256").hexdigest()]
