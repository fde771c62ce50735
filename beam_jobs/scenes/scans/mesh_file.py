"""Reads a triangle mesh from GLB, glTF, OBJ (with its MTL and pictures) or PLY: every surface
placed, coloured, in metres with z up.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from beam_jobs.scenes.scans.gltf import read_gltf
from beam_jobs.scenes.scans.masks import Masks, joined_masks
from beam_jobs.scenes.scans.parts import Contents, Part, Shelf, Unsupported, fractions
from beam_jobs.scenes.scans.ply import read_ply
from beam_jobs.scenes.scans.wavefront import read_obj
from models.tasks.arrays import Array, Bools, Bytes, Floats, Integers

# What points upwards in files of each kind: glTF's specification says y, scanners' PLY and OBJ
# files mostly z.
UP = {".glb": "y", ".gltf": "y", ".obj": "z", ".ply": "z"}
READERS = {".glb": read_gltf, ".gltf": read_gltf, ".obj": read_obj, ".ply": read_ply}
LABEL_PROPERTIES = ("segment_semantic", "label")
SMALLEST = 1.0  # metres across, of anything that is called a building
LARGEST = 1000.0
# A mesh further from the origin than this, metres, is moved there: rays are float32, with steps of
# half a metre where national grids count millions.
REMOTE = 1000.0
UNITS = {"millimetres": 1000.0, "centimetres": 100.0, "inches": 39.3701, "feet": 3.28084}


@dataclass(frozen=True)
class Mesh:
    """A mesh as it is read. vertices [v, 3] float64 m, z up; faces [f, 3] int64; uv [v, 2] (v
    upwards); colour [v, 3] float32 in [0, 1], which multiplies the picture; linear [f]: whether the
    colour is of light, as of `Part`; picture [f] int: index into pictures, -1 none; pictures: uint8
    [h, w, 3] each; wraps [picture, 2]: of `Part`; semantic [f] uint8 published class ids, or None
    without face labels.

    warnings: what was missing, one line each. sources: name -> sha256 of every file that was read,
    "" of one that was missing. moved: whole metres that were subtracted from the coordinates.
    masks: what is cut out of its surfaces, None if nothing.
    """

    vertices: Floats
    faces: Integers
    uv: Floats
    colour: Floats
    linear: Bools
    picture: Integers
    pictures: tuple[Bytes, ...]
    wraps: Integers
    semantic: Integers | None
    warnings: tuple[str, ...]
    sources: dict[str, str]
    moved: tuple[float, float, float] = (0.0, 0.0, 0.0)
    masks: Masks | None = None


def read_mesh(
    path: Path, *, units_per_metre: float = 1.0, up: str | None = None, labels: Path | None = None
) -> Mesh:
    """Returns the mesh in a file. up: "y" or "z", by the kind of file if None. labels: .npy with a
    class id (0 to 17) for every triangle of the file, as `Contents` counts them.

    Raises ValueError for what is no building (message: what was expected, what came, what to do),
    OSError if the file cannot be read.
    """
    kind = path.suffix.lower()
    if kind not in UP:
        raise ValueError(
            f"{path.name}: expected a mesh with extension {', '.join(UP)}, got "
            f"{path.suffix or 'none'}; convert it to one of these"
        )
    data = path.read_bytes()
    shelf = Shelf(path.parent)
    try:
        contents = READERS[kind](data, shelf)
    # a failing disk is no fault of the file: the error is passed on as it is
    except OSError:
        raise
    # its message says how to convert the file, so that only the name is put before it
    except Unsupported as error:
        raise ValueError(f"{path.name}: {error}") from error
    except Exception as error:  # damaged files fail anywhere
        raise ValueError(
            f"{path.name} cannot be read as {kind[1:].upper()} "
            f"({type(error).__name__}: {error}); expected a sound file, export it again"
        ) from error
    parts = [part for part in contents.parts if len(part.faces)]
    if not parts:
        raise ValueError(
            f"{path.name} holds no triangles (points or lines only, or nothing); expected a "
            "surface, export the mesh with its faces"
        )
    shelf.sources[path.name] = hashlib.sha256(data).hexdigest()
    mesh = joined(parts, oriented_up(up or UP[kind]) / units_per_metre)
    labels_of_file, noted = face_labels(contents, labels)
    semantic = None
    if labels_of_file is not None:
        semantic = labels_of_file[np.concatenate([part.triangle for part in parts])]
    return checked(path, replace(mesh, semantic=semantic), (*shelf.notes, *noted), shelf.sources)


def oriented_up(up: str) -> Floats:
    """Returns the [3, 3] rotation that brings the file's axes to z up. Raises ValueError unless
    `up` is y or z.
    """
    if up not in ("y", "z"):
        raise ValueError(f"expected up to be y or z, got {up!r}")
    # a quarter turn about x: y becomes z, z becomes -y
    return np.eye(3) if up == "z" else np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])


def joined(parts: list[Part], turn: Floats) -> Mesh:
    """Returns one mesh of the placed parts, turned by `turn` [3, 3]; a picture that several parts
    share, wrapped alike, is kept once.
    """
    numbers: dict[tuple[Any, ...], int] = {}
    pictures: list[Any] = []
    wraps = []
    picture = []
    for part in parts:
        image = part.picture
        # readers hand on one object a picture: its identity is cheaper than comparing pixels
        identity = (id(image), part.wrap)
        if image is not None and identity not in numbers:
            numbers[identity] = len(pictures)
            pictures.append(image)
            wraps.append(part.wrap)
        picture.append(np.full(len(part.faces), numbers.get(identity, -1)))
    offsets = np.cumsum([0] + [len(part.vertices) for part in parts[:-1]])
    faces = np.concatenate([part.faces + offset for part, offset in zip(parts, offsets)])
    return Mesh(
        vertices=np.concatenate([part.vertices for part in parts]) @ turn.T,
        faces=faces.astype("int64"),
        uv=np.concatenate([part.uv for part in parts]),
        colour=np.concatenate([part.colour for part in parts]),
        linear=np.concatenate([np.full(len(part.faces), part.linear) for part in parts]),
        picture=np.concatenate(picture),
        pictures=tuple(map(eight_bits, pictures)),
        wraps=np.array(wraps, "int64").reshape(-1, 2),
        semantic=None,
        warnings=(),
        sources={},
        masks=joined_masks(parts, pictures),
    )


def eight_bits(image: Any) -> Bytes:
    """Returns [h, w, 3] uint8 of a Pillow picture; 16 bits and fractions are scaled, where Pillow
    itself would clip them.
    """
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image)
        if image.mode == "F":
            values = np.round(fractions(values) * 255)
        values = values.astype("int64")
        grey = (values >> 8 if values.max(initial=0) > 255 else values).clip(0, 255)
        return np.ascontiguousarray(np.repeat(grey.astype("uint8")[..., None], 3, -1))
    return np.ascontiguousarray(np.asarray(image.convert("RGB")))


def face_labels(contents: Contents, path: Path | None) -> tuple[Integers | None, list[str]]:
    """Returns (class id of every triangle of the file, [triangles] uint8, or None, warnings): from
    `path`, else from a face property of a PLY file. Raises ValueError if what `path` holds does not
    fit.
    """
    count = contents.triangles
    # a path that was given must fit; a property of the file may mean anything, and is only noted
    if path is not None:
        labels = np.load(path, allow_pickle=False)
        wrong = problem(labels, count)
        if wrong:
            raise ValueError(
                f"{path}: expected {count} whole numbers from 0 to 17, one a triangle of the "
                f"mesh, got {wrong}; write one a triangle, in the file's own order (polygons cut "
                "into triangles)"
            )
        return labels.astype("uint8"), []
    for name in LABEL_PROPERTIES:
        if name in contents.properties:
            labels = contents.properties[name].reshape(-1)
            wrong = problem(labels, count)
            if not wrong:
                return labels.astype("uint8"), []
            return None, [
                f"face property {name!r} is left out: it holds {wrong}, not {count} "
                "published class ids (0 to 17)"
            ]
    return None, []


def problem(labels: Array, count: int) -> str | None:
    """Returns what is wrong with face labels, which are [count] whole numbers from 0 to 17, in
    words; None if nothing.
    """
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        return f"{labels.dtype} of shape {labels.shape}"
    if labels.min() < 0 or labels.max() > 17:
        return f"values from {labels.min()} to {labels.max()}"
    return None


def checked(path: Path, mesh: Mesh, warnings: tuple[str, ...], sources: dict[str, str]) -> Mesh:
    """Returns the mesh without degenerate faces and without vertices that no face uses, moved near
    the origin. Raises ValueError for numbers that are no building's.
    """
    if mesh.faces.min() < 0 or mesh.faces.max() >= len(mesh.vertices):
        raise ValueError(
            f"{path.name}: expected faces that index {len(mesh.vertices)} vertices, got "
            f"{mesh.faces.min()} to {mesh.faces.max()}; export it again"
        )
    # vertices that no face uses may hold anything: exporters leave them behind
    used = np.unique(mesh.faces)
    broken = int((~np.isfinite(mesh.vertices[used])).any(1).sum())
    if broken:
        raise ValueError(
            f"{path.name}: expected finite vertices, got {broken} of {len(used)} with NaN or "
            "infinite coordinates; repair or delete them"
        )
    check_size(path, np.ptp(mesh.vertices[used], axis=0))
    low = mesh.vertices[used].min(0)
    # whole metres: what was subtracted can be said in full
    middle = np.round((low + mesh.vertices[used].max(0)) / 2)
    # axis by axis: heights above sea are small where eastings are millions
    moved = np.where(np.abs(middle) > REMOTE, middle, 0.0)
    vertices = mesh.vertices - moved
    corner = vertices[mesh.faces]
    area = np.linalg.norm(
        np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1
    )
    # twice the area, square metres: less than a millionth of a square millimetre has no direction
    sound = area > 1e-12
    if not sound.any():
        raise ValueError(
            f"{path.name}: all {len(sound)} triangles are without area; expected a surface"
        )
    # numbers without gaps for the vertices that are left
    keep, names = np.unique(mesh.faces[sound], return_inverse=True)
    return Mesh(
        vertices=vertices[keep],
        faces=names.reshape(-1, 3),
        uv=mesh.uv[keep],
        colour=mesh.colour[keep],
        linear=mesh.linear[sound],
        picture=mesh.picture[sound],
        pictures=mesh.pictures,
        wraps=mesh.wraps,
        semantic=None if mesh.semantic is None else mesh.semantic[sound],
        warnings=warnings,
        sources=sources,
        moved=(float(moved[0]), float(moved[1]), float(moved[2])),
        masks=mesh.masks.subset(sound, keep) if mesh.masks else None,
    )


def check_size(path: Path, extent: Floats) -> None:
    """Raises ValueError for a mesh that is too small or too large, and names the units that would
    make a building of it, if there are any. extent: [3] m.
    """
    if SMALLEST <= extent.max() <= LARGEST:
        return
    size = " x ".join(f"{side:.4g}" for side in extent)
    fitting = [
        f"{factor:g} ({name}: {extent.max() / factor:.3g} m)"
        for name, factor in UNITS.items()
        # narrower than what is accepted: advice is only given where it makes something like a house
        if 2.0 <= extent.max() / factor <= 200.0
    ]
    advice = (
        f"say --units-per-metre {' or '.join(fitting)} if these are its units"
        if fitting
        else "no usual --units-per-metre makes a building of it: look at it in a viewer, scale it "
        "there and export it again"
    )
    raise ValueError(
        f"{path.name}: expected a building {SMALLEST:g} to {LARGEST:g} m across, got {size} m; "
        f"{advice}"
    )
