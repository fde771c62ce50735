"""Looks for changes, again and again, in a thread that no error ends."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from typing import Protocol


def say(line: str) -> None:
    """Prints a line on standard error; where that is closed, nowhere."""
    with suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)


class Polled(Protocol):
    """What looks for changes when it is told to."""

    def poll(self) -> None: ...


def keep_polling(polled: Polled, seconds: float, stop: threading.Event) -> threading.Thread:
    """Starts and returns a thread that polls until `stop`, whatever a look ends in."""

    def loop() -> None:
        last = ""
        # `wait`, not `sleep`: it ends at once when the server does
        while not stop.wait(seconds):
            words = ""
            try:
                polled.poll()
            except Exception as error:  # the thread's edge: without it new versions are never seen
                first_line = next(iter(str(error).splitlines()), "")
                words = f"{type(error).__name__}: {first_line}"
            # once for an error that stays
            if words and words != last:
                say(f"a look for changes failed, the next one comes: {words}")
            last = words

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return thread
