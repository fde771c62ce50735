"""The request of a run's policies: what it offers besides budget and order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from models.taxonomy.affinities import Affinities
from models.taxonomy.program.costs import free_tasks, outside


def request_fields(
    table: Affinities, *, scratch: bool, costs: str, unserved: Iterable[str] = ()
) -> dict[str, Any]:
    """Returns the fields of a run's `Request`s besides budget and order: "scratch", "free",
    "target_only".

    scratch: offer networks from scratch, if the table has any. costs: one of `costs.PRESETS`;
    sources from outside need no labels under any. unserved: sources that no policy may take.
    """
    names = {*table.sources, *table.targets}
    return {
        "scratch": scratch and table.knows_scratch,
        "free": free_tasks(costs, names) | outside(names),
        # a request refuses names that the table lacks
        "target_only": frozenset(unserved) & names,
    }
