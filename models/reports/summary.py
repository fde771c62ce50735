"""Says in a few lines for a terminal what a run found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from models.reports.policy_figures import policy_figures
from models.reports.run_files import Run, load_run
from models.reports.words import count, mean, plural, rate, share
from models.taxonomy.program.costs import without_labels

# Ways to reach a target, in words.
WAYS = {
    "supervised": "by their labels",
    "share": "by a share of their labels",
    "transferred": "by transfer",
    "scratch": "from scratch",
}


def summary(folder: str | Path) -> str:
    """Returns the chosen labels, quality, gain and significance of the run in `folder`, as text."""
    run = load_run(folder)
    answer = run.chosen
    if answer is None:
        return f"\nmeasured  {run.transfers} transfers; no policy was solved"
    figures = policy_figures(answer, run.rows)
    lines = [
        "",
        f"measured  {transfer_words(run)} among {len(run.networks)} tasks; task networks beat the "
        f"average on {share(mean_win(run))} of test samples (mean over tasks)",
        f"buy       {buying_words(answer['supervised'])}",
        f"gives     all {figures.targets} targets, {answer['status']} (gap {answer['gap']:.0e}); "
        f"gain {rate(answer['gain'])} over training from scratch, "
        f"quality {rate(answer['quality'])} (0.5: as good as full supervision)",
        f"of these  {figures.transferred} by transfer: quality "
        f"{rate(figures.quality_transferred)}, from scratch {rate(figures.scratch_quality)}",
    ]
    lines += [*offer_lines(run), *served_lines(run), *share_lines(run)]
    significance = run.evidence.get("significance")
    if significance:
        lines.append(f"evidence  {significance['verdict']}")
    return "\n".join(lines)


def buying_words(supervised: Sequence[str]) -> str:
    """Returns in words the tasks to label and, separately, those to take that have no labels."""
    bare = without_labels(supervised)
    labelled = [name for name in supervised if name not in bare]
    words = f"labels of {plural(len(labelled), 'task')}: {', '.join(labelled) or 'none'}"
    unlabelled = ", ".join(name for name in supervised if name in bare)
    return f"{words}; take {unlabelled} too, without labels" if unlabelled else words


def transfer_words(run: Run) -> str:
    """Returns in words how many transfers were measured, and how many of them decide if
    not all do.
    """
    beside = run.all_transfers - run.transfers
    few = f" ({run.transfers} decide, {beside} learned from fewer labels)" if beside > 0 else ""
    return f"{run.all_transfers} transfers{few}"


def offer_lines(run: Run) -> list[str]:
    """Returns lines about the policy without training from scratch on offer and with it, both also
    judged on test pictures that did not choose them. Empty if the table has no networks from
    scratch.
    """
    judged = {row["scratch"]: row for row in run.evidence.get("crossfit") or []}
    lines = []
    for row in run.evidence.get("offers") or []:
        ways = row["ways"]
        reached = [f"{ways[way]['targets']} {word}" for way, word in WAYS.items() if way in ways]
        apart = judged.get(row["scratch"])
        beyond = f"; on pictures that did not choose it {rate(apart['quality'])}" if apart else ""
        offer = "with" if row["scratch"] else "without"
        lines.append(
            f"{offer:<9} networks from scratch on offer: {', '.join(reached)}; quality "
            f"{rate(row['quality'])}{beyond}"
        )
    return lines


def served_lines(run: Run) -> list[str]:
    """Returns a line about the policy as judged by the served networks; empty if they were not
    judged.
    """
    facts = run.evidence.get("served")
    if not facts:
        return []
    served, apart = facts["served"], facts["crossfit"]
    line = (
        f"as served by the {len(facts['edges'])} exported edges: quality "
        f"{rate(served['quality'])}, {share(served['saved'])} of the labels saved (as measured "
        f"{rate(facts['measured']['quality'])}, {share(facts['measured']['saved'])})"
    )
    if apart:
        line += (
            f"; on pictures that did not choose the policy {rate(apart['served']['quality'])}, "
            f"{share(apart['served']['saved'])} (as measured "
            f"{rate(apart['measured']['quality'])}, {share(apart['measured']['saved'])})"
        )
    return [line]


def share_lines(run: Run) -> list[str]:
    """Returns a line about the networks that shares of the labels taught; empty if none were
    trained.
    """
    curves = (run.evidence.get("amounts") or {}).get("curves") or {}
    rows = (curves.get("supervised") or {}).get("mean") or []
    if not rows:
        return []
    reached = [
        f"{rate(row['quality'])} ({rate(row['low'])} to {rate(row['high'])}) of "
        f"{count(row['views'])} views"
        for row in rows
    ]
    return [
        f"labels    supervised by fewer of them, mean over {plural(rows[0]['targets'], 'target')}: "
        f"quality {', '.join(reached)} (0.5: as good as all of them)"
    ]


def mean_win(run: Run) -> float | None:
    """Returns the share of held-out samples on which task networks beat the average, as a mean over
    tasks.
    """
    return mean(
        row["win_average"]
        for row in run.networks
        if row.get("steps") and row.get("win_average") is not None
    )
