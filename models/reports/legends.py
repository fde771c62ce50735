"""Says what the numbers in the colour legends of a task's pictures mean."""

from __future__ import annotations

from models.tasks import TASKS

CODED = " as [-1, 1]"  # how entries write that a network answers a magnitude in that range


def legend_words(name: str, note: str) -> str:
    """Returns the unit of the numbers in the pictures of task `name`. note: the unit of the
    network's answer, which is used, without its coding, for tasks that have no unit of their own
    here.
    """
    if name not in TASKS:
        return note
    entry = TASKS[name]
    if entry.make == "depth":
        return "metres"
    if entry.make == "curvature":
        return "per metre, the stronger beside the weaker; red convex, blue hollow"
    return note.replace(CODED, "")
