"""A command of yours that is told how a run ended: mail, chat, a metric."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict

from tfx_pipeline.history.journal import Entry

PATIENCE = 60.0
STANDARD_ERROR = 2


def call_hook(command: str, entry: Entry) -> None:
    """Runs `command` by the shell with the history's line as JSON on its input, and the outcome in
    TASKONOMY_OUTCOME. What it does wrong is said, and is no failure of the run.
    """
    hook = subprocess.Popen(
        command,
        # a shell: what is written there is a person's own line
        shell=True,
        stdin=subprocess.PIPE,
        text=True,
        env={**os.environ, "TASKONOMY_OUTCOME": entry.outcome},
        stdout=STANDARD_ERROR,  # what we print is for programs that read ticks
        # a group of its own: the shell's end alone would leave what it started
        process_group=0,
    )
    try:
        hook.communicate(json.dumps(asdict(entry)), timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        kill_hook(hook)
        warn_of_hook(command, f"took longer than {PATIENCE:.0f} s and was ended")
        return
    except BaseException:
        # a terminal's Ctrl-C does not reach another group
        kill_hook(hook)
        raise
    if hook.returncode:
        warn_of_hook(command, f"ended with code {hook.returncode}")


def kill_hook(hook: subprocess.Popen[str]) -> None:
    """Kills the shell and what it started, and waits for the shell."""
    # the shell is not waited for yet, so that its number is still the group's
    with contextlib.suppress(ProcessLookupError):
        os.killpg(hook.pid, signal.SIGKILL)
    hook.wait()


def warn_of_hook(command: str, what: str) -> None:
    print(f"warning: the hook {command!r} {what}", file=sys.stderr)
