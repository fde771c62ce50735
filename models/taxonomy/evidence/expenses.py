"""What a policy costs: labelled images and computing seconds, edge by edge; and the paper's
headline, the labels it saves at equal quality.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.tasks.arrays import Floats
from models.taxonomy.affinities import Affinities
from models.taxonomy.facts import Facts
from models.taxonomy.program.costs import without_labels
from models.taxonomy.program.request import check_costs
from models.taxonomy.program.taxonomy import Edge, Taxonomy


@dataclass(frozen=True)
class Expenses:
    """full: labelled images that supervising a task fully takes; little: that one transfer takes,
    by regime name ("" if there is one). free: tasks whose labels nobody pays for.

    network_seconds: computing time of a task's network, transfer_seconds: of one transfer,
    scratch_seconds: of one network from scratch; absent ones count as not measured.
    """

    full: float
    little: Mapping[str, float]
    network_seconds: Mapping[str, float] | None = None
    transfer_seconds: float | None = None
    scratch_seconds: float | None = None
    free: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        amounts = {f"little {name}": value for name, value in self.little.items()}
        check_costs({"full": self.full, **amounts}, "number of labelled images")
        # more labels for a transfer than for full supervision would turn the question around
        if not self.little or max(self.little.values()) > self.full:
            raise ValueError(
                "transfers take fewer labelled images than full supervision; got "
                f"{dict(self.little)} against {self.full:g}"
            )

    def images_of(self, name: str) -> float:
        """labelled images that supervising a task takes."""
        return 0.0 if name in self.free or without_labels([name]) else float(self.full)

    def edge_images(self, edge: Edge) -> float:
        """those that an edge takes; a supervised target's are paid for once, as a source's."""
        # labels that an algorithm makes cost nothing in any amount
        if edge.way == "supervised" or edge.transfer.target in self.free:
            return 0.0
        # by the amount of data that the edge was measured with
        return float(self.little[edge.transfer.regime])

    def edge_seconds(self, edge: Edge) -> float | None:
        seconds = {"supervised": 0.0, "scratch": self.scratch_seconds}
        return seconds.get(edge.way, self.transfer_seconds)


def ledger(policy: Taxonomy, expenses: Expenses) -> Facts:
    """{"edges": rows of target, sources, images, seconds; "sources": rows of name, images, seconds;
    "images", "seconds" in total (None if not measured)}.
    """
    edges: list[Facts] = [
        {
            "target": edge.transfer.target,
            "sources": list(edge.transfer.sources),
            "control": edge.transfer.control,
            "images": expenses.edge_images(edge),
            "seconds": expenses.edge_seconds(edge),
        }
        for edge in policy.edges
    ]
    sources: list[Facts] = [
        {
            "name": name,
            "images": expenses.images_of(name),
            "seconds": (expenses.network_seconds or {}).get(name),
        }
        for name in policy.supervised
    ]
    return {
        "edges": edges,
        "sources": sources,
        "images": total([row["images"] for row in edges + sources]),
        "seconds": total([row["seconds"] for row in edges + sources]),
    }


def total(values: Sequence[float | None]) -> float | None:
    """None if a value was not measured."""
    # a sum with a gap would be too small
    measured = [value for value in values if value is not None]
    return float(sum(measured)) if len(measured) == len(values) else None


def independent(
    table: Affinities, expenses: Expenses, targets: Iterable[str] | None = None
) -> tuple[Floats, Floats]:
    """(labelled images, mean quality), both [targets + 1]: every target learned for itself, 0, 1,
    ... of them with full labels and the others from scratch on the little data, those first that
    gain most. Quality of scratch is 1 - the supervised network's gain. Raises ValueError if that
    was not measured. targets: all of the table if None.

    Targets whose labels are free are learned with all of them. A target that learns better from
    scratch than with all labels (by the judge of this table) is left as it is: the curve ends where
    full labels stop to gain.
    """
    names = table.targets if targets is None else list(targets)
    scratch = {name: scratch_quality(table, name) for name in names}
    lacking = [name for name, quality in scratch.items() if quality is None]
    if lacking:
        raise ValueError(
            f"the supervised networks of {', '.join(lacking)} were not compared with training "
            "from scratch; nothing to save against"
        )
    # those that gain most by full labels first: a rival that spends as well as it can
    paid = np.sort([scratch[name] for name in names if name not in expenses.free]).astype(float)
    counts = np.arange((paid < 0.5).sum() + 1)
    # the first name, as the supervised row is of the first regime (`measurement.on_one_scale`)
    little = expenses.little[min(expenses.little)]
    images = counts * expenses.full + (len(paid) - counts) * little
    # free targets have all their labels in any case: quality 0.5
    free = 0.5 * (len(names) - len(paid))
    sums = [free + 0.5 * count + paid[count:].sum() for count in counts]
    return images.astype(float), np.array(sums) / len(names)


def scratch_quality(table: Affinities, target: str) -> float | None:
    """share of test images on which training from scratch beats the supervised network."""
    own = table.supervised(target)
    return None if own is None or own.gain is None else 1 - own.gain


def headline(table: Affinities, policies: Iterable[Taxonomy], expenses: Expenses) -> list[Facts]:
    """what each policy saves: rows of budget, order, quality, images, independent (images that
    learning each target for itself takes to the same mean quality, interpolated between whole
    tasks), saved (share). Policies without measured quality are left out (paper, abstract: "roughly
    2/3").

    "not_bought": the same without the targets that are their own labels, which cost and are worth
    the same on both sides; None where all are.
    """
    rows = []
    for policy in policies:
        if policy.quality is None:
            continue
        images = ledger(policy, expenses)["images"]
        row = saving(table, expenses, policy.edges, images)
        if row is None:
            continue
        rows.append(
            {
                "budget": policy.budget,
                "order": policy.order,
                **row,
                "not_bought": saving_of_not_bought(table, expenses, policy, images),
            }
        )
    return rows


def saving_of_not_bought(
    table: Affinities, expenses: Expenses, policy: Taxonomy, images: float
) -> Facts | None:
    """`saving` of the targets that are not their own labels. Sources that are targets too have
    their labels paid by themselves; those of source-only tasks are counted in full.
    """
    reached = [edge for edge in policy.edges if edge.way != "supervised"]
    if not reached:
        return None
    # labels of targets that supervise themselves are bought on either side
    own = sum(expenses.images_of(edge.transfer.target) for edge in policy.by("supervised"))
    row = saving(table, expenses, reached, images - own)
    return None if row is None else {"targets": len(reached), **row}


def saving(
    table: Affinities, expenses: Expenses, edges: Sequence[Edge], images: float
) -> Facts | None:
    """{"quality", "images", "independent", "saved", "capped": is the quality above what full
    supervision of every target reaches}; None where learning for itself costs nothing.
    """
    quality = float(np.mean([edge.quality for edge in edges if edge.quality is not None]))
    alone_images, alone_quality = independent(
        table, expenses, [edge.transfer.target for edge in edges]
    )
    # the curve rises, as interp needs: only targets that gain by full labels are on it
    alone = float(np.interp(quality, alone_quality, alone_images))
    if alone == 0:
        return None
    return {
        "quality": quality,
        "images": images,
        "independent": alone,
        "saved": 1 - images / alone,
        "capped": bool(quality > alone_quality[-1]),
    }
