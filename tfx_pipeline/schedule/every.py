"""A schedule in the foreground: a tick, a pause, a tick."""

from __future__ import annotations

import re
import subprocess
import sys
import time

from tfx_pipeline.faults import RunError

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
SHORTEST = 1.0
# What a tick has to end in once it was told to, before whoever told it ends us.
# systemd ends us after half a minute
GRACE = 10.0


def seconds_of(text: str) -> float:
    """of `90s`, `30m`, `6h`, `1d`. Raises RunError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip())
    if match is None or float(match[1]) * UNITS[match[2]] < SHORTEST:
        raise RunError(
            f"--every takes a number and s, m, h or d, such as 30m or 6h, at least 1s; got {text!r}"
        )
    return float(match[1]) * UNITS[match[2]]


def repeat(arguments: list[str], every: float, ticks: int | None = None) -> int:
    """`python -m tfx_pipeline` with `arguments` every so many seconds, each tick a process of its
    own: it sees edits of the code, and takes its memory with it. A tick that takes longer is
    followed at once. ticks: so many alone (None: until we are stopped).
    """
    count = 0
    while ticks is None or count < ticks:
        count += 1
        since = time.monotonic()
        # the same interpreter, and a process of its own: it sees edited code
        process = subprocess.Popen([sys.executable, "-m", "tfx_pipeline", *arguments])
        try:
            code = process.wait()
        except BaseException:
            # it is told, not killed: it writes the history's line
            process.terminate()  # it writes the history's line
            process.wait(GRACE)
            raise
        if code:
            print(f"this tick ended with code {code}; the next one comes", file=sys.stderr)
        # the pause counts from the beginning: a tick of an hour is followed at once
        if ticks is None or count < ticks:
            time.sleep(max(0.0, every - (time.monotonic() - since)))
    return 0
