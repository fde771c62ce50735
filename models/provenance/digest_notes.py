"""Notes of what was derived from the sources: a process that starts on sources for which there are
notes parses none of them. Deriving the digests of all stages takes four seconds of a core.

Notes are a cache like bytecode, in a `__pycache__` of this repository. They are found by the
content of all sources, not by times of change as bytecode is: an address that is wrong once stays
in a ledger. Where nobody may write, every process derives for itself.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from models.provenance import sources

# Below the repository: where a test has put a copy of it, the copy has its own.
FOLDER = Path("models", "provenance")
# States of the sources whose notes are kept; the oldest go first.
STATES = 8
# (path, time of change, size) of files
Stamp = tuple[tuple[str, int, int], ...]


def noted(question: Any, derive: Callable[[], Any]) -> Any:
    """Returns the answer to a question about the sources as they are now: as it was noted, by this
    process or an earlier one, else what `derive` returns.

    question: whatever the answer depends on beside the sources. Both are values as JSON knows them.
    """
    stamp = _stamp()
    notes = _notes(sources.REPOSITORY, stamp)
    text = json.dumps(question, sort_keys=True)
    if text not in notes.answers:
        answer = notes.answers[text] = derive()
        # an edit meanwhile: the answer may be of other sources than the note would say
        if _stamp() == stamp:
            notes.write(text, answer)
    return notes.answers[text]


class Notes:
    """The notes of one state of the sources. place: their file; None where there is none to be."""

    def __init__(self, place: Path | None) -> None:
        self.place = place
        self.answers: dict[str, Any] = {}
        if place is not None and place.exists():
            self.answers.update(_rows(place.read_bytes()))

    def write(self, question: str, answer: Any) -> None:
        """Adds a row to the file, in one piece: several processes write."""
        if self.place is None:
            return
        row = json.dumps([question, answer]).encode()
        # a folder that nobody may write: no notes
        with suppress(OSError):
            if not self.place.exists():
                _make_room(self.place)
            with open(self.place, "ab", buffering=0) as file:
                file.write(_checksum(row) + b" " + row + b"\n")


def _rows(content: bytes) -> Iterator[tuple[str, Any]]:
    """Yields (question, answer) of the rows that are whole."""
    for line in content.splitlines():
        checksum, _, row = line.partition(b" ")
        if checksum == _checksum(row):
            question, answer = json.loads(row)
            yield question, answer


def _checksum(row: bytes) -> bytes:
    return hashlib.sha256(row).hexdigest()[:16].encode()


def _make_room(place: Path) -> None:
    """Makes the folder of a new file of notes, and removes the oldest files beside it."""
    place.parent.mkdir(exist_ok=True)
    others = sorted(place.parent.glob("notes-*.jsonl"), key=os.path.getmtime)
    for old in others[: max(0, len(others) - STATES + 1)]:
        old.unlink(missing_ok=True)


def _stamp() -> Stamp:
    """Returns the stamp of all sources and of BUILD, which declares their data files."""
    build = sources.REPOSITORY / "BUILD"
    if not build.exists():
        return sources.stamp()
    state = build.stat()
    return (*sources.stamp(), (str(build), state.st_mtime_ns, state.st_size))


@functools.lru_cache(maxsize=2)
def _notes(repository: Path, stamp: Stamp) -> Notes:
    """Returns the notes of sources of this stamp."""
    folder = repository / FOLDER
    if not folder.is_dir():
        return Notes(None)
    return Notes(folder / "__pycache__" / f"notes-{_state(repository, stamp)}.jsonl")


def _state(repository: Path, stamp: Stamp) -> str:
    """Returns 32 hex digits of the content of all sources, of this Python, whose words for a syntax
    tree are its own, and of the code that derives.
    """
    state = hashlib.sha256(f"{sys.version} {_deriving()}".encode())
    for place, _, _ in stamp:
        content = Path(place).read_bytes()
        state.update(f"{os.path.relpath(place, repository)} {len(content)} ".encode())
        state.update(content)
    return state.hexdigest()[:32]


@functools.cache
def _deriving() -> str:
    """Returns a digest of this package as it is when it is first asked: the code that runs, also
    where it derives from a copy of the repository, or was edited since.
    """
    own = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in own)).hexdigest()


def forget() -> None:
    """Lets this process read its notes again."""
    _notes.cache_clear()
