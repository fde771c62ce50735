"""What a policy costs: labelled images and computing seconds, edge by edge; and the paper's
headline, the labels that it saves at equal quality.
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
    """Labels and seconds that supervision and transfers take.

    full: labelled images that supervising a task fully takes. little: labelled images that one
    transfer takes, by regime name ("" if there is one). network_seconds: computing time of each
    task's network. transfer_seconds: computing time of one transfer. scratch_seconds: computing
    time of one network from scratch. Absent times count as not measured. free: tasks whose labels
    cost nothing.
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
        # otherwise transfers could not save any labels
        if not self.little or max(self.little.values()) > self.full:
            raise ValueError(
                "transfers take fewer labelled images than full supervision; got "
                f"{dict(self.little)} against {self.full:g}"
            )

    def images_of(self, name: str) -> float:
        """Returns the labelled images that supervising a task takes."""
        return 0.0 if name in self.free or without_labels([name]) else float(self.full)

    def edge_images(self, edge: Edge) -> float:
        """Returns the labelled images that an edge takes; 0 for a supervised target, whose images
        are counted once, with the sources.
        """
        # labels that an algorithm makes cost nothing in any amount
        if edge.way == "supervised" or edge.transfer.target in self.free:
            return 0.0
        # by the amount of data that the edge was measured with
        return float(self.little[edge.transfer.regime])

    def edge_seconds(self, edge: Edge) -> float | None:
        seconds = {"supervised": 0.0, "scratch": self.scratch_seconds}
        return seconds.get(edge.way, self.transfer_seconds)


def ledger(policy: Taxonomy, expenses: Expenses) -> Facts:
    """Returns what each part of a policy costs: {"edges": rows of target, sources, control, images,
    seconds; "sources": rows of name, images, seconds; "images", "seconds" in total (None if one was
    not measured)}.
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
    """Returns the sum of the values, or None if one was not measured."""
    # a sum that leaves out missing values would be too small
    measured = [value for value in values if value is not None]
    return float(sum(measured)) if len(measured) == len(values) else None


def independent(
    table: Affinities, expenses: Expenses, targets: Iterable[str] | None = None
) -> tuple[Floats, Floats]:
    """Returns (labelled images, mean quality), both [up to targets + 1], of learning every target
    for itself: entry k gives k targets full labels and trains the others from scratch on the few
    labels of a transfer. Targets that gain most get full labels first. Quality of scratch is 1 -
    the supervised network's gain. targets: all of the table if None. Raises ValueError if the gain
    was not measured.

    Targets whose labels are free are learned with all of them. A target that learns better from
    scratch than with all labels (as this table judges) stays from scratch, so the curve ends where
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
    # the targets that gain most by full labels first, so that the comparison is with the best
    # spending
    paid = np.sort([scratch[name] for name in names if name not in expenses.free]).astype(float)
    counts = np.arange((paid < 0.5).sum() + 1)
    # of the first regime, because the supervised row is of that one (`measurement.on_one_scale`)
    little = expenses.little[min(expenses.little)]
    images = counts * expenses.full + (len(paid) - counts) * little
    # free targets have all their labels in any case, and so quality 0.5
    free = 0.5 * (len(names) - len(paid))
    sums = [free + 0.5 * count + paid[count:].sum() for count in counts]
    return images.astype(float), np.array(sums) / len(names)


def scratch_quality(table: Affinities, target: str) -> float | None:
    """Returns the share of test images on which training from scratch beats the supervised network,
    or None if it was not measured.
    """
    own = table.supervised(target)
    return None if own is None or own.gain is None else 1 - own.gain


def headline(table: Affinities, policies: Iterable[Taxonomy], expenses: Expenses) -> list[Facts]:
    """Returns what each policy saves: rows of budget, order, quality, images, independent (images
    that learning each target for itself takes to reach the same mean quality, interpolated between
    whole tasks), saved (share), capped. Policies without measured quality are left out (paper,
    abstract: "roughly 2/3").

    "not_bought": the same without the targets that are supervised, which cost and are worth the
    same on both sides; None if all are supervised.
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
    """Returns the `saving` of the targets that are not supervised, or None if there are none. The
    labels of supervised targets are not counted, even if they are sources too; those of source-only
    tasks are counted in full.
    """
    reached = [edge for edge in policy.edges if edge.way != "supervised"]
    if not reached:
        return None
    # the labels of supervised targets are bought on both sides
    own = sum(expenses.images_of(edge.transfer.target) for edge in policy.by("supervised"))
    row = saving(table, expenses, reached, images - own)
    return None if row is None else {"targets": len(reached), **row}


def saving(
    table: Affinities, expenses: Expenses, edges: Sequence[Edge], images: float
) -> Facts | None:
    """Returns {"quality", "images", "independent", "saved", "capped": whether the quality is above
    what full supervision of every target reaches}, or None if learning each target for itself costs
    nothing.
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
