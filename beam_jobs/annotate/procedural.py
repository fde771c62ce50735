"""Makes a data set in the published layout: every label of every view, exact, of procedural
buildings or of buildings in mesh files.

A building that is complete (its `building.json` names the same parameters) is kept, so a killed run
resumes and a second run is instant.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import pickle
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from beam_jobs.annotate import staging

# Version of the generator: raise it when the same seed gives other pixels.
GENERATOR = 8
PART = ".part"


@dataclass(frozen=True)
class Part:
    """Every `of`-th view of a building, from the `first`-th on, for one process to write into
    `folder`; `job` as of `annotate_building`.
    """

    job: tuple[Path, int, int, int]
    folder: Path
    first: int
    of: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--buildings", type=int, default=12)
    parser.add_argument(
        "--views", type=int, default=40, help="views a building (whole points, so slightly more)"
    )
    parser.add_argument("--size", type=int, default=128, help="side of the images in pixels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--held-out",
        type=int,
        help="buildings that validate, and as many that test (default: a sixth each); the "
        "others train",
    )
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="buildings at a time"
    )
    meshes = parser.add_argument_group("buildings from mesh files instead of procedural ones")
    meshes.add_argument(
        "--mesh",
        type=Path,
        action="append",
        default=[],
        help="GLB, glTF, OBJ or PLY file of a building; again for more",
    )
    meshes.add_argument(
        "--labels",
        type=Path,
        action="append",
        default=[],
        help=".npy with a class id (0 to 17) a triangle; one for each --mesh, in order",
    )
    meshes.add_argument(
        "--units-per-metre", type=float, default=1.0, help="1000 for a file in millimetres"
    )
    meshes.add_argument(
        "--up",
        choices=("y", "z"),
        help="axis that points upwards in the files (default: y for GLB and glTF, z for OBJ "
        "and PLY)",
    )


def run(options: argparse.Namespace) -> int:
    amount = {
        "views": options.views,
        "size": options.size,
        "seed": options.seed,
        "processes": options.processes,
        "held_out": options.held_out,
    }
    if options.mesh:
        from beam_jobs.annotate.meshes import annotate_meshes

        made = annotate_meshes(
            options.out,
            options.mesh,
            labels=options.labels,
            units_per_metre=options.units_per_metre,
            up=options.up,
            **amount,
        )
    else:
        made = annotate_buildings(options.out, buildings=options.buildings, **amount)
    print(
        f"data set: {made['buildings']} buildings, {made['views']} views with "
        f"{made['labels']} in {options.out}",
        file=sys.stderr,
    )
    return 0


def annotate_buildings(
    root: Path,
    *,
    buildings: int,
    views: int,
    size: int,
    seed: int,
    processes: int = 1,
    held_out: int | None = None,
) -> dict:
    """write `buildings` procedural buildings below `root`; {"buildings", "labels", "views"} that
    are there at the end.

    views: a building, at least 3. size: at least 32 pixels. held_out: buildings that validate, and
    as many that test (a sixth each if None). Raises ValueError for numbers that make no data set,
    OSError if `root` cannot be written.
    """
    if buildings < 3 or views < 3 or size < 32:
        raise ValueError(
            "a data set needs at least 3 buildings (one a split), 3 views each and 32 "
            f"pixels; got {buildings}, {views}, {size}"
        )
    check_held_out(buildings, held_out)
    root.mkdir(parents=True, exist_ok=True)
    staging.sweep(root)
    wanted = [(root, building_number(seed, i), views, size) for i in range(buildings)]
    missing = [job for job in wanted if not complete(*job)]
    shared = left_over(len(missing), processes)
    whole, last = missing[: len(missing) - shared], missing[len(missing) - shared :]
    with contextlib.ExitStack() as stack:
        folders = [
            stack.enter_context(staging.workplace(root, building_name(job[1]))) for job in last
        ]
        parts = [
            Part(job, folder, first, processes // shared)
            for job, folder in zip(last, folders)
            for first in range(processes // shared)
        ]
        side_by_side(annotate_task, [*whole, *parts], views, processes)
        for job, folder in zip(last, folders):
            finish(job, folder, *joined(folder))
    names = [building_name(number) for _, number, _, _ in wanted]
    conclude(root, names, lambda facts: "mesh" not in facts, held_out)
    return {
        "buildings": buildings,
        "labels": "all labels",
        "views": sum(staging.described(root / name)["views"] for name in names),
    }


def side_by_side(work: Callable[[object], int], jobs: Sequence, views: int, processes: int) -> None:
    """do the jobs in order, as processes come free, with progress in views (`work` returns how many
    it made; about `views` are expected).
    """
    from tqdm import tqdm

    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    if not jobs:
        return
    with (
        multiprocessing.get_context("spawn").Pool(
            min(processes, len(jobs)), initializer=single_threaded
        ) as pool,
        tqdm(total=len(jobs) * views, desc="views", unit="view", file=sys.stderr) as bar,
    ):
        for made in pool.imap_unordered(work, jobs):
            bar.total += made - views
            bar.update(made)


def single_threaded() -> None:
    """a process a core: threads inside libraries would only fight. (BLAS reads its variables when
    numpy is first imported: the parent sets them.)
    """
    import cv2

    cv2.setNumThreads(1)


def building_number(seed: int, i: int) -> int:
    """the seed of the i-th building of a data set: one for one, so that no two data sets of seeds
    below 100,000 share a building.
    """
    return seed * 1000 + i % 1000 + i // 1000 * 10**8


def building_name(number: int) -> str:
    return f"procedural{number:05d}"


def parameters(number: int, views: int, size: int) -> dict:
    return {"generator": GENERATOR, "seed": number, "asked": views, "size": size}


def complete(root: Path, number: int, views: int, size: int) -> bool:
    """is the building there, made with the same parameters?"""
    found = staging.described(root / building_name(number))
    return bool(found) and {
        key: value for key, value in found.items() if key != "views"
    } == parameters(number, views, size)


def left_over(count: int, processes: int) -> int:
    """how many of `count` buildings would keep some processes busy while others have nothing to do,
    and are shared out by views instead.
    """
    rest = count % processes
    return rest if rest and processes // rest > 1 else 0


def annotate_task(task: Part | tuple[Path, int, int, int]) -> int:
    """a building or a part of one; the number of views written."""
    return annotate_part(task) if isinstance(task, Part) else annotate_building(task)


def annotate_building(job: tuple[Path, int, int, int]) -> int:
    """one building into a hidden folder that is renamed when complete; the number of its views."""
    root, number, _, _ = job
    with staging.workplace(root, building_name(number)) as scratch:
        taken, sights = write_views(job, scratch)
        finish(job, scratch, taken, sights)
    return len(taken)


def annotate_part(part: Part) -> int:
    """write the views of the part, and what they see for `joined`; the number of its views."""
    taken, sights = write_views(part.job, part.folder, part.first, part.of)
    (part.folder / f"{PART}{part.first}").write_bytes(pickle.dumps((taken, sights)))
    return len(range(part.first, len(taken), part.of))


def write_views(
    job: tuple[Path, int, int, int], folder: Path, first: int = 0, of: int = 1
) -> tuple[list, dict[int, list]]:
    """write every `of`-th view of a building from the `first`-th on; (all its shots, point -> views
    of other points that see it and where).
    """
    from beam_jobs.annotate.classes import classes
    from beam_jobs.annotate.view_labels import write_view
    from beam_jobs.scenes.buildings.building import building
    from beam_jobs.scenes.cameras.procedural import shots
    from beam_jobs.scenes.render.renderer import Eye, noise

    _, number, views, size = job
    rng = np.random.default_rng([number, 7])
    eye = Eye(building(number))
    taken = shots(eye, rng, views)
    sights: dict[int, list] = {}
    for i, shot in enumerate(taken):
        if i % of != first:
            noise(rng, size)  # of a view that another process takes
            continue
        surfaces = eye.look(shot.camera, size, rng)
        write_view(folder, surfaces, shot, classes(surfaces, eye.scene, shot.room), sights, taken)
    return taken, sights


def joined(folder: Path) -> tuple[list, dict[int, list]]:
    """(shots, sights) of all parts in `folder`, whose notes are removed: in the order in which one
    process would have taken them.
    """
    sights: dict[int, list] = {}
    for path in sorted(folder.glob(f"{PART}*")):
        taken, seen = pickle.loads(path.read_bytes())
        path.unlink()
        for point, views in seen.items():
            sights.setdefault(point, []).extend(views)
    return taken, {
        point: sorted(views, key=lambda view: (view[0].point, view[0].view))
        for point, views in sights.items()
    }


def finish(
    job: tuple[Path, int, int, int], scratch: Path, taken: list, sights: dict[int, list]
) -> None:
    """what is written last of a building, before it is shown."""
    from beam_jobs.annotate.view_labels import write_matches

    root, number, views, size = job
    write_matches(scratch, sights, taken)
    (scratch / "building.json").write_text(
        json.dumps({**parameters(number, views, size), "views": len(taken)})
    )
    staging.publish(scratch, root / building_name(number), lambda: complete(*job))


def conclude(
    root: Path, names: list[str], stale: Callable[[dict], bool], held_out: int | None = None
) -> None:
    """write splits.csv and dataset.json over the buildings of this run and those of earlier ones,
    but for those that are `stale` (building.json) now.
    """
    found = staging.buildings(root)
    earlier = {
        name: split
        for name, split in read_rows(root / "splits.csv").items()
        if name in found and name not in names and not stale(found[name])
    }
    splits = {**earlier, **split_names(names, set(earlier.values()), held_out)}
    rows = ["id,train,val,test"] + [
        ",".join([name, *(str(int(split == column)) for column in ("train", "val", "test"))])
        for name, split in splits.items()
    ]
    staging.replace_if_changed(root / "splits.csv", "\n".join(rows) + "\n")
    describe(root, splits, found)


def read_rows(path: Path) -> dict[str, str]:
    """building -> split of an earlier run's splits.csv."""
    if not path.exists():
        return {}
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    return {row[0]: ("train", "val", "test")[row[1:].index("1")] for row in rows if "1" in row[1:]}


def check_held_out(buildings: int, held_out: int | None) -> None:
    """Raises ValueError if no building would be left to train on."""
    if held_out is not None and not 1 <= held_out <= (buildings - 1) // 2:
        raise ValueError(
            f"of {buildings} buildings at most {(buildings - 1) // 2} can validate and as "
            f"many test (one must train); got {held_out} to hold out"
        )


def split_names(
    names: list[str], filled: set[str] = frozenset(), held_out: int | None = None
) -> dict[str, str]:
    """building -> split: `held_out` (a sixth if None) validate (transfers learn there), as many
    test; fewer than three train first, and fill the splits that are empty.
    """
    if len(names) < 3:
        order = [split for split in ("train", "test", "val") if split not in filled] + [
            "train"
        ] * len(names)
        return dict(zip(names, order))
    held = held_out or max(1, len(names) // 6)
    return {
        name: "val" if i < held else "test" if i < 2 * held else "train"
        for i, name in enumerate(names)
    }


def describe(root: Path, splits: dict[str, str], found: dict[str, dict]) -> None:
    """dataset.json: what was made, and how. absent: folders that no building has;
    absent_by_building: those that some lack, with the buildings.
    """
    missing = {name: set(found[name].get("absent", ())) for name in splits}
    everywhere = set.intersection(*missing.values())
    meshes = sum("mesh" in found[name] for name in splits)
    facts = {
        "name": "procedural"
        if not meshes
        else "meshes"
        if meshes == len(splits)
        else "procedural and meshes",
        "depth_units_per_metre": 512,
        "absent": sorted(everywhere),
        "absent_by_building": {
            name: sorted(folders) for name, folders in missing.items() if folders
        },
        "splits": splits,
        "views": sum(found[name]["views"] for name in splits),
        "parameters": [
            {key: value for key, value in found[name].items() if key != "views"} for name in splits
        ],
    }
    staging.replace_if_changed(root / "dataset.json", json.dumps(facts, indent=1))
