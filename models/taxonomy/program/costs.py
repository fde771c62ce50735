"""Presets of label costs: "equal", every task the same (the paper), and "derived", where a label
that an algorithm makes from the picture costs nothing. The list and the reasons stand with the
tasks.
"""

from __future__ import annotations

from collections.abc import Iterable

from models.tasks import TASKS

PRESETS = ("equal", "derived")


def without_labels(names: Iterable[str]) -> frozenset[str]:
    """those of the names, ours or as in the released files, whose networks learn nothing: there is
    no label to buy. A program's budget of tasks counts them as published, one each; labels are not
    counted for them.
    """
    bare = [entry for entry in TASKS.values() if not entry.trained]
    return frozenset(names) & {name for entry in bare for name in (entry.name, entry.published)}


def derivations(names: Iterable[str]) -> dict[str, str]:
    """name -> how an algorithm makes its label from the picture; names as ours or as in the
    released files, those that cost something left out.
    """
    # both spellings: released files name tasks otherwise
    by_published = {entry.published: entry for entry in TASKS.values()}
    entries = {name: TASKS.get(name) or by_published.get(name) for name in names}
    return {
        name: entry.derivation
        for name, entry in entries.items()
        if entry is not None and entry.derivation
    }


def free_tasks(preset: str, names: Iterable[str]) -> frozenset[str]:
    """the tasks among `names` whose labels cost nothing under a preset. Raises ValueError for an
    unknown one.
    """
    if preset not in PRESETS:
        raise ValueError(f"a preset of costs is one of {', '.join(PRESETS)}; got {preset!r}")
    return frozenset(derivations(names)) if preset == "derived" else frozenset()


def outside(names: Iterable[str]) -> frozenset[str]:
    """those of the names that no task has, ours or as in the released files: encoders from outside,
    which need no labels here.
    """
    # ours and the released spellings: neither is from outside
    tasks = {*TASKS, *(entry.published for entry in TASKS.values())}
    return frozenset(names) - tasks
