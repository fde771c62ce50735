"""Buildings from mesh files: views of every mesh with the labels that geometry and texture allow;
what they do not allow is recorded as absent.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from beam_jobs.annotate import staging
from beam_jobs.annotate.procedural import check_held_out, conclude, side_by_side

# Version of what is made of a mesh: raise it when the same file and seed give other labels.
VERSION = 2
# Published folders that follow from a model or a person, not from geometry and texture.
UNKNOWN = ("class_object", "class_scene")


@dataclass(frozen=True)
class MeshJob:
    """One building to make below root. views: about; size: pixels; labels: .npy of class ids or
    None; up: "y", "z" or None (by the kind of file).
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
        """the file's name as a building's: letters, digits, . _ and -."""
        return re.sub(r"[^A-Za-z0-9_.-]", "-", self.path.stem).lstrip("._-")[:100]

    @property
    def folder(self) -> Path:
        return self.root / self.name

    def parameters(self) -> dict:
        facts = {
            key: value
            for key, value in asdict(self).items()
            if key not in ("root", "path", "labels", "views")
        }
        return {"version": VERSION, "mesh": self.path.name, "asked": self.views, **facts}

    def complete(self) -> bool:
        """is the building there, of the same files (by their hashes; a texture that was missing
        counts too) with the same parameters?
        """
        found = staging.described(self.folder)
        if not found or {key: found.get(key) for key in self.parameters()} != self.parameters():
            return False
        beside = all(
            digest_of(self.path.parent / name) == digest
            for name, digest in found["sources"].items()
        )
        return beside and found["labels"] == (digest_of(self.labels) if self.labels else "")


def digest_of(path: Path) -> str:
    """sha256 of a file, "" if there is none."""
    import hashlib

    if not path.is_file():
        return ""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def annotate_meshes(
    root: Path,
    meshes: list[Path],
    *,
    views: int,
    size: int,
    seed: int = 0,
    labels: list[Path] = (),
    units_per_metre: float = 1.0,
    up: str | None = None,
    processes: int = 1,
    held_out: int | None = None,
) -> dict:
    """make a building of every mesh file below `root`, beside the buildings that are there;
    {"buildings", "labels", "views"} of the meshes.

    labels: none, or one .npy of class ids for every mesh. held_out: as of `annotate_buildings`.
    Raises ValueError for a file that is no building (see `read_mesh`), or in which no camera finds
    a place; OSError if a file cannot be read or `root` not written.
    """
    jobs = checked_jobs(
        [
            MeshJob(root, path, mark, views, size, seed, units_per_metre, up)
            for path, mark in zip(meshes, labels or [None] * len(meshes))
        ]
    )
    if labels and len(labels) != len(meshes):
        raise ValueError(
            f"expected one --labels for each --mesh, got {len(labels)} for {len(meshes)}"
        )
    check_held_out(len(jobs), held_out)
    root.mkdir(parents=True, exist_ok=True)
    staging.sweep(root)
    side_by_side(annotate_mesh, [job for job in jobs if not job.complete()], views, processes)
    conclude(root, [job.name for job in jobs], lambda facts: False, held_out)
    made = [staging.described(job.folder) for job in jobs]
    absent = sorted(set.union(*(set(row["absent"]) for row in made)))
    return {
        "buildings": len(jobs),
        "labels": f"all labels but {', '.join(absent)}",
        "views": sum(row["views"] for row in made),
    }


def checked_jobs(jobs: list[MeshJob]) -> list[MeshJob]:
    """the jobs, if their numbers and names can be meant. Raises ValueError, FileNotFoundError."""
    from models.tasks import DOMAINS

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
    return jobs


def annotate_mesh(job: MeshJob) -> int:
    """one building into a hidden folder that is renamed when complete; the number of its views."""
    from beam_jobs.annotate.view_labels import write_matches, write_view
    from beam_jobs.scenes.cameras.scan_cameras import shots
    from beam_jobs.scenes.scans.mesh_file import read_mesh
    from beam_jobs.scenes.scans.scan import Scan

    mesh = read_mesh(job.path, units_per_metre=job.units_per_metre, up=job.up, labels=job.labels)
    for line in mesh.warnings:
        print(f"{job.path.name}: {line}", file=sys.stderr)
    scan = Scan(mesh)
    taken, rooms = shots(scan, np.random.default_rng([job.seed, 7]), job.views)
    if not taken:
        extent = " x ".join(f"{side:.1f}" for side in np.ptp(scan.vertices, axis=0))
        raise ValueError(
            f"{job.path.name}: expected room for at least 3 cameras (0.35 m of free space, "
            "0.9 to 1.9 m over a floor, walls around) that see one point, "
            f"found none in {len(mesh.faces)} triangles of {extent} m; check --up and "
            "--units-per-metre, or choose a mesh of an interior"
        )
    sights: dict[int, list] = {}
    with staging.workplace(job.root, job.name) as scratch:
        for shot in taken:
            surfaces = scan.look(shot.camera, job.size)
            given = (
                {}
                if mesh.semantic is None
                else {"segment_semantic": np.maximum(surfaces.instance, 0).astype("uint8")}
            )
            write_view(scratch, surfaces, shot, given, sights, taken)
        write_matches(scratch, sights, taken)
        (scratch / "building.json").write_text(json.dumps(facts(job, scan, len(taken), len(rooms))))
        staging.publish(scratch, job.folder, job.complete)
    return len(taken)


def facts(job: MeshJob, scan, views: int, rooms: int) -> dict:
    """building.json. turned: radians by which the file's walls were turned onto the axes; absent:
    folders that this building lacks.
    """
    mesh = scan.mesh
    return {
        **job.parameters(),
        "views": views,
        "rooms": rooms,
        "triangles": len(mesh.faces),
        "turned": scan.yaw,
        "absent": sorted([*UNKNOWN, *(["segment_semantic"] if mesh.semantic is None else [])]),
        "warnings": list(mesh.warnings),
        "sources": mesh.sources,
        "labels": digest_of(job.labels) if job.labels else "",
    }
