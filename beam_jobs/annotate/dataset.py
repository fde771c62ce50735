"""What data sets of several buildings have in common, whatever the buildings are made of: the work
is done in several processes, then splits.csv and dataset.json are written over all buildings that
are there.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from beam_jobs.annotate import fork_server, staging
from models.examples.splits import SPLITS, read_splits, split_list

# What building.json says of a building.
Facts = dict[str, Any]
Job = TypeVar("Job")
# What stands beside the buildings of a data set.
LISTS = ("splits.csv", "dataset.json")
LABELS = (".png", ".jpg", ".jpeg", ".npy", ".json", ".csv")
# Splits in the order in which few buildings fill them: without training nothing can be learned.
FILLING_ORDER = ("train", "test", "val")


@dataclass(frozen=True)
class DataSet:
    """The numbers of buildings and views that a data set holds at the end, and which labels it has,
    in words.
    """

    buildings: int
    views: int
    labels: str


# In a log, where a bar cannot be overwritten, a line is printed every half minute.
LOGGED = {
    "mininterval": 30.0,
    "maxinterval": 30.0,
    "bar_format": "{desc}: {n_fmt}/{total_fmt}, {rate_fmt}, {remaining} left\n",
}


def side_by_side(
    work: Callable[[Job], int], jobs: Sequence[Job], views: int, processes: int
) -> None:
    """Runs `work` on the jobs in order, as processes come free, and shows the progress in views.
    `work` returns how many views it made; about `views` a job are expected.
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
            # a building gives a few views more or fewer than were asked for
            expected += count - views
            bar.total = expected
            bar.update(count)


def single_threaded() -> None:
    """Prepares a worker process: OpenCV gets no threads of its own, since there is a process for
    every core, and each kernel is compiled by one process alone.
    """
    import cv2

    # Imported here: the parent compiles nothing, and numba takes half a second to import.
    from beam_jobs.annotate.compilation import compile_once

    cv2.setNumThreads(1)
    compile_once()


def check_held_out(buildings: int, held_out: int | None) -> None:
    """Raises ValueError if `held_out` is below 1 or would leave no building to train on."""
    most = (buildings - 1) // 2
    if held_out is not None and not 1 <= held_out <= most:
        raise ValueError(
            f"of {buildings} buildings at most {most} can validate and as "
            f"many test (one must train); got {held_out} to hold out"
        )


def check_place(root: Path, names: Iterable[str] = ()) -> None:
    """Raises FileExistsError where `root` holds folders or labels that `annotate` did not write: a
    list of splits over our buildings alone would replace that of somebody's own data. Hidden
    entries, and files that are no labels, are left alone. names: of buildings that are ours by
    their name, complete or not.
    """
    if not root.is_dir():
        return
    ours = {*LISTS, *names, *staging.buildings(root)}
    foreign = sorted(
        path.name
        for path in root.iterdir()
        if not path.name.startswith(".")
        and path.name not in ours
        and (path.is_dir() or path.suffix.lower() in LABELS)
    )
    if foreign:
        more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
        raise FileExistsError(
            f"{root} holds {', '.join(foreign[:3])}{more}, which annotate did not write; expected "
            "a new folder or one of its own (buildings with a building.json, splits.csv, "
            "dataset.json): choose another --out"
        )


def split_names(
    names: Sequence[str], earlier_splits: Mapping[str, str], held_out: int | None = None
) -> dict[str, str]:
    """Returns {building: split} of those `names` that are not in `earlier_splits`
    ({building: split} of earlier runs). The first validate (transfers learn there), the next test,
    until `held_out` (a sixth if None) of all `names` do each; the others train. Fewer than three
    names fill the splits that are empty, train first.
    """
    new = [name for name in names if name not in earlier_splits]
    filled = set(earlier_splits.values())
    if len(names) < 3:
        empty = [split for split in FILLING_ORDER if split not in filled]
        return dict(zip(new, empty + ["train"] * len(new)))
    count = held_out or max(1, len(names) // 6)
    here = Counter(earlier_splits[name] for name in names if name in earlier_splits)
    lacking = {split: max(0, count - here[split]) for split in ("val", "test")}
    # one must train
    room = max(0, len(new) - ("train" not in filled))
    while sum(lacking.values()) > room:
        lacking[max(lacking, key=lacking.__getitem__)] -= 1
    order = ["val"] * lacking["val"] + ["test"] * lacking["test"] + ["train"] * len(new)
    return dict(zip(new, order))


def conclude(
    root: Path,
    names: Sequence[str],
    stale: Callable[[Facts], bool],
    held_out: int | None = None,
) -> None:
    """Writes splits.csv and dataset.json over the buildings of this run and those of earlier runs,
    except earlier ones for which `stale` (given their building.json) is true. A building that
    stands in splits.csv keeps its split, made again or not: what was learned from it must not be
    tested on it later. Says on standard error where this leaves other splits than were asked for.
    """
    buildings = staging.buildings(root)
    lasting_splits = {
        name: split
        for name, split in earlier_splits(root).items()
        if name in buildings and (name in names or not stale(buildings[name]))
    }
    splits = {**lasting_splits, **split_names(names, lasting_splits, held_out)}
    difference = otherwise_than_asked(names, lasting_splits, splits, held_out)
    if difference:
        print(difference, file=sys.stderr)
    staging.replace_if_changed(root / "splits.csv", split_list(splits))
    facts = description(splits, buildings)
    staging.replace_if_changed(root / "dataset.json", json.dumps(facts, indent=1))


def otherwise_than_asked(
    names: Sequence[str],
    earlier_splits: Mapping[str, str],
    splits: Mapping[str, str],
    held_out: int | None,
) -> str:
    """Returns a text that says how kept splits differ from what was asked for, and what to do; ""
    where all is as asked for.
    """
    old = [name for name in names if name in earlier_splits]
    counts = Counter(splits[name] for name in names)
    missed = held_out is not None and {counts["val"], counts["test"]} != {held_out}
    empty = [split for split in SPLITS if split not in splits.values()]
    if not old or len(names) < 3 or not (missed or empty):
        return ""
    request = f", where {held_out} and {held_out} were asked for" if missed else ""
    nobody = f" (none in {' and '.join(empty)}: ingest will refuse the set)" if empty else ""
    return (
        f"splits.csv: {len(old)} of {len(names)} buildings keep the split of an earlier run, so "
        f"{counts['val']} validate and {counts['test']} test{request}{nobody}; to draw all anew, "
        "remove splits.csv (what was trained before must not be compared then), or choose another "
        "--out"
    )


def earlier_splits(root: Path) -> dict[str, str]:
    """Returns {building: split} as an earlier run wrote it, {} if there was none."""
    path = root / "splits.csv"
    return read_splits(path) if path.exists() else {}


def description(splits: Mapping[str, str], buildings: Mapping[str, Facts]) -> Facts:
    """Returns the content of dataset.json: what was made, and how. absent: folders that no building
    has; absent_by_building: for each building that lacks any, the folders that it lacks.
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
    """Returns what the buildings are made of: "meshes", "procedural" or "procedural and meshes"."""
    meshes = sum("mesh" in facts for facts in buildings)
    if meshes == len(buildings):
        return "meshes"
    return "procedural and meshes" if meshes else "procedural"


def views_of(root: Path, names: Sequence[str]) -> int:
    """Returns how many views the buildings have together."""
    return sum(int(staging.described(root / name)["views"]) for name in names)
