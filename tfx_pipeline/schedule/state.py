"""Is there anything to do? What a run would see now, against what the runs before saw."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tfx_pipeline.history.journal import FAILED, KILLED, REFUSED, Entry

# So many failures in a row are tried again at the next tick; after that, waits double.
FREE_TRIES = 2
FIRST_WAIT = 15 * 60.0
LONGEST_WAIT = 24 * 3600.0


@dataclass(frozen=True)
class State:
    """What decides what a run makes. data: its fingerprint; code: component -> digest; config: its
    digest; beside: digests of sources, kept schema and released tables (`history/beside.py`).
    """

    data: str
    code: Mapping[str, str]
    config: str
    beside: Mapping[str, str] = field(default_factory=dict)

    def seen_by(self, entry: Entry) -> bool:
        """Did that run see the same?"""
        return (
            entry.data.get("fingerprint") == self.data
            and dict(entry.code) == dict(self.code)
            and entry.config.get("digest") == self.config
            and dict(entry.beside) == dict(self.beside)
        )


def idle_reason(state: State, entries: Sequence[Entry], now: float) -> str | None:
    """Returns why nothing is to be done, in words; None if the pipeline should run.

    The newest run counts. One that ended well or was refused with the same state is not repeated;
    failures in a row wait longer and longer, never beyond LONGEST_WAIT from now. One that was
    stopped goes on at once.
    """
    # rollbacks and prunings are no runs
    runs = [entry for entry in entries if entry.is_run]
    if not runs or not state.seen_by(runs[-1]):
        return None
    # the newest run alone: an older one may have seen other data
    last = runs[-1]
    if last.is_good:
        return f"unchanged since {clock_time(last.began)}: nothing to do"
    if last.outcome == REFUSED:
        return (
            f"refused at {clock_time(last.began)}, and nothing has changed since: nothing to do "
            f"({last.reason})"
        )
    failures = failures_in_a_row(state, runs)
    # from the end of the last try; an end that is still to come is of a clock that was wrong
    ended = last.began + last.seconds
    until = ended + wait_after(failures)
    if ended <= now < until:
        return f"failed {failures} times; the next try is at {clock_time(until)} ({last.reason})"
    return None


def failures_in_a_row(state: State, runs: Sequence[Entry]) -> int:
    """Returns how many of the newest runs failed one after the other, all in this state."""
    count = 0
    for entry in reversed(runs):
        if entry.outcome not in (FAILED, KILLED) or not state.seen_by(entry):
            break
        count += 1
    return count


def wait_after(failures: int) -> float:
    """Returns the seconds to wait after so many failures in a row."""
    # a failure may be of the machine: the first ones are tried again at once
    if failures <= FREE_TRIES:
        return 0.0
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (failures - FREE_TRIES - 1))


def clock_time(when: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(when))
