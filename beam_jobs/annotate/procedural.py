"""Makes procedural buildings in the published layout, every label of every view exact.

A building that is complete (its `building.json` names the same parameters) is kept, so that a
killed run resumes and a second run is instant.
"""

from __future__ import annotations

import contextlib
import json
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from beam_jobs.annotate import fork_server, staging
from beam_jobs.annotate.building_job import BuildingJob, Part
from beam_jobs.annotate.dataset import (
    DataSet,
    check_held_out,
    check_place,
    conclude,
    side_by_side,
    views_of,
)

if TYPE_CHECKING:
    from beam_jobs.annotate.view_labels import Sights
    from beam_jobs.scenes.cameras.shot import Shot

NOTES = ".part"  # what a part of a building saw, until all parts are there
# The module that makes views, with numba and the ray caster: it takes half a second of a core to
# load, in the server that workers are forked from. A process that only hands out work needs none.
VIEWS = "beam_jobs.annotate.procedural_views"


def annotate_buildings(
    root: Path,
    *,
    buildings: int,
    views: int,
    size: int,
    seed: int,
    processes: int = 1,
    held_out: int | None = None,
) -> DataSet:
    """Writes `buildings` procedural buildings below `root` and returns what is there at the end.

    views: of each building, at least 3. size: at least 32 pixels. held_out: buildings that
    validate, and as many that test (a sixth each if None). Raises ValueError for numbers that make
    no data set, OSError if `root` cannot be written.
    """
    if buildings < 3 or views < 3 or size < 32:
        raise ValueError(
            "a data set needs at least 3 buildings (one a split), 3 views each and 32 "
            f"pixels; got {buildings}, {views}, {size}"
        )
    check_held_out(buildings, held_out)
    jobs = [BuildingJob(root, building_number(seed, i), views, size) for i in range(buildings)]
    check_place(root, (job.name for job in jobs))
    root.mkdir(parents=True, exist_ok=True)
    staging.sweep(root)
    make([job for job in jobs if not job.complete()], processes)
    names = [job.name for job in jobs]
    conclude(root, names, lambda facts: "mesh" not in facts, held_out)
    return DataSet(buildings, views_of(root, names), "all labels")


def make(missing: list[BuildingJob], processes: int) -> None:
    """Makes the missing buildings as processes come free; those that are left over at the end are
    made by several processes each.
    """
    if not missing:
        return
    fork_server.begin(VIEWS)
    shared = left_over(len(missing), processes)
    if shared:
        # `finish` needs the module in this process too; the server loads it at the same time
        with fork_server.ctrl_c_waits():
            import beam_jobs.annotate.procedural_views  # noqa: F401
    whole = missing[: len(missing) - shared]
    last = missing[len(missing) - shared :]
    with contextlib.ExitStack() as stack:
        folders = [stack.enter_context(staging.workplace(job.root, job.name)) for job in last]
        parts = [
            Part(job, folder, first, processes // shared)
            for job, folder in zip(last, folders)
            for first in range(processes // shared)
        ]
        tasks: list[BuildingJob | Part] = [*whole, *parts]
        side_by_side(annotate_task, tasks, missing[0].views, processes)
        for job, folder in zip(last, folders):
            finish(job, folder, *joined(folder))


def building_number(seed: int, i: int) -> int:
    """Returns the seed of the i-th building of a data set. Different (seed, i) give different
    numbers as long as seeds are below 100,000, so that no two such data sets share a building.
    """
    # the first thousand fill the three digits below the seed, further ones go above all seeds
    return seed * 1000 + i % 1000 + i // 1000 * 10**8


def left_over(count: int, processes: int) -> int:
    """Returns how many of `count` buildings, at the end, would keep some processes busy while
    others have nothing to do; the views of these are shared out over the processes instead.
    """
    rest = count % processes
    return rest if rest and processes // rest > 1 else 0


def annotate_task(task: Part | BuildingJob) -> int:
    """Makes a building or a part of one and returns the number of views written."""
    return annotate_part(task) if isinstance(task, Part) else annotate_building(task)


def annotate_building(job: BuildingJob) -> int:
    """Makes one building in a hidden folder that is renamed when complete, and returns the number
    of its views.
    """
    from beam_jobs.annotate.procedural_views import write_views

    with staging.workplace(job.root, job.name) as scratch:
        cameras, sights = write_views(job, scratch)
        finish(job, scratch, cameras, sights)
    return len(cameras)


def annotate_part(part: Part) -> int:
    """Writes the views of the part, and notes for `joined` on what they see, and returns how many
    views it wrote.
    """
    from beam_jobs.annotate.procedural_views import write_views

    cameras, sights = write_views(part.job, part.folder, part.first, part.of)
    (part.folder / f"{NOTES}{part.first}").write_bytes(pickle.dumps((cameras, sights)))
    return len(range(part.first, len(cameras), part.of))


def joined(folder: Path) -> tuple[list[Shot], Sights]:
    """Returns (shots, sights) of all parts in `folder`, in the order in which one process would
    have found them, and removes the parts' notes.
    """
    notes = sorted(folder.glob(f"{NOTES}*"))
    parts = [pickle.loads(path.read_bytes()) for path in notes]
    for path in notes:
        path.unlink()
    # every part knows all shots
    return parts[-1][0], merged(sights for _, sights in parts)


def merged(parts: Iterable[Sights]) -> Sights:
    """Returns the sights of all parts together; the views of each point are sorted by point and
    view.
    """
    together: Sights = {}
    for sights in parts:
        for point, views in sights.items():
            together.setdefault(point, []).extend(views)
    for views in together.values():
        views.sort(key=lambda view: (view[0].point, view[0].view))
    return together


def finish(job: BuildingJob, scratch: Path, cameras: list[Shot], sights: Sights) -> None:
    """Writes the matches and building.json, the last files of a building, and moves the building
    into place.
    """
    from beam_jobs.annotate.view_labels import write_matches

    write_matches(scratch, sights, cameras)
    facts = {**job.parameters(), "views": len(cameras)}
    (scratch / "building.json").write_text(json.dumps(facts))
    staging.publish(scratch, job.folder, job.complete)
