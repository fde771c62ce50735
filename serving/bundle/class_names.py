"""Names the classes of a task as its entry says: by a few names, or by a vocabulary of many.

Vocabularies are text files, a class a line in the order of the logits: ImageNet's 1000, and the
indoor classes of Places365 with their number there. Another task's may stand beside them.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

from models.tasks import task

VOCABULARIES = Path(__file__).parent / "vocabularies"
NUMBER = re.compile(r"^\d+ ")  # a class's number in the vocabulary that the file is a part of


def class_names(name: str) -> tuple[str, ...]:
    """Returns a name for every class of task `name`, in the order of its channels; () for tasks
    without classes that a person could name. Raises KeyError for an unknown task.
    """
    entry = task(name)
    if not entry.output.facts.classes:
        return ()
    return vocabulary(entry.vocabulary) if entry.vocabulary else entry.names


@functools.cache
def vocabulary(file: str) -> tuple[str, ...]:
    """Returns the names that a file of `vocabularies/` lists. Raises FileNotFoundError, which names
    the files that there are.
    """
    path = VOCABULARIES / file
    if not path.exists():
        there = ", ".join(sorted(other.name for other in VOCABULARIES.iterdir()))
        raise FileNotFoundError(f"no vocabulary {file!r} in {VOCABULARIES}; there are {there}")
    # the number in the published vocabulary is not part of the name; with a byte order mark or
    # without
    return tuple(NUMBER.sub("", line) for line in path.read_text("utf-8-sig").splitlines())


def channel_names(name: str) -> tuple[str, ...]:
    """Returns the names of the classes, or of the numbers, of an answer: "class 7" where nobody
    named them.
    """
    entry = task(name)
    names = class_names(name) or entry.names
    return names or tuple(f"class {i}" for i in range(entry.output.channels))
