"""A command of yours that is told how a run ended: mail, chat, a metric."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict

from tfx_pipeline.history.journal import Entry

PATIENCE = 60.0
STANDARD_ERROR = 2


def call_hook(command: str, entry: Entry) -> None:
    """run `command` by the shell with the history's line as JSON on its input, and the outcome in
    TASKONOMY_OUTCOME. What it does wrong is said, and is no failure of the run.
    """
    try:
        done = subprocess.run(
            command,
            # a shell: what is written there is a person's own line
            shell=True,
            input=json.dumps(asdict(entry)),
            text=True,
            timeout=PATIENCE,
            check=False,
            env={**os.environ, "TASKONOMY_OUTCOME": entry.outcome},
            stdout=STANDARD_ERROR,  # what we print is for programs that read ticks
        )
    except subprocess.TimeoutExpired:
        complain(command, f"took longer than {PATIENCE:.0f} s and was ended")
        return
    if done.returncode:
        complain(command, f"ended with code {done.returncode}")


def complain(command: str, what: str) -> None:
    print(f"warning: the hook {command!r} {what}", file=sys.stderr)
