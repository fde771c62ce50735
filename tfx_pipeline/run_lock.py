"""One writer a run folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from tfx_pipeline.faults import HeldError, RunError


@contextlib.contextmanager
def lock_run(run: Path) -> Iterator[None]:
    """Context in which nobody else writes below `run`. Raises HeldError where another pipeline
    does, instead of waiting on SQLite, and RunError where the folder cannot be written.
    """
    try:
        # not "w": a second run must not empty the first one's file
        run.mkdir(parents=True, exist_ok=True)
        # beside the folder's content, and never removed: a lock on a file that is gone holds nobody
        # off
        file = open(run / ".lock", "a+")  # noqa: SIM115  lives as long as the lock
    except OSError as error:
        raise RunError(
            f"cannot write to {run}: {error.strerror}; choose another folder with --run DIR"
        ) from error
    with file:
        try:
            # of the open file: the system lets it go however the process ends
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise HeldError(
                f"another run (process {file.read().strip() or 'unknown'}) holds {run}; wait "
                "for it to end or use --run OTHER_DIR"
            ) from None
        # for whoever is held off: which process to look at
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield
