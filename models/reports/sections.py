"""Prepares what the sections below the first screen show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from models.reports.glossary import PREDICTORS
from models.reports.label_choice import label_choice
from models.reports.label_curves import budget_rows, counted_before, label_curves, next_words
from models.reports.outside_sources import outside_sources
from models.reports.run_files import Run
from models.reports.summary import mean_win
from models.reports.words import mean
from models.tasks import TASKS
from models.taxonomy.facts import Facts

# Zamir et al. 2018, supplementary material, table of task-specific networks: mean share of test
# images on which a network beats the average answer, and a readout of a random network.
PUBLISHED_SANITY = {"average": 0.924, "random": 0.909}


def sections(run: Run) -> Facts:
    """Returns section name -> what its template reads; None or empty if the run has nothing to
    show.
    """
    return {
        "baselines": run.evidence.get("baselines", []),
        "damaged_inputs": damaged_inputs(run),
        "band_left_out": band_left_out(run.evidence.get("curves") or []),
        "significance": run.evidence.get("significance") or {},
        "ledger": run.evidence.get("ledger"),
        "savings": savings(run),
        "stability": run.evidence.get("stability"),
        "crossfit": run.evidence.get("crossfit") or [],
        "served": run.evidence.get("served"),
        "cautious": run.evidence.get("cautious") or [],
        "tree": tree(run),
        "networks": network_rows(run),
        "sanity": sanity(run),
        "learning": learning_curves(run.curves),
        "diagnostics": diagnostics(run),
        "calibration": run.calibration,
        "calibrated": calibrated(run.calibration),
        "amounts": amounts(run.evidence.get("amounts")),
        "label_curves": label_curves(run.evidence.get("amounts")),
        "next_labels": next_words(run.evidence.get("amounts")),
        "label_choice": label_choice(run),
        "amount_budgets": budget_rows(run.evidence.get("amounts")),
        "amounts_counted_before": counted_before(
            run.evidence.get("amounts"), len({row["target"] for row in run.amounts.get("rows", [])})
        ),
        "predictors": predictors(run),
        "policy_networks": [row for row in run.edges if row.get("validation")],
        "dataset": dataset(run.dataset),
        "outside": outside_sources(run.evidence.get("sources"), run.chosen),
        "published": run.published,
        "seeds": run.seeds,
    }


def damaged_inputs(run: Run) -> list[str]:
    """Returns the targets whose own network gets another picture than the one that
    transfers read.
    """
    targets = dict.fromkeys(row["target"] for row in run.rows)
    return [name for name in targets if name in TASKS and TASKS[name].input != "image"]


def band_left_out(curves: list[Facts]) -> bool:
    """Returns whether the band of random policies is missing for transferred targets but not for
    all targets that are not bought.
    """
    return any(row["random_not_bought"] for row in curves) and not any(
        row["random_transferred"] for row in curves
    )


def predictors(run: Run) -> list[Facts]:
    """Returns the rows of cheap predictors, each with an explanation; "" where the name explains
    itself.
    """
    rows: list[Facts] = run.evidence.get("predictors") or []
    return [{**row, "words": PREDICTORS.get(row["predictor"], "")} for row in rows]


def savings(run: Run) -> list[Facts]:
    """Returns the rows of the savings table at the run's order."""
    rows: list[Facts] = run.evidence.get("headline", [])
    return [row for row in rows if row["order"] == run.default_order]


def tree(run: Run) -> Facts | None:
    facts: Facts = run.evidence.get("tree") or {}
    return facts if facts.get("linkage") else None


def network_rows(run: Run) -> list[Facts]:
    """Returns the trained task networks, each with its win rate over the readout of a random
    encoder, None if not measured.
    """
    random = against_random(run.rows)
    return [
        {**row, "win_random": random.get(row["task"])} for row in run.networks if row.get("steps")
    ]


def sanity(run: Run) -> Facts:
    """Returns the mean win rates of the run's task networks and of the paper's."""
    random = against_random(run.rows)
    return {
        "average": mean_win(run),
        "random": mean(random.values()),
        "published": PUBLISHED_SANITY,
    }


def against_random(rows: Iterable[Facts]) -> dict[str, float]:
    """Returns task -> share of test samples on which its own network beats the same readout of a
    random encoder. Tasks without that control are left out.
    """
    return {
        # quality is the random encoder's win rate against the task's own network
        row["target"]: 1 - row["quality"]
        for row in rows
        if row["sources"] == ["random_projection"] and row.get("quality") is not None
    }


WIDTH, HEIGHT = 140, 56  # size of a learning curve, in SVG units


def learning_curves(curves: dict[str, list[float]]) -> list[Facts]:
    """Returns task, first and last loss, and the points of a polyline for each curve. Curves
    without two points are left out.
    """
    drawn = []
    for task, losses in curves.items():
        if len(losses) < 2:
            continue
        low, high = min(losses), max(losses)
        # a loss that never changes has no span
        span = (high - low) or 1.0
        step = WIDTH / (len(losses) - 1)
        points = " ".join(
            # SVG's y runs downwards
            f"{i * step:.1f},{HEIGHT - (loss - low) / span * HEIGHT:.1f}"
            for i, loss in enumerate(losses)
        )
        drawn.append({"task": task, "first": losses[0], "last": losses[-1], "points": points})
    return drawn


def diagnostics(run: Run) -> Facts:
    facts: Facts = run.affinities.get("diagnostics", {})
    return facts


def calibrated(rows: list[Facts]) -> Facts | None:
    """Returns the means over targets of the two rank correlations, or None if they were not
    measured.
    """
    if not rows or "between_seeds" not in rows[0]:
        return None
    return {
        name: mean(row[name] for row in rows)
        for name in ("closed_against_gradient", "between_seeds")
    }


def amounts(facts: Facts | None) -> Facts | None:
    """Returns what less data costs, with columns from the smallest amount to the largest, which
    decides. Returns None if there is only one amount.
    """
    if not facts or not facts["targets"]:
        return None
    images: dict[str, float] = facts["images"]
    names = sorted(images, key=lambda name: images[name])
    rows: list[Facts] = facts["targets"]
    # the amount that decides has no name
    smaller = [name for name in names if name]
    return {
        "columns": [(name, images[name]) for name in names],
        "targets": rows,
        "quality": [mean(row["best"][name]["quality"] for row in rows) for name in names],
        "spearman": [
            (images[name], mean_known(row["spearman"][name] for row in rows)) for name in smaller
        ],
        "same": [(images[name], same_best(rows, name)) for name in smaller],
    }


def mean_known(values: Iterable[float | None]) -> float | None:
    """Returns the mean of the values that were measured."""
    return mean([value for value in values if value is not None])


def same_best(rows: list[Facts], name: str) -> int:
    """Returns the number of targets whose best source with the amount `name` is also the best with
    the amount that decides.
    """
    return sum(row["best"][name]["source"] == row["best"][""]["source"] for row in rows)


def dataset(facts: Facts) -> Facts | None:
    return {**facts, "statistics": tabular(facts.get("statistics"))} if facts else None


def tabular(statistics: Any) -> list[Facts]:
    """Returns the statistics of a data set as rows; [] for anything that is no list of rows."""
    is_table = isinstance(statistics, list) and all(isinstance(row, dict) for row in statistics)
    return statistics if is_table else []
