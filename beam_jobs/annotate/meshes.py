"""Makes buildings from mesh files: views of every mesh with the labels that geometry and texture
allow; the labels that they do not allow are recorded as absent.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from beam_jobs.annotate import staging
from beam_jobs.annotate.axis_and_unit import Assumption, doubts, free_size
from beam_jobs.annotate.dataset import (
    DataSet,
    check_held_out,
    check_place,
    conclude,
    side_by_side,
    views_of,
)
from beam_jobs.annotate.view_labels import Sights, write_matches, write_view
from beam_jobs.scenes.cameras.scan_cameras import shots
from beam_jobs.scenes.cameras.shot import Shot
from beam_jobs.scenes.scans.mesh_file import UP, read_mesh
from beam_jobs.scenes.scans.parts import Shelf
from beam_jobs.scenes.scans.scan import Scan
from models.tasks import DOMAINS
from models.tasks.arrays import Array

# Version of what is made of a mesh: raise it when the same file and seed give other labels.
VERSION = 6
FEW_CODES = 3  # of 255: pictures that differ by no more are of one colour
# Published folders that follow from a model or a person, not from geometry and texture.
UNKNOWN = ("class_object", "class_scene")


@dataclass(frozen=True)
class MeshJob:
    """One building to make below `root` from the mesh file `path`. labels: .npy of class ids, or
    None; views: about how many; size: pixels; up: "y", "z" or None (by the kind of file).
    """

    root: Path
    path: Path
    labels: Path | None
    views: int
    size: int
    seed: int
    units_per_metre: float
    up: str | None

    @property
    def name(self) -> str:
        """The building's name, made of the file's: letters, digits, . _ and -."""
        # a leading point would hide the building; its name may have 100 characters (`listing`)
        return re.sub(r"[^A-Za-z0-9_.-]", "-", self.path.stem).lstrip("._-")[:100]

    @property
    def taken(self) -> Assumption:
        """The axis and the unit that are taken, since the file does not tell them."""
        axis = self.up or UP[self.path.suffix.lower()]
        return Assumption(axis, self.up is not None, self.units_per_metre)

    @property
    def folder(self) -> Path:
        return self.root / self.name

    def parameters(self) -> dict[str, Any]:
        """Returns the parameters that, with the files' contents, decide every pixel."""
        places = ("root", "path", "labels", "views")
        numbers = {key: value for key, value in asdict(self).items() if key not in places}
        # called "asked", since "views" in building.json is how many there are
        return {"version": VERSION, "mesh": self.path.name, "asked": self.views, **numbers}

    def complete(self) -> bool:
        """Returns whether the building is there, made with the same parameters of the same files
        (by their hashes; a texture that was missing then has to be missing now).
        """
        facts = staging.described(self.folder)
        parameters = self.parameters()
        if not facts or {key: facts.get(key) for key in parameters} != parameters:
            return False
        shelf = Shelf(self.path.parent)
        same_files = all(
            # looked up by the name as the mesh spells it, which need not be the file's own spelling
            digest_of(shelf.path(name)) == digest
            for name, digest in facts["sources"].items()
        )
        return same_files and facts["labels"] == digest_of(self.labels)


def digest_of(path: Path | None) -> str:
    """Returns the SHA-256 of a file in hex digits, "" if there is no file."""
    if path is None or not path.is_file():
        return ""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def annotate_meshes(
    root: Path,
    meshes: Sequence[Path],
    *,
    views: int,
    size: int,
    seed: int = 0,
    labels: Sequence[Path] = (),
    units_per_metre: float = 1.0,
    up: str | None = None,
    processes: int = 1,
    held_out: int | None = None,
) -> DataSet:
    """Makes a building of every mesh file below `root`, beside the buildings that are there, and
    returns what the meshes gave.

    labels: none, or one .npy of class ids for every mesh. held_out: as for `annotate_buildings`.
    Raises ValueError for a file that is no building (see `read_mesh`), or in which no camera finds
    a place; OSError if a file cannot be read or `root` not written.
    """
    marks: Sequence[Path | None] = labels or [None] * len(meshes)
    if len(marks) != len(meshes):
        raise ValueError(
            f"expected one --labels for each --mesh, got {len(labels)} for {len(meshes)}"
        )
    jobs = [
        MeshJob(root, path, mark, views, size, seed, units_per_metre, up)
        for path, mark in zip(meshes, marks)
    ]
    check_jobs(jobs)
    check_held_out(len(jobs), held_out)
    check_place(root)
    root.mkdir(parents=True, exist_ok=True)
    staging.sweep(root)
    side_by_side(annotate_mesh, [job for job in jobs if not job.complete()], views, processes)
    names = [job.name for job in jobs]
    conclude(root, names, lambda facts: False, held_out)
    absent = {folder for name in names for folder in staging.described(root / name)["absent"]}
    label_words = f"all labels but {', '.join(sorted(absent))}"
    return DataSet(len(jobs), views_of(root, names), label_words)


def check_jobs(jobs: Sequence[MeshJob]) -> None:
    """Raises ValueError for numbers that make no data set and for file names that cannot name the
    buildings, FileNotFoundError for a mesh that is not there.
    """
    first = jobs[0]
    if first.views < 3 or first.size < 32 or not 0 < first.units_per_metre < float("inf"):
        raise ValueError(
            "expected at least 3 views, 32 pixels and positive units a metre, got "
            f"{first.views}, {first.size} and {first.units_per_metre:g}"
        )
    names: dict[str, Path] = {}
    for job in jobs:
        if not job.path.is_file():
            raise FileNotFoundError(f"{job.path}: expected a mesh file, there is none")
        if not job.name or job.name in DOMAINS:
            raise ValueError(
                f"{job.path.name}: {job.name or 'nothing'!r} cannot be a building's name "
                f"(letters and digits; {', '.join(DOMAINS)} are labels); rename it"
            )
        if job.name in names:
            raise ValueError(
                f"{names[job.name]} and {job.path} would both be building {job.name}; rename one"
            )
        if job.folder.exists() and "mesh" not in staging.described(job.folder):
            raise ValueError(
                f"{job.folder} is there and was not made from a mesh; rename {job.path.name} "
                "or choose another --out"
            )
        names[job.name] = job.path


def annotate_mesh(job: MeshJob) -> int:
    """Makes one building in a hidden folder that is renamed when complete, and returns the number
    of its views.
    """
    mesh = read_mesh(job.path, units_per_metre=job.units_per_metre, up=job.up, labels=job.labels)
    for line in mesh.warnings:
        print(f"{job.path.name}: {line}", file=sys.stderr)
    scan = Scan(mesh)
    cameras, rooms = shots(scan, np.random.default_rng([job.seed, 7]), job.views)
    if not cameras:
        raise ValueError(no_place(job, scan))
    size = free_size(scan, cameras)
    x, y, height = (f"{side:.3g} m" if np.isfinite(side) else "no end" for side in size)
    print(
        f"{job.path.name}: {job.taken.words}: around cameras lie {x} by {y}, {height} high",
        file=sys.stderr,
    )
    with staging.workplace(job.root, job.name) as scratch:
        noted = doubts(scan, size, job.taken) + write_views(job, scan, cameras, scratch)
        for line in noted:
            print(f"{job.path.name}: {line}", file=sys.stderr)
        facts = building_facts(job, scan, len(cameras), len(rooms), noted)
        (scratch / "building.json").write_text(json.dumps(facts))
        staging.publish(scratch, job.folder, job.complete)
    return len(cameras)


def write_views(job: MeshJob, scan: Scan, cameras: Sequence[Shot], folder: Path) -> list[str]:
    """Writes all label files of the building and returns warnings about what the pictures show."""
    sights: Sights = {}
    lowest = np.full(3, 255)
    highest = np.zeros(3, int)
    for shot in cameras:
        surfaces = scan.look(shot.camera, job.size)
        colours = surfaces.rgb[np.isfinite(surfaces.depth)].reshape(-1, 3)
        lowest = np.minimum(lowest, colours.min(0, initial=255))
        highest = np.maximum(highest, colours.max(0, initial=0))
        class_labels = {}
        if scan.mesh.semantic is not None:
            class_labels["segment_semantic"] = np.maximum(surfaces.instance, 0).astype("uint8")
        write_view(folder, surfaces, shot, class_labels, sights, cameras)
    write_matches(folder, sights, cameras)
    return one_colour(lowest, highest)


def one_colour(lowest: Array, highest: Array) -> list[str]:
    """Returns a warning, in a list, if the pictures of all views lie within a few codes, else an
    empty list. lowest, highest: [3], over all pictures.
    """
    if (highest - lowest).max() > FEW_CODES:
        return []
    return [
        f"every picture came out in one colour, rgb {lowest.tolist()} to {highest.tolist()}: the "
        "file holds no colours or pictures that could be read; all labels of geometry are right"
    ]


def no_place(job: MeshJob, scan: Scan) -> str:
    """Returns a text that says why no camera found a place, and what to do."""
    extent = " x ".join(f"{side:.1f}" for side in np.ptp(scan.vertices, axis=0))
    return (
        f"{job.path.name}: expected room for at least 3 cameras (0.35 m of free space, "
        "0.9 to 1.9 m over a floor, walls around) that see one point, "
        f"found none in {len(scan.mesh.faces)} triangles of {extent} m; check --up and "
        "--units-per-metre, or choose a mesh of an interior"
    )


def building_facts(
    job: MeshJob, scan: Scan, views: int, rooms: int, noted: list[str]
) -> dict[str, Any]:
    """Returns the content of building.json. turned: radians by which the file's walls were turned
    onto the axes; absent: folders that this building lacks; upward: the file's axis; moved: metres
    that were subtracted from the file's coordinates; warnings: those of the mesh, then `noted`,
    those of the views.
    """
    mesh = scan.mesh
    absent = [*UNKNOWN, *(["segment_semantic"] if mesh.semantic is None else [])]
    return {
        **job.parameters(),
        "views": views,
        "rooms": rooms,
        "upward": job.taken.up,
        "triangles": len(mesh.faces),
        "turned": scan.yaw,
        "absent": sorted(absent),
        "moved": list(mesh.moved),
        "warnings": [*mesh.warnings, *noted],
        "sources": mesh.sources,
        "labels": digest_of(job.labels),
    }
