"""What the page needs to choose amounts of labels: the table with all of them, without the edges
that no choice can need.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.reports.run_files import Facts, Run
from models.taxonomy.program.offers import undominated
from models.taxonomy.program.request import Request
from models.taxonomy.transfer import Transfer

DIGITS = 10  # of an affinity: objectives stay equal to 1e-8, in half the bytes
MOST_ROWS = 60_000  # beyond, the page has no room, and `solve --amounts` answers


def label_choice(run: Run) -> Facts | None:
    """{"full", "labels": regime -> number, "budget" (labels: so many tasks in full as the run buys,
    and the largest amount for every other target), "rows": those of `amounts.json` that travel};
    None for a run with a single amount, or without a policy.
    """
    # `affinities.json` of a run has one amount; all of them have a file of their own
    spending: Facts = (run.evidence.get("amounts") or {}).get("spending") or {}
    rows: list[Facts] = run.amounts.get("rows", [])
    labels: dict[str, float] = spending.get("amounts", {})
    if not rows or len(labels) < 2 or not run.taxonomies:
        return None
    kept = list(needed(rows, labels))
    if len(kept) > MOST_ROWS:
        return None
    targets = {row["target"] for row in rows}
    full: float = spending["full"]
    return {
        "full": full,
        "labels": labels,
        "budget": run.default_budget * full
        + max(0, len(targets) - run.default_budget) * max(labels.values()),
        "rows": kept,
        "known": sorted({name for row in rows for name in [*row["sources"], row["target"]]}),
    }


def needed(rows: list[Facts], labels: Mapping[str, float]) -> Iterator[Facts]:
    """supervised rows, training from scratch that is placed on the scale, and of transfers those
    that some roles, prices, values and budget may need: no other has sources among its own, fewer
    or as many labels, and a higher or equal affinity.
    """
    into: dict[str, list[tuple[float, Transfer]]] = {}
    for row in rows:
        if row.get("control") is None and row["regime"] in labels:
            transfer = transfer_of(row)
            # the web variant, which the page solves, leaves a task's own encoder out
            if not transfer.own_encoder:
                into.setdefault(row["target"], []).append((row["affinity"], transfer))
    # prices are of labels of one task: whatever they are, fewer labels are never dearer
    request = Request(1.0, regime_cost=labels)
    kept = {edge for edges in into.values() for _, edge in undominated(edges, request)}
    for row in rows:
        control = row.get("control")
        placed = control == "scratch" and row["affinity"] > 0 and row["regime"] in labels
        if control == "supervised" or placed or (control is None and transfer_of(row) in kept):
            yield row


def transfer_of(row: Facts) -> Transfer:
    return Transfer(tuple(row["sources"]), row["target"], row["regime"])


def amount_columns(choice: Facts, names: list[str]) -> Facts:
    """the rows of a `label_choice` as `explorer/src/table.js` reads them; names: as many as the
    indices count.
    """
    rows, at = choice["rows"], {name: i for i, name in enumerate(names)}
    return {
        "target": [at[row["target"]] for row in rows],
        "sources": [[at[name] for name in row["sources"]] for row in rows],
        "control": [row.get("control") for row in rows],
        "regime": [row["regime"] for row in rows],
        "affinity": [float(f"{row['affinity']:.{DIGITS}g}") for row in rows],
        "quality": [row.get("quality") for row in rows],
        # tasks of which no row is needed can be bought all the same
        "known": [at[name] for name in choice["known"]],
    }
