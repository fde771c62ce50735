"""A schedule in the foreground: a tick, a pause, a tick."""

from __future__ import annotations

import subprocess
import sys
import time

# What a tick has to end in once it was told to: systemd kills us after half a minute.
GRACE = 10.0


def repeat(arguments: list[str], every: float, ticks: int | None = None) -> int:
    """Runs `python -m tfx_pipeline` with `arguments` again and again, and returns 0.

    every: seconds from the beginning of a tick to that of the next; a tick that takes longer is
    followed at once. ticks: how many (None: until this process is stopped). Each is a process of
    its own: it sees edits of the code, and takes its memory with it.
    """
    count = 0
    while ticks is None or count < ticks:
        count += 1
        since = time.monotonic()
        process = subprocess.Popen([sys.executable, "-m", "tfx_pipeline", *arguments])
        try:
            code = process.wait()
        except BaseException:
            # told, not killed: it still writes the history's line
            process.terminate()
            process.wait(GRACE)
            raise
        if code:
            print(f"this tick ended with code {code}; the next one comes", file=sys.stderr)
        if ticks is None or count < ticks:
            time.sleep(max(0.0, every - (time.monotonic() - since)))
    return 0
