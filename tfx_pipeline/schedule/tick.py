"""One tick of a schedule, as cron, a systemd timer or `--every` starts it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from models.provenance.digest import digest_of
from tfx_pipeline.config import Config
from tfx_pipeline.data_place import NoSpan, data_folder, fingerprint_of
from tfx_pipeline.fingerprint import KNOWN
from tfx_pipeline.history.beside import dependency_digests
from tfx_pipeline.history.code import code_addresses
from tfx_pipeline.history.journal import read
from tfx_pipeline.local import run_pipeline
from tfx_pipeline.schedule.hook import call_hook
from tfx_pipeline.schedule.state import State, idle_reason


def tick(
    config: Config,
    data: str,
    run: Path,
    *,
    beam: Iterable[str] = (),
    window: int | None = None,
    hook: str | None = None,
    again: bool = False,
    force: str = "",
) -> int:
    """Runs the pipeline if data, code, configuration, sources, the kept schema or released tables
    are not what the newest run saw, and returns 0, also where there is nothing to do. Raises
    RunError as a run does.

    window: how many of the last spans of a pattern are one data set. hook: command that is told how
    a run ended. again: run whatever the history says. force: why gates that refuse are passed all
    the same.
    """
    try:
        place = data_folder(data, run, window)
    except NoSpan as nothing:
        print(f"{nothing}: nothing to do")
        return 0
    entries = read(run)
    if not again:
        fingerprint = fingerprint_of(place, run / KNOWN)
        # what a run would note of itself, so that both are compared by equal names
        state = State(
            fingerprint,
            code_addresses(),
            digest_of(config.to_json()),
            dependency_digests(run, config),
        )
        idle = idle_reason(state, entries, time.time())
        if idle is not None:
            print(idle)
            return 0
    # numbers of entries, not of runs: rollbacks have one, too
    last = entries[-1].number if entries else 0
    try:
        run_pipeline(config, Path(place), run, beam=beam, force=force)
    # also after a failure: that is when one wants to be told
    finally:
        # the run's own line: a killed one before it got its line in the same moment
        told = [entry for entry in read(run) if entry.number > last and entry.is_run]
        if hook and told:
            call_hook(hook, told[-1])
    return 0
