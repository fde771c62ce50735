"""What a policy costs: labelled images and computing seconds, edge by edge; and the paper's
headline, the labels it saves at equal quality.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from models.taxonomy.affinities import Affinities
from models.taxonomy.request import check_costs
from models.taxonomy.taxonomy import Taxonomy


@dataclass(frozen=True)
class Expenses:
    """full: labelled images that supervising a task fully takes; little: that one transfer takes,
    by regime name ("" if there is one).

    network_seconds: computing time of a task's network, transfer_seconds: of one transfer; absent
    ones count as not measured.
    """

    full: float
    little: Mapping[str, float]
    network_seconds: Mapping[str, float] | None = None
    transfer_seconds: float | None = None

    def __post_init__(self) -> None:
        check_costs(
            {"full": self.full, **{f"little {name}": value for name, value in self.little.items()}},
            "number of labelled images",
        )
        if not self.little or max(self.little.values()) > self.full:
            raise ValueError(
                "transfers take fewer labelled images than full supervision; got "
                f"{dict(self.little)} against {self.full:g}"
            )


def ledger(policy: Taxonomy, expenses: Expenses) -> dict:
    """{"edges": rows of target, sources, images, seconds; "sources": rows of name, images, seconds;
    "images", "seconds" in total (None if not measured)}.

    A supervised target's labels are paid for once, as a source's.
    """
    edges = [
        {
            "target": edge.transfer.target,
            "sources": list(edge.transfer.sources),
            "images": 0.0
            if edge.transfer.control
            else float(expenses.little[edge.transfer.regime]),
            "seconds": 0.0 if edge.transfer.control else expenses.transfer_seconds,
        }
        for edge in policy.edges
    ]
    sources = [
        {
            "name": name,
            "images": float(expenses.full),
            "seconds": (expenses.network_seconds or {}).get(name),
        }
        for name in policy.supervised
    ]
    total = lambda field: (
        None
        if any(row[field] is None for row in edges + sources)
        else float(sum(row[field] for row in edges + sources))
    )
    return {
        "edges": edges,
        "sources": sources,
        "images": total("images"),
        "seconds": total("seconds"),
    }


def independent(table: Affinities, expenses: Expenses) -> tuple[np.ndarray, np.ndarray]:
    """(labelled images, mean quality), both [targets + 1]: every target learned for itself, 0, 1,
    ... of them with full labels and the others from scratch on the little data, those first that
    gain most. Quality of scratch is 1 - the supervised network's gain. Raises ValueError if that
    was not measured.
    """
    rows = [table.supervised(target) for target in table.targets]
    lacking = [
        target for target, row in zip(table.targets, rows) if row is None or row.gain is None
    ]
    if lacking:
        raise ValueError(
            f"the supervised networks of {', '.join(lacking)} were not compared with training "
            "from scratch; nothing to save against"
        )
    scratch = np.sort([1 - row.gain for row in rows])
    counts, little = np.arange(len(rows) + 1), expenses.little[min(expenses.little)]
    images = counts * expenses.full + (len(rows) - counts) * little
    quality = np.array([(0.5 * k + scratch[k:].sum()) / len(rows) for k in counts])
    return images.astype(float), quality


def headline(table: Affinities, policies: Iterable[Taxonomy], expenses: Expenses) -> list[dict]:
    """what each policy saves: rows of budget, order, quality, images, independent (images that
    learning each target for itself takes to the same mean quality, interpolated between whole
    tasks), saved (share). Policies without measured quality are left out (paper, abstract: "roughly
    2/3").
    """
    images, quality = independent(table, expenses)
    made = []
    for policy in policies:
        if policy.quality is None:
            continue
        own = ledger(policy, expenses)["images"]
        alone = float(np.interp(policy.quality, quality, images))
        made.append(
            {
                "budget": policy.budget,
                "order": policy.order,
                "quality": policy.quality,
                "images": own,
                "independent": alone,
                "saved": 1 - own / alone,
                "capped": bool(policy.quality > quality[-1]),
            }
        )
    return made
