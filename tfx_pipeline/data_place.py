"""The data of a run: a folder, the newest folder of a pattern, or the last few of them as one."""

from __future__ import annotations

import os
import time
from pathlib import Path

from beam_jobs.ingest import spans, storage
from beam_jobs.ingest.window import last_spans, write_window
from tfx_pipeline.faults import RunError
from tfx_pipeline.fingerprint import check_there, folder_fingerprint
from tfx_pipeline.run_lock import lock_run

# Below a run's folder: the last spans as one data set.
WINDOW = "window"
# A folder that is being written to may lose a file while it is read; then it is read again.
LOOKS = 3


class NoSpan(RunError):
    """A pattern that names no folder yet."""


def data_folder(data: str, run: Path, window: int | None) -> str:
    """Returns the folder, or pattern, that the pipeline is given, without file://. window: how many
    of a pattern's last spans are read as one data set, None for the newest alone. Raises NoSpan for
    a pattern without a folder, RunError for one that cannot be meant.
    """
    data = storage.plain(data)
    if not spans.PLACEHOLDER.search(data):
        if window is not None:
            raise RunError(f"--window takes a pattern with {{SPAN}} or a day, got --data {data}")
        return data
    try:
        spans.check(data)
        if not list(spans.matches(data)):
            raise NoSpan(f"no folder is called {data} yet")
        if window is None:
            return data
        # links of a window are written below the run: nobody else may be there
        with lock_run(run):
            write_window(last_spans(data, window), run / WINDOW)
    except ValueError as error:
        raise RunError(str(error)) from error
    return str(run / WINDOW)


def check_data_there(place: str) -> None:
    """Raises FileNotFoundError where there are no data, RunError for a pattern that cannot be
    meant; no file is read.
    """
    try:
        check_there(place)
    except ValueError as error:
        raise RunError(str(error)) from error


def fingerprint_of(place: str, ledger: Path | None = None) -> str:
    """Returns the fingerprint of the data; where a file vanishes while it is read, all is read
    again. ledger: file with the digests of what was read before. Raises FileNotFoundError for no
    data, RunError where files go on vanishing.
    """
    for _ in range(LOOKS):
        try:
            return folder_fingerprint(place, ledger)
        except FileNotFoundError as error:
            # without a name no single file vanished: there are no data at all
            if error.filename is None:
                raise
            gone = error.filename
            if os.path.islink(gone):
                raise RunError(
                    f"{gone} is a link that leads nowhere (to {os.readlink(gone)}); mount or mend "
                    "what it leads to, or remove it"
                ) from error
            # whoever writes there is given a moment
            time.sleep(0.2)
        except ValueError as error:
            raise RunError(str(error)) from error
    raise RunError(f"{gone} vanished while it was read; is {place} being written to?")
