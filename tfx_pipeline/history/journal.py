"""RUN/history.jsonl: a line for every run, refusal, failure, rollback and pruning, oldest first.

A line is written at once and brought to the disk. What a power cut left of one is passed over by
whoever reads, and the next line begins on a line of its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

HISTORY = "history.jsonl"
# How a run ended. Of the first two, the folder is what the run was told to make.
PUSHED, UNCHANGED = "pushed", "unchanged"
REFUSED, FAILED, STOPPED, KILLED = "refused", "failed", "stopped", "killed"
# What is no run.
ROLLBACK, PRUNED = "rollback", "pruned"
GOOD = (PUSHED, UNCHANGED)
# Fields that JSON has as lists.
LISTS = ("verdicts", "networks", "warm")
RUNS = (*GOOD, REFUSED, FAILED, STOPPED, KILLED)


@dataclass(frozen=True)
class Entry:
    """One line. number: 1 for the first of a folder. began: seconds since 1970; seconds: it took.

    outcome: one of `RUNS`, `ROLLBACK`, `PRUNED`; reason: in words, for what did not end well.
    data: place, fingerprint, hash of the examples' manifest, views, span. code: component -> digest
    of all that it runs. config: name and digest (`configurations.py` keeps the fields). beside:
    digests of sources, kept schema, released tables (`beside.py`); software: versions of packages,
    and Keras' backend. metrics:
    quality and gain in [0, 1], saved (share of labels), p and significance in words. policy:
    supervised tasks, and target -> sources, quality. version: that was pushed; serves: the newest
    one when this was written. ran: node -> seconds, of what did not come from the cache; networks:
    tasks that were trained; warm: those of them that began from a blessed network; transfers: rows
    that were measured; artifacts: NODE/OUTPUT -> folder below the run.
    """

    number: int
    began: float
    seconds: float
    outcome: str
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)
    beside: Mapping[str, str] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    verdicts: tuple[Mapping[str, Any], ...] = ()
    version: int | None = None
    serves: int | None = None
    ran: Mapping[str, float] = field(default_factory=dict)
    networks: tuple[str, ...] = ()
    warm: tuple[str, ...] = ()
    transfers: int = 0
    artifacts: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_run(self) -> bool:
        return self.outcome in RUNS

    @property
    def is_good(self) -> bool:
        return self.outcome in GOOD


def read(run: Path) -> list[Entry]:
    """Returns all whole lines in order; [] where there are none yet. Fields that this version does
    not know are passed over, and so are lines that are no entry.
    """
    try:
        # bytes: a line that a power cut left may be no text
        lines = (run / HISTORY).read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    return [entry for line in lines if (entry := parse_entry(line)) is not None]


def parse_entry(line: bytes) -> Entry | None:
    # fields of a later version are passed over, so that an older program can read on
    names = {item.name for item in fields(Entry)}
    try:
        values = {name: value for name, value in json.loads(line).items() if name in names}
        lists = {name: tuple(values[name]) for name in LISTS if name in values}
        return Entry(**{**values, **lists})
    except (ValueError, TypeError, AttributeError):
        return None


def append(run: Path, entry: Entry) -> None:
    """Appends a line; the folder's lock is the caller's. Raises OSError."""
    line = json.dumps(asdict(entry)).encode() + b"\n"
    path = run / HISTORY
    # appended in one write: a reader sees a whole line or its beginning
    with open(path, "ab") as file:
        # a power cut may have left half a line: ours begins on the next
        if file.tell() and not ends_a_line(path):
            line = b"\n" + line
        file.write(line)
        file.flush()
        # a line that was promised must survive the machine
        os.fsync(file.fileno())


def ends_a_line(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def next_number(run: Path) -> int:
    """Returns one more than the last entry's number."""
    # also of entries that are no runs: numbers name lines
    return max((entry.number for entry in read(run)), default=0) + 1
