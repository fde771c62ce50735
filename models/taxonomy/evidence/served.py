"""The policy as it is served: its edges are judged by the exported networks and compared with the
transfers that were measured in their place.

A policy is chosen by transfers that one learner trained for all targets; an exported edge is the
better of two learners on held-out buildings, and its maps may be smoothed too. The served policy is
judged on the test images that chose it; the policies of half of the images (`crossfit.py`) say how
much of the number comes from that choice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.tasks.arrays import Floats
from models.taxonomy.affinities import Affinities, Row
from models.taxonomy.evidence.crossfit import average_of, judged, means_of, split_of
from models.taxonomy.evidence.expenses import Expenses, ledger, saving
from models.taxonomy.facts import Facts
from models.taxonomy.program.answers import answer
from models.taxonomy.program.request import Request
from models.taxonomy.program.taxonomy import Edge, Taxonomy
from models.taxonomy.tournament.losses import TransferLosses
from models.taxonomy.tournament.measurement import Stores, stores_of
from models.taxonomy.tournament.tournament import win_rate
from models.taxonomy.transfer import Transfer

# Says whether an image is among those that judge.
Chosen = Callable[[str], bool]


@dataclass(frozen=True)
class ServedLosses:
    """Losses of the exported edges. losses: exported edge -> its losses [image] in the order of
    `stores`, which hold the losses of the targets' controls on the same test images.
    """

    losses: Mapping[Transfer, Floats]
    stores: Stores

    def measured(self, target: str) -> TransferLosses:
        """Returns what was measured for a target. Raises LookupError for one that no store has."""
        for store in stores_of(self.stores):
            if target in store.targets():
                return store.read(target)
        raise LookupError(f"no store of losses has the target {target}; measure transfers into it")

    def first_half(self) -> Chosen:
        """Returns a function that says whether an image is in the first half, as `crossfit.halves`
        cuts them.
        """
        stores = stores_of(self.stores)
        return split_of({name: store.images(name) for store in stores for name in store.targets()})


def as_served(
    table: Affinities, served_losses: ServedLosses, chosen: Chosen | None = None
) -> Affinities:
    """Returns `table` with gain, quality and mean loss of the exported edges in place of the
    measured ones, without intervals. Affinities and all other rows stay as measured. chosen:
    accepts the images that judge; all if None.
    """
    rows = {
        edge: row_as_served(table.of[edge], served_losses, chosen) for edge in served_losses.losses
    }
    return replace(table, rows=tuple(rows.get(row.transfer, row) for row in table.rows))


def row_as_served(row: Row, served_losses: ServedLosses, chosen: Chosen | None) -> Row:
    """Returns one row of `as_served`. Raises ValueError if the edge has losses on other than the
    test images.
    """
    edge = row.transfer
    measured, own = served_losses.measured(edge.target), served_losses.losses[edge]
    if own.shape != (len(measured.images),):
        raise ValueError(
            f"{edge}, as exported, has losses {own.shape}; the target was measured on "
            f"{len(measured.images)} test images; train the policy again"
        )
    among = [i for i, name in enumerate(measured.images) if chosen is None or chosen(name)]

    def rate(control: str, regime: str) -> float | None:
        """Returns how often the edge beats a control, or None if that was not measured."""
        rival = Transfer((), edge.target, regime, control)
        if rival not in measured.transfers:
            return None
        against = measured.losses[measured.transfers.index(rival)]
        return float(win_rate(own[None, among], against[among])[0])

    # the supervised network is of no regime
    return Row(
        edge,
        row.affinity,
        rate("scratch", edge.regime),
        rate("supervised", ""),
        float(own[among].mean()),
    )


def served_evidence(
    table: Affinities,
    policy: Taxonomy,
    request: Request,
    expenses: Expenses,
    served_losses: ServedLosses,
    halves: Sequence[Affinities] | None,
) -> Facts:
    """Returns the scores of a policy as served and as measured.

    {"edges": rows of target, sources, and for both forms quality, gain and loss; "served",
    "measured": {numbers of `crossfit.means_of`, "saved"} of `policy`; "crossfit": the same two
    forms, as means over both halves of the test images of what the policy of one half reaches in
    the other, with "shared": the share of its transfers that the run exported, so that they could
    be judged as served. The others count as measured in both forms}. "crossfit" is None without
    halves.
    """
    exported = as_served(table, served_losses)
    return {
        "edges": [both_forms(table.of[edge], exported.of[edge]) for edge in served_losses.losses],
        "served": worth(policy, exported, expenses),
        "measured": worth(policy, table, expenses),
        "crossfit": None if halves is None else on_others(halves, request, expenses, served_losses),
    }


def both_forms(measured: Row, exported: Row) -> Facts:
    return {
        "target": measured.transfer.target,
        "sources": list(measured.transfer.sources),
        "measured": scores_of(measured),
        "served": scores_of(exported),
    }


def scores_of(row: Row) -> Facts:
    return {"quality": row.quality, "gain": row.gain, "loss": row.mean_loss}


def worth(policy: Taxonomy, table: Affinities, expenses: Expenses) -> Facts:
    """Returns the means of a policy's scores in a table, and the share of labels that it saves
    (`saving`).
    """
    edges = judged(policy, table)
    return {**means_of(edges), "saved": saved(policy, edges, table, expenses)}


def saved(
    policy: Taxonomy, edges: Sequence[Edge], table: Affinities, expenses: Expenses
) -> float | None:
    """Returns the share of labels that a policy saves, or None if a quality was not measured or
    learning each target for itself costs nothing.
    """
    if any(edge.quality is None for edge in edges):
        return None
    row = saving(table, expenses, edges, ledger(policy, expenses)["images"])
    return None if row is None else float(row["saved"])


def on_others(
    halves: Sequence[Affinities], request: Request, expenses: Expenses, served_losses: ServedLosses
) -> Facts:
    """Returns "crossfit" of `served_evidence`."""
    in_first = served_losses.first_half()

    def in_second(name: str) -> bool:
        return not in_first(name)

    policies = [answer(table, request) for table in halves]
    exported = [
        as_served(table, served_losses, side) for table, side in zip(halves, (in_first, in_second))
    ]
    # each half chooses for the other
    forms = {
        form: [worth(one, tables[1 - i], expenses) for i, one in enumerate(policies)]
        for form, tables in (("served", exported), ("measured", halves))
    }
    edges = [edge.transfer for one in policies for edge in one.by("transferred")]
    return {
        **{form: average_of(parts) for form, parts in forms.items()},
        "shared": float(np.mean([edge in served_losses.losses for edge in edges]))
        if edges
        else None,
    }
