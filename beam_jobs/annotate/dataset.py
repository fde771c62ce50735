"""A data set of several buildings, whatever they are made of: work side by side, then splits.csv
and dataset.json over all that are there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from beam_jobs.annotate import fork_server, staging
from models.examples.splits import read_splits, split_list

# What building.json says of a building.
Facts = dict[str, Any]
Job = TypeVar("Job")
# Buildings that are few train first: nothing can be learned without them.
FILLING_ORDER = ("train", "test", "val")


@dataclass(frozen=True)
class DataSet:
    """What is there at the end. labels: in words."""

    buildings: int
    views: int
    labels: str


# In a log, where a bar cannot be drawn over: a line every half minute.
LOGGED = {
    "mininterval": 30.0,
    "maxinterval": 30.0,
    "bar_format": "{desc}: {n_fmt}/{total_fmt}, {rate_fmt}, {remaining} left\n",
}


def side_by_side(
    work: Callable[[Job], int], jobs: Sequence[Job], views: int, processes: int
) -> None:
    """do the jobs in order, as processes come free, with progress in views (`work` returns how many
    it made; about `views` are expected).
    """
    from tqdm import tqdm

    if not jobs:
        return
    context = fork_server.begin(work.__module__)
    fork_server.await_server(context)
    expected = len(jobs) * views
    style: dict[str, Any] = {} if sys.stderr.isatty() else LOGGED
    with (
        context.Pool(min(processes, len(jobs)), initializer=single_threaded) as pool,
        tqdm(total=expected, desc="views", unit="view", file=sys.stderr, **style) as bar,
    ):
        for count in pool.imap_unordered(work, jobs):
            # buildings yield a few views more or fewer than were asked for
            expected += count - views
            bar.total = expected
            bar.update(count)


def single_threaded() -> None:
    """a process a core: OpenCV without threads of its own, and a kernel compiled by one of them."""
    import cv2

    # Here and not above: the parent compiles nothing, and numba takes half a second to import.
    from beam_jobs.annotate.compilation import compile_once

    cv2.setNumThreads(1)
    compile_once()


def check_held_out(buildings: int, held_out: int | None) -> None:
    """Raises ValueError if no building would be left to train on."""
    most = (buildings - 1) // 2
    if held_out is not None and not 1 <= held_out <= most:
        raise ValueError(
            f"of {buildings} buildings at most {most} can validate and as "
            f"many test (one must train); got {held_out} to hold out"
        )


def split_names(
    names: Sequence[str], filled: AbstractSet[str] = frozenset(), held_out: int | None = None
) -> dict[str, str]:
    """building -> split: the first `held_out` (a sixth if None) validate (transfers learn there),
    as many test; fewer than three train first, and fill the splits that are empty.
    """
    if len(names) < 3:
        empty = [split for split in FILLING_ORDER if split not in filled]
        return dict(zip(names, empty + ["train"] * len(names)))
    count = held_out or max(1, len(names) // 6)
    order = ["val"] * count + ["test"] * count + ["train"] * len(names)
    return dict(zip(names, order))


def conclude(
    root: Path,
    names: Sequence[str],
    stale: Callable[[Facts], bool],
    held_out: int | None = None,
) -> None:
    """write splits.csv and dataset.json over the buildings of this run and those of earlier ones,
    but for those that are `stale` (building.json) now.
    """
    buildings = staging.buildings(root)
    earlier = {
        name: split
        for name, split in earlier_splits(root).items()
        if name in buildings and name not in names and not stale(buildings[name])
    }
    splits = {**earlier, **split_names(names, set(earlier.values()), held_out)}
    staging.replace_if_changed(root / "splits.csv", split_list(splits))
    facts = description(splits, buildings)
    staging.replace_if_changed(root / "dataset.json", json.dumps(facts, indent=1))


def earlier_splits(root: Path) -> dict[str, str]:
    """building -> split of an earlier run."""
    path = root / "splits.csv"
    return read_splits(path) if path.exists() else {}


def description(splits: Mapping[str, str], buildings: Mapping[str, Facts]) -> Facts:
    """dataset.json: what was made, and how. absent: folders that no building has;
    absent_by_building: those that some lack, with the buildings.
    """
    absent = {name: set(buildings[name].get("absent", ())) for name in splits}
    parameters = [
        {key: value for key, value in buildings[name].items() if key != "views"} for name in splits
    ]
    return {
        "name": kind_of_set([buildings[name] for name in splits]),
        "depth_units_per_metre": 512,
        "absent": sorted(set.intersection(*absent.values())),
        "absent_by_building": {
            name: sorted(folders) for name, folders in absent.items() if folders
        },
        "splits": dict(splits),
        "views": sum(buildings[name]["views"] for name in splits),
        "parameters": parameters,
    }


def kind_of_set(buildings: Sequence[Facts]) -> str:
    """what the buildings are made of."""
    meshes = sum("mesh" in facts for facts in buildings)
    if meshes == len(buildings):
        return "meshes"
    return "procedural and meshes" if meshes else "procedural"


def views_of(root: Path, names: Sequence[str]) -> int:
    """how many views the buildings have together."""
    return sum(int(staging.described(root / name)["views"]) for name in names)
