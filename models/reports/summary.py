"""What a run found, in a few lines for a terminal."""

from __future__ import annotations

from pathlib import Path

from models.reports.policy_figures import policy_figures
from models.reports.run_files import Run, load_run
from models.reports.words import mean, rate, share


def summary(folder: str | Path) -> str:
    """chosen labels, quality, gain and significance of the run below `folder`."""
    run = load_run(folder)
    answer = run.chosen
    if answer is None:
        return f"\nmeasured  {run.transfers} transfers; no policy was solved"
    figures = policy_figures(answer, run.rows)
    measured = run.evidence.get("transfers") or run.transfers
    lines = [
        "",
        f"measured  {measured} transfers among {len(run.networks)} tasks; task networks beat the "
        f"average on {share(mean_win(run))} of test samples (mean over tasks)",
        f"buy       labels of {len(answer['supervised'])} tasks: {', '.join(answer['supervised'])}",
        f"gives     all {figures.targets} targets, {answer['status']} (gap {answer['gap']:.0e}); "
        f"gain {rate(answer['gain'])} over training from scratch, "
        f"quality {rate(answer['quality'])} (0.5: as good as full supervision)",
        f"of these  {figures.transferred} by transfer: quality "
        f"{rate(figures.quality_transferred)}, from scratch {rate(figures.scratch_quality)}",
    ]
    significance = run.evidence.get("significance")
    if significance:
        lines.append(f"evidence  {significance['verdict']}")
    return "\n".join(lines)


def mean_win(run: Run) -> float | None:
    """share of held-out samples on which task networks beat the average; mean over tasks."""
    return mean(
        row["win_average"]
        for row in run.networks
        if row.get("steps") and row.get("win_average") is not None
    )
