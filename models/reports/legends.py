"""What the numbers beside the colours of a task's pictures are."""

from __future__ import annotations

from models.tasks import TASKS

CODED = " as [-1, 1]"  # how entries write that a network answers a magnitude in that range


def legend_words(name: str, note: str) -> str:
    """the unit that pictures of task `name` show, in the place of `note`, that of the network."""
    if name not in TASKS:
        return note
    entry = TASKS[name]
    if entry.make == "depth":
        return "metres"
    if entry.make == "curvature":
        return "per metre, the stronger beside the weaker; red convex, blue hollow"
    return note.replace(CODED, "")
