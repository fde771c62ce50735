"""Scheduled retraining on one machine: called by cron or a systemd timer, it runs the pipeline only
if the data changed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path

from tfx_pipeline.config import Config
from tfx_pipeline.fingerprint import folder_fingerprint
from tfx_pipeline.local import run_pipeline


def run_if_changed(config: Config, data: Path, run: Path, beam: Iterable[str] = ()) -> int:
    """0 if the newest successful run saw this very data and configuration, or if a new run
    succeeded; the log is run/schedule.jsonl.
    """
    log = run / "schedule.jsonl"
    state = {"data": folder_fingerprint(str(data)), "config": config.to_json()}
    last = [json.loads(line) for line in log.read_text().splitlines()][-1] if log.exists() else {}
    if {key: last.get(key) for key in state} == json.loads(json.dumps(state)):
        print(
            "unchanged since "
            f"{time.strftime('%Y-%m-%d %H:%M', time.localtime(last['time']))}: nothing to do"
        )
        return 0
    run_pipeline(config, data, run, beam=beam)
    with open(log, "a") as file:
        file.write(json.dumps({**state, "time": time.time()}) + "\n")
    return 0
