"""Finds what is wrong with a data set's labels by themselves, and compared with data that were
accepted before. Limits are wide on purpose: a gate that raises false alarms is switched off. The
limits are this project's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from models.gates.check import Check
from models.gates.profile import IMAGES, Profile, array_of, splits_of
from models.tasks import TASKS
from models.tasks.arrays import Floats

# Least agreement of neighbouring pixels; that of noise is 0. The roughest label of the procedural
# rooms at 32 pixels, principal curvature, has 0.19.
NOISE = 0.08
# Most of a split's maps that may be one value everywhere.
CONSTANT = 0.9
# Fewer maps or held-out samples than this say nothing.
FEW = 8
# What a predictor's answers to pictures must reach in `z` where the label is made of the picture by
# an algorithm. The least of such labels on 40 teaching and 41 judged views was 14.3.
BELONGS = 3.0
# Where accepted labels let us expect a z of at least this, less than a share of it is refused.
EXPECTED = 5.0
KEPT_SHARE = 0.3
# A mean that moved by so many deviations of single samples, and by so many standard errors of
# buildings; without three buildings on each side by so many deviations alone.
MOVED = 0.75
ERRORS = 5.0
MOVED_ALONE = 3.0
# Shares of masked pixels and of constant maps may grow, smoothness may fall, by so much.
SHARES = {"masked": 0.25, "constant": 0.3}
ROUGHER = 0.5
SAYS = {"masked": "carry no label", "constant": "are one value everywhere"}
# What is wrong with a task, in words, and the figures behind it.
Wrong = tuple[str, dict[str, float]]


def alone(profile: Profile) -> list[Check]:
    """Returns the checks that need nothing to compare with: for each kind one that passed, or all
    that did not.
    """
    return [
        *every("labels are not noise", profile, noise, "neighbouring pixels agree"),
        *every("maps are not constant", profile, constant, f"at most {CONSTANT:.0%} are one value"),
        *of_tasks("labels belong to their pictures", profile, strangers, "as far as can be told"),
    ]


def beside(profile: Profile, accepted: Profile) -> list[Check]:
    """Returns the checks of a profile against that of the accepted data: for each kind one that
    passed, or all that did not.
    """
    missing_tasks = sorted(set(accepted) - set(profile))
    checks = [Check("tasks are still labelled", not missing_tasks, lost_tasks(missing_tasks))]

    def drifted(name: str, split: str, row: Mapping[str, Any]) -> Wrong | None:
        before = accepted.get(name, {}).get(split)
        return moved(name, row, before) if before else None

    def estranged(name: str, row: Mapping[str, Any]) -> Wrong | None:
        return less_fitting(row, accepted.get(name, {}).get("belongs"))

    return [
        *checks,
        *every("labels have not drifted", profile, drifted, "as in the accepted data"),
        *of_tasks("labels fit their pictures as before", profile, estranged, "as in accepted data"),
    ]


def lost_tasks(missing_tasks: list[str]) -> str:
    if not missing_tasks:
        return "all that were"
    return f"no labels of {', '.join(missing_tasks)} any more; their networks could not be trained"


def every(
    name: str,
    profile: Profile,
    judge: Callable[[str, str, Mapping[str, Any]], Wrong | None],
    fine: str,
) -> Iterator[Check]:
    """Yields a refused check for each task and split that `judge` finds wrong; if there is none,
    one that passed.
    """
    wrong = [
        Check(name, False, f"{task}, {split}: {fault[0]}", fault[1])
        for task in profile
        for split in splits_of(profile[task])
        if (fault := judge(task, split, profile[task][split]))
    ]
    yield from wrong or [Check(name, True, fine)]


def of_tasks(
    name: str, profile: Profile, judge: Callable[[str, Mapping[str, Any]], Wrong | None], fine: str
) -> Iterator[Check]:
    """Yields a refused check for each task whose fit of labels to pictures `judge` finds wrong; if
    there is none, one that passed.
    """
    wrong = [
        Check(name, False, f"{task}: {fault[0]}", fault[1])
        for task in profile
        if "belongs" in profile[task] and (fault := judge(task, profile[task]["belongs"]))
    ]
    yield from wrong or [Check(name, True, fine)]


def noise(task: str, split: str, row: Mapping[str, Any]) -> Wrong | None:
    smooth = row.get("smoothness")
    if smooth is None or row["samples"] < FEW or smooth >= NOISE:
        return None
    return (
        f"neighbouring pixels of its maps agree no better than by chance ({smooth:.2f}; noise has "
        f"0, at least {NOISE} is asked); are these the right files?",
        {"smoothness": smooth, "limit": NOISE},
    )


def constant(task: str, split: str, row: Mapping[str, Any]) -> Wrong | None:
    share = row.get("constant", 0.0)
    if row["samples"] < FEW or share <= CONSTANT:
        return None
    return (
        f"{share:.0%} of its maps are one value everywhere, at most {CONSTANT:.0%} are allowed; "
        "whoever made them has failed",
        {"constant": share, "limit": CONSTANT},
    )


def strangers(task: str, row: Mapping[str, Any]) -> Wrong | None:
    """Returns what is wrong if labels that an algorithm makes from the picture cannot be predicted
    from it; None otherwise.
    """
    by_algorithm = TASKS[task].derivation and TASKS[task].output.dense
    if not by_algorithm or row["samples"] < 2 * FEW or row["z"] >= BELONGS:
        return None
    return unfitting(row, BELONGS)


def less_fitting(row: Mapping[str, Any], before: Mapping[str, Any] | None) -> Wrong | None:
    if not before or row["samples"] < FEW:
        return None
    # z grows as the root of the number of samples
    expected = before["z"] * np.sqrt(row["samples"] / before["samples"])
    if expected < EXPECTED or row["z"] >= KEPT_SHARE * expected:
        return None
    return unfitting(row, expected)


def unfitting(row: Mapping[str, Any], expected: float) -> Wrong:
    words = (
        "a predictor taught on the training buildings tells a held-out picture's own label from "
        f"another's by {row['z']:.1f} deviations, {expected:.1f} were expected (error "
        f"{row['loss']:.3g}, with shuffled labels {row['shuffled']:.3g}): labels have changed "
        "places, are noise, or most pictures are copies of each other"
    )
    return words, {**row, "expected": float(expected)}


def moved(task: str, row: Mapping[str, Any], before: Mapping[str, Any]) -> Wrong | None:
    """Returns the first thing that is wrong: shares that grew, maps that got rough, means that
    moved; None if nothing is.
    """
    if min(row["samples"], before["samples"]) < FEW:
        return None
    for share, limit in SHARES.items():
        now, then = row.get(share, 0.0), before.get(share, 0.0)
        if now - then > limit:
            what = f"{now:.0%} {SAYS[share]}, {then:.0%} of the accepted data do"
            return what, {share: now, "accepted": then}
    now, then = row.get("smoothness"), before.get("smoothness")
    if now is not None and then is not None and now < ROUGHER * then:
        what = f"neighbouring pixels agree by {now:.2f}, in the accepted data by {then:.2f}"
        return what, {"smoothness": now, "accepted": then}
    return moved_mean(task, row, before)


def moved_mean(task: str, row: Mapping[str, Any], before: Mapping[str, Any]) -> Wrong | None:
    """Returns what is wrong with the channel whose mean moved most, measured in deviations of
    samples and in errors of whole buildings; None if none moved too far.
    """
    now, then = array_of(row["mean"]), array_of(before["mean"])
    if len(now) != len(then):
        return f"{len(now)} numbers a label, {len(then)} in the accepted data", {}
    spread = np.sqrt((array_of(row["deviation"]) ** 2 + array_of(before["deviation"]) ** 2) / 2)
    # In a number that hardly varies at all (a rare class) the least change would look like a drift.
    floor = 0.05 * np.nanmax(spread, initial=0) + 1e-6
    far = np.nan_to_num(np.abs(now - then) / np.maximum(spread, floor))
    error = np.sqrt(error_of(row) ** 2 + error_of(before) ** 2)
    many = min(len(row["by_building"]), len(before["by_building"])) >= 3
    if many:
        sure = np.nan_to_num(np.abs(now - then) / np.maximum(error, 1e-9))
        beyond = (far > MOVED) & (sure > ERRORS)
    else:
        beyond = far > MOVED_ALONE
    if not beyond.any():
        return None
    worst = int(np.argmax(np.where(beyond, far, 0)))
    return (
        f"mean of {number_called(task, worst)} {now[worst]:.3g}, in the accepted data "
        f"{then[worst]:.3g}: moved by {far[worst]:.1f} deviations of single samples",
        {"mean": float(now[worst]), "accepted": float(then[worst]), "moved": float(far[worst])},
    )


def error_of(row: Mapping[str, Any]) -> Floats:
    """Returns [k], the standard error of the mean with buildings as units: views of one building
    are alike.
    """
    means = np.array([array_of(each) for each in row["by_building"].values()])
    finite = np.isfinite(means)
    count = np.maximum(finite.sum(0), 1)
    middle = np.where(finite, means, 0).sum(0) / count
    spread = np.where(finite, (means - middle) ** 2, 0).sum(0) / np.maximum(count - 1, 1)
    error: Floats = np.sqrt(spread / count)
    return error


def number_called(task: str, position: int) -> str:
    """Returns a channel's name, "number N" where it has none."""
    if task == IMAGES:
        return ("red", "green", "blue")[position]
    names = TASKS[task].names
    return names[position] if position < len(names) else f"number {position}"
