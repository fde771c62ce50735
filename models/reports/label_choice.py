"""Prepares what the page needs to choose amounts of labels: the table with all amounts, without the
edges that no choice can need.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.reports.run_files import Run
from models.taxonomy.facts import Facts
from models.taxonomy.program.offers import undominated
from models.taxonomy.program.request import Request
from models.taxonomy.transfer import Transfer

DIGITS = 10  # digits of an affinity: keep objectives equal to 1e-8 in half the bytes
MOST_ROWS = 60_000  # more do not fit the page; use `solve --amounts` instead


def label_choice(run: Run) -> Facts | None:
    """Returns {"full", "labels": regime -> number, "budget" (in labels: as many tasks in full as
    the run buys, and the largest amount for every other target), "rows": those of `amounts.json`
    that the page carries, "known": names of all tasks}. Returns None for a run with a single amount
    or without a policy, and if there are more than MOST_ROWS rows.
    """
    # a run's `affinities.json` has one amount; `amounts.json` has all
    spending: Facts = (run.evidence.get("amounts") or {}).get("spending") or {}
    rows: list[Facts] = run.amounts.get("rows", [])
    labels: dict[str, float] = spending.get("amounts", {})
    if not rows or len(labels) < 2 or not run.taxonomies:
        return None
    page_rows = list(needed(rows, labels))
    if len(page_rows) > MOST_ROWS:
        return None
    targets = {row["target"] for row in rows}
    # shares may be larger than what any transfer takes
    others = labels[spending["decides"]] if "decides" in spending else max(labels.values())
    full: float = spending["full"]
    return {
        "full": full,
        "labels": labels,
        "budget": run.default_budget * full + max(0, len(targets) - run.default_budget) * others,
        "rows": page_rows,
        "known": sorted({name for row in rows for name in [*row["sources"], row["target"]]}),
    }


def needed(rows: list[Facts], labels: Mapping[str, float]) -> Iterator[Facts]:
    """Yields the rows that some choice of roles, prices, values and budget may need: supervised
    rows, training from scratch and shares that are placed on the scale, and transfers that no
    other one dominates. A transfer is dominated by one whose sources are among its own, that takes
    no more labels and has at least its affinity.
    """
    into: dict[str, list[tuple[float, Transfer]]] = {}
    for row in rows:
        if row.get("control") is None and row["regime"] in labels:
            transfer = transfer_of(row)
            # the web variant, which the page solves, leaves a task's own encoder out
            if not transfer.own_encoder:
                into.setdefault(row["target"], []).append((row["affinity"], transfer))
    # edges into one target are priced by the same labels, so fewer labels never cost more
    request = Request(1.0, regime_cost=labels)
    frontier = {edge for edges in into.values() for _, edge in undominated(edges, request)}
    for row in rows:
        control = row.get("control")
        alone = control in ("scratch", "share")
        placed = alone and row["affinity"] > 0 and row["regime"] in labels
        if control == "supervised" or placed or (control is None and transfer_of(row) in frontier):
            yield row


def transfer_of(row: Facts) -> Transfer:
    return Transfer(tuple(row["sources"]), row["target"], row["regime"])


def amount_columns(choice: Facts, names: list[str]) -> Facts:
    """Returns the rows of a `label_choice` in columns, as `explorer/src/table.js` reads them.
    names: the list that the indices refer to.
    """
    rows, at = choice["rows"], {name: i for i, name in enumerate(names)}
    return {
        "target": [at[row["target"]] for row in rows],
        "sources": [[at[name] for name in row["sources"]] for row in rows],
        "control": [row.get("control") for row in rows],
        "regime": [row["regime"] for row in rows],
        "affinity": [float(f"{row['affinity']:.{DIGITS}g}") for row in rows],
        "quality": [row.get("quality") for row in rows],
        # also tasks without a needed row, because they can be bought all the same
        "known": [at[name] for name in choice["known"]],
    }
