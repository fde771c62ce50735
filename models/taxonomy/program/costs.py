"""Presets of label costs. "equal": every task costs the same (the paper). "derived": labels that an
algorithm makes from the picture cost nothing. The tasks' own entries hold which labels these are
and why.
"""

from __future__ import annotations

from collections.abc import Iterable

from models.tasks import TASKS

PRESETS = ("equal", "derived")


def without_labels(names: Iterable[str]) -> frozenset[str]:
    """Returns those of the names, ours or those of the released files, whose networks learn
    nothing, so that there is no label to buy. A program's budget of tasks still counts them as one
    each, as published; counts of labels leave them out.
    """
    bare = [entry for entry in TASKS.values() if not entry.trained]
    return frozenset(names) & {name for entry in bare for name in (entry.name, entry.published)}


def derivations(names: Iterable[str]) -> dict[str, str]:
    """Returns name -> how an algorithm makes its label from the picture. Names are ours or those of
    the released files; those whose labels cost something are left out.
    """
    # released files spell the names of tasks differently
    by_published = {entry.published: entry for entry in TASKS.values()}
    entries = {name: TASKS.get(name) or by_published.get(name) for name in names}
    return {
        name: entry.derivation
        for name, entry in entries.items()
        if entry is not None and entry.derivation
    }


def free_tasks(preset: str, names: Iterable[str]) -> frozenset[str]:
    """Returns the tasks among `names` whose labels cost nothing under a preset. Raises ValueError
    for an unknown preset.
    """
    if preset not in PRESETS:
        raise ValueError(f"a preset of costs is one of {', '.join(PRESETS)}; got {preset!r}")
    return frozenset(derivations(names)) if preset == "derived" else frozenset()


def outside(names: Iterable[str]) -> frozenset[str]:
    """Returns those of the names that are no task, neither in our spelling nor in that of the
    released files: encoders from outside, which need no labels here.
    """
    tasks = {*TASKS, *(entry.published for entry in TASKS.values())}
    return frozenset(names) - tasks
