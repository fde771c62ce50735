"""From a blessed bundle to the folder that the server polls, and back. The layout is TensorFlow
Serving's: NAME/VERSION/saved_model.pb.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
from pathlib import Path

SCRATCH, WITHDRAWN = re.compile(r"\.push-(\d+)-\d+"), re.compile(r"\.withdrawn-(\d+)(?:-\d+)?")


def push(bundle: str | Path, destination: str | Path) -> Path:
    """copy `bundle` beside the versions, then rename it to the next one: a poller sees all of it or
    nothing. Returns the version's folder.

    Versions are UNIX seconds, or one past the highest that was ever pushed, withdrawn ones
    included: a number never names two models. What an interrupted push left behind is removed.
    Raises OSError if the destination cannot be written, ValueError for no bundle.
    """
    bundle, destination = Path(bundle), Path(destination)
    if not (bundle / "saved_model.pb").exists():
        raise ValueError(f"no SavedModel at {bundle}")
    destination.mkdir(parents=True, exist_ok=True)
    clear_interrupted(destination)
    scratch = destination / f".push-{os.getpid()}-{time.monotonic_ns()}"
    try:
        shutil.copytree(bundle, scratch)
        flush(scratch)
        return renamed(scratch, destination)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def renamed(scratch: Path, destination: Path) -> Path:
    """`scratch` under the first free version number; another push that took it in the meantime
    moves us one on.
    """
    number = max(
        [
            int(time.time()),
            *(number + 1 for number in [*versions(destination), *withdrawn(destination)]),
        ]
    )
    while True:
        try:
            os.rename(
                scratch, destination / str(number)
            )  # refuses a folder that holds something, unlike a copy
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            number += 1
            continue
        flush_folder(destination)
        return destination / str(number)


def versions(destination: str | Path) -> list[int]:
    """the served versions, oldest first. Raises ValueError for a destination that does not exist."""
    if not Path(destination).is_dir():
        raise ValueError(
            f"no folder of versions at {destination}; `python -m serving push BUNDLE "
            f"{destination}` makes one"
        )
    return sorted(
        int(path.name)
        for path in Path(destination).iterdir()
        if path.name.isdigit() and path.is_dir()
    )


def withdrawn(destination: str | Path) -> list[int]:
    """the versions that were taken out of service, oldest first."""
    return sorted(
        int(found[1])
        for path in Path(destination).iterdir()
        if (found := WITHDRAWN.fullmatch(path.name))
    )


def rollback(destination: str | Path, to: int | None = None) -> Path:
    """take the newest version out of service, or all that are newer than `to`; returns the one that
    serves now.

    Withdrawn versions are kept under hidden names (`mv .withdrawn-N N` brings one back). Each goes
    by one rename, newest first, so that an interruption leaves a served version. Raises ValueError
    if there is none to go back to.
    """
    found = versions(destination)
    if to is None and len(found) < 2:
        raise ValueError(
            f"{destination} holds {len(found)} version(s); rolling back needs an older one to "
            "return to"
        )
    if to is not None and to not in found:
        raise ValueError(
            f"{destination} holds no version {to}; it holds {', '.join(map(str, found)) or 'none'}"
        )
    goal = found[-2] if to is None else to
    for number in reversed([number for number in found if number > goal]):
        os.rename(
            Path(destination) / str(number), free_name(Path(destination) / f".withdrawn-{number}")
        )
    flush_folder(Path(destination))
    return Path(destination) / str(goal)


def free_name(path: Path) -> Path:
    """`path`, or `path-1`, `path-2` ... if a version of this number was withdrawn before."""
    if not path.exists():
        return path
    return next(
        other
        for i in range(1, 1 << 30)
        if not (other := path.with_name(f"{path.name}-{i}")).exists()
    )


def clear_interrupted(destination: Path) -> None:
    """remove half copies of pushes whose process is gone."""
    for path in destination.iterdir():
        found = SCRATCH.fullmatch(path.name)
        if found and not Path(f"/proc/{found[1]}").exists():
            shutil.rmtree(path, ignore_errors=True)


def flush(folder: Path) -> None:
    """bring every file below `folder` to the disk: after a power cut a renamed version must not be
    hollow.
    """
    for place, _, files in os.walk(folder):
        for name in files:
            with open(os.path.join(place, name), "rb") as file:
                os.fsync(file.fileno())
        flush_folder(Path(place))


def flush_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
