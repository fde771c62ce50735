"""States what work on one task depends on in the dictionary: its own entry, and nothing of the
others.
"""

from __future__ import annotations

from models.tasks.task import Task

# as `models.provenance.closure` spells names, not imports: this package may not import networks
DICTIONARY = "models.tasks.dictionary:TASKS"
KINDS = "models.tasks.kinds:KINDS"
BY_KIND = "models.tasks.kinds:by_kind"
MAKERS = "models.tasks.targets:MAKERS"
LOSSES = "models.networks.losses.losses:LOSSES"


def settings_of(task: Task) -> tuple[object, ...]:
    """Returns the values whose fields work on a task reads (`models.provenance.address`)."""
    return (task, task.output.facts)


def rows_of(task: Task) -> dict[str, tuple[str, ...]]:
    """Returns table -> rows that work on a task looks up; the dictionary's and the kinds' own rows
    are among its settings.
    """
    kind = task.output.kind
    return {
        DICTIONARY: (),
        KINDS: (),
        BY_KIND: (kind,) if task.trained else (),
        MAKERS: (task.make,) if task.trained else (),
        LOSSES: (task.loss,) if task.trained else (),
    }
