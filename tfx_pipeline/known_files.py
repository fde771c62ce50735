"""The list of files that were read before, and of what was read in them: followed, and written, in
the order of a walk, a line at a time. It is never in memory as a whole.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

from models.provenance.atomic import atomic_file

# What a file must keep for its digest to be believed: [size, time of its content, time of its
# inode, inode, SHA-256].
Facts = list[int | str]
# Characters of a line that are read at most: a name has 4,096 bytes, and JSON six for some of them.
LONGEST = 1 << 16


class KnownFiles:
    """As a context, the facts of the files of a list, which is written anew when the block ends
    well, if anything in it has changed.

    The list has a line of JSON a file, [name below the root, *facts], in the order of
    `visible_folders`. Files are asked for in that order (`before`), and noted in the same order,
    perhaps later (`note`). A list that is not there, or cannot be read or written, costs time
    alone. path: None for no list.
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = path
        self.lines = lines_of(path)
        self.ahead = next(self.lines, None)
        # Is what was asked for so far what the first lines list? How many of these there are.
        self.alike = True
        self.same = 0
        # Files that were noted.
        self.noted = 0
        # The list that is written, None as long as nothing differs from the one that is there.
        self.file: IO[str] | None = None
        self.writing = contextlib.ExitStack()
        # Why it could not be written.
        self.failure: OSError | None = None

    def before(self, name: str) -> Facts | None:
        """Returns the facts that the list has of the next file, None for one that it lacks."""
        # names are alike nearly always: only those that are not are compared part by part
        if self.ahead is not None and self.ahead[0] != name:
            self.alike = False
            while self.ahead is not None and order(self.ahead[0]) < order(name):
                self.ahead = next(self.lines, None)
        if self.ahead is None or self.ahead[0] != name:
            self.alike = False
            return None
        facts = self.ahead[1]
        self.ahead = next(self.lines, None)
        self.same += self.alike
        return facts

    def note(self, name: str, facts: Facts, before: Facts | None) -> None:
        """Notes the facts of the next file. before: what was known of it, the same object if it was
        not read again.
        """
        if self.file is None and (self.noted >= self.same or facts is not before):
            self._begin()
        self.noted += 1
        if self.file is not None and self.failure is None:
            with self._failing_alone():
                self.file.write(json.dumps([name, *facts]) + "\n")

    def _begin(self) -> None:
        """Begins the new list with what it has in common with the one that is there."""
        if self.path is None or self.failure is not None:
            return
        with self._failing_alone():
            self.file = self.writing.enter_context(atomic_file(self.path))
            if self.noted:
                with open(self.path, encoding="utf-8") as older:
                    self.file.writelines(itertools.islice(older, self.noted))

    @contextlib.contextmanager
    def _failing_alone(self) -> Iterator[None]:
        """As a context, keeps an error of writing to itself: who needs the folder says so."""
        try:
            yield
        except OSError as error:
            self.failure = error

    def __enter__(self) -> KnownFiles:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # what the list has beyond the last file is of files that are gone
        if error is None and self.file is None and self.ahead is not None:
            self._begin()
        self.lines.close()
        error = error or self.failure
        # nothing takes the list's place after an error
        with contextlib.suppress(OSError):
            self.writing.__exit__(type(error) if error else None, error, trace)


def order(name: str) -> tuple[list[str], str]:
    """Returns what sorts names of files as they are walked: a folder's own files come before those
    of the folders in it.
    """
    *folders, file = name.split("/")
    return folders, file


def lines_of(path: str | Path | None) -> Generator[tuple[str, Facts], None, None]:
    """Yields (name, facts) of each line of a list, up to one that cannot be read."""
    if path is None:
        return
    with contextlib.suppress(OSError, ValueError), open(path, encoding="utf-8") as file:
        # a line of a list of earlier code, which has one line, may be longer than memory
        while line := file.readline(LONGEST):
            match json.loads(line):
                case [str(name), *facts] if facts:
                    yield name, facts
                case _:
                    return
