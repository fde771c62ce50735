"""Reads a triangle mesh from GLB, glTF, OBJ (with its MTL and pictures) or PLY: every mesh of its
scene graph placed, coloured, in metres with z up.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.tasks.arrays import Floats, Integers

# What points upwards in files of each kind: glTF's specification says y, scanners' PLY and OBJ
# files mostly z.
UP = {".glb": "y", ".gltf": "y", ".obj": "z", ".ply": "z"}
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".tga", ".gif")
LABEL_PROPERTIES = ("segment_semantic", "label")
# metres across, of anything that is called a building
SMALLEST = 1.0
LARGEST = 1000.0


@dataclass(frozen=True)
class Mesh:
    """vertices [v, 3] float64 m, z up; faces [f, 3] int64; uv [v, 2] (v upwards); colour [v, 3]
    float32 in [0, 1], which multiplies the picture; picture [f] int: index into pictures, -1 none;
    pictures: uint8 [h, w, 3] each; semantic [f] uint8 published class ids, or None without face
    labels.

    warnings: what was missing, one line each. sources: name -> sha256 of every file that was read,
    "" of one that was missing.
    """

    vertices: Floats
    faces: Integers
    uv: Floats
    colour: Floats
    picture: Integers
    pictures: tuple[Floats, ...]
    semantic: Integers | None
    warnings: tuple[str, ...]
    sources: dict[str, str]


def read_mesh(
    path: Path, *, units_per_metre: float = 1.0, up: str | None = None, labels: Path | None = None
) -> Mesh:
    """the mesh in a file. up: "y" or "z", by the kind of file if None. labels: .npy with a class id
    (0 to 17) for every triangle of the file.

    Raises ValueError for what is no building (message: what was expected, what came, what to do),
    OSError if the file cannot be read.
    """
    import trimesh

    if path.suffix.lower() not in UP:
        raise ValueError(
            f"{path.name}: expected a mesh with extension {', '.join(UP)}, got "
            f"{path.suffix or 'none'}; convert it to one of these"
        )
    data = path.read_bytes()
    shelf = Shelf(path)
    try:
        scene = trimesh.load_scene(
            io.BytesIO(data), file_type=path.suffix[1:].lower(), resolver=shelf, process=False
        )
    except Exception as error:  # trimesh raises whatever its parsers meet
        raise ValueError(
            f"{path.name} cannot be read as {path.suffix[1:].upper()} "
            f"({type(error).__name__}: {error}); expected a sound file, export it again"
        ) from error
    parts = [placed(scene, node, shelf) for node in scene.graph.nodes_geometry]
    parts = [part for part in parts if part is not None and len(part[1])]
    if not parts:
        raise ValueError(
            f"{path.name} holds no triangles (points or lines only, or nothing); expected a "
            "surface, export the mesh with its faces"
        )
    shelf.sources[path.name] = hashlib.sha256(data).hexdigest()
    mesh = joined(parts, oriented_up(up or UP[path.suffix.lower()]) / units_per_metre)
    semantic, noted = face_labels(scene, sum(len(part[1]) for part in parts), labels)
    return checked(path, mesh, semantic, (*shelf.warnings(), *noted), shelf.sources)


class Shelf:
    """Gives a mesh's loader the files beside it, and notes which it asked for (trimesh passes over
    missing ones in silence).
    """

    def __init__(self, path: Path) -> None:
        from trimesh.resolvers import FilePathResolver

        self.files = FilePathResolver(str(path))
        self.sources = {}
        self.broken = []

    def get(self, name: str) -> bytes:
        name = name.strip()
        try:
            data = self.files.get(name)
        except (OSError, ValueError):
            self.sources[name] = ""
            raise
        self.sources[name] = hashlib.sha256(data).hexdigest()
        if name.lower().endswith(PICTURES) and not decodes(data):
            self.broken.append(name)
            raise OSError(f"{name} is no readable picture")
        return data

    __getitem__ = get

    def warnings(self) -> list[str]:
        lost = [
            f"{name} is missing: its surfaces take their material's plain colour"
            for name, digest in self.sources.items()
            if not digest
        ]
        return lost + [
            f"{name} is no readable picture: its surfaces take their material's plain colour"
            for name in self.broken
        ]


def decodes(data: bytes) -> bool:
    from PIL import Image

    try:
        return loads(Image.open(io.BytesIO(data)))
    except Exception:  # Pillow raises many types for damaged files
        return False


def loads(picture) -> bool:
    """does a Pillow picture, which is decoded when first used, hold what its header promises?"""
    try:
        picture.load()
    except Exception:
        return False
    return True


def placed(scene, node: str, shelf: Shelf) -> tuple | None:
    """(vertices, faces, uv, colour, picture or None) of one node of the scene graph, its transform
    applied; None if it is no surface.
    """
    import trimesh

    matrix, name = scene.graph[node]
    mesh = scene.geometry[name]
    if not isinstance(mesh, trimesh.Trimesh) or not len(mesh.faces):
        return None
    if mesh.visual.kind == "face":
        mesh = mesh.copy()
        mesh.unmerge_vertices()
    faces = np.asarray(mesh.faces, "int64")
    if np.linalg.det(matrix[:3, :3]) < 0:  # a mirror turns surfaces inside out
        faces = faces[:, ::-1]
    uv, colour, picture = dressed(mesh, shelf)
    return (
        np.asarray(mesh.vertices, "float64") @ matrix[:3, :3].T + matrix[:3, 3],
        faces,
        uv,
        colour,
        picture,
    )


def dressed(mesh, shelf: Shelf) -> tuple[Floats, Floats, object]:
    """uv [v, 2], colour [v, 3], picture (Pillow) or None of one trimesh mesh. A plain material's
    colour stands in the vertices'.
    """
    count = len(mesh.vertices)
    visual = mesh.visual
    uv = np.zeros((count, 2))
    colour = np.ones((count, 3), "float32")
    if not hasattr(visual, "material"):
        return (
            uv,
            (np.asarray(visual.vertex_colors)[:, :3] / 255).astype("float32")
            if visual.kind
            else colour * 0.7,
            None,
        )
    material = visual.material
    material = next((part for part in getattr(material, "materials", None) or [material]), material)
    picture = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    if picture is not None and not loads(picture):
        shelf.broken.append(
            f"the picture of material {getattr(material, 'name', None) or 'without name'}"
        )
        picture = None
    if picture is not None and visual.uv is not None and len(visual.uv) == count:
        uv = np.nan_to_num(np.asarray(visual.uv, "float64")[:, :2])
    else:
        picture = None
    factor = getattr(material, "baseColorFactor", None)
    if factor is not None:
        factor = np.asarray(factor, "float64")[:3] / (
            255 if np.asarray(factor).dtype.kind in "ui" else 1
        )
        colour = colour * (np.clip(factor, 0, 1) ** (1 / 2.2)).astype(
            "float32"
        )  # factors are linear, pictures are not
    elif picture is None and getattr(material, "diffuse", None) is not None:
        colour = colour * (np.asarray(material.diffuse, "float32")[:3] / 255)
    painted = (
        visual.vertex_attributes.get("color") if hasattr(visual, "vertex_attributes") else None
    )
    if painted is not None and len(painted) == count:
        colour = colour * (
            np.asarray(painted, "float32")[:, :3]
            / (255 if np.asarray(painted).dtype.kind in "ui" else 1)
        )
    return uv, colour.astype("float32"), picture


def oriented_up(up: str) -> Floats:
    """[3, 3] that brings the file's axes to z up."""
    if up not in ("y", "z"):
        raise ValueError(f"expected up to be y or z, got {up!r}")
    return np.eye(3) if up == "z" else np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])


def joined(parts: list[tuple], turn: Floats) -> Mesh:
    """one mesh of the placed parts; a picture that several share stands once."""
    kept: dict[int, int] = {}
    pictures = []
    picture = []
    for _, faces, _, _, image in parts:
        if image is not None and id(image) not in kept:
            kept[id(image)] = len(pictures)
            pictures.append(np.ascontiguousarray(np.asarray(image.convert("RGB"))))
        picture.append(np.full(len(faces), kept.get(id(image), -1)))
    offsets = np.cumsum([0] + [len(part[0]) for part in parts[:-1]])
    vertices = np.concatenate([part[0] for part in parts]) @ turn.T
    faces = np.concatenate([part[1] + offset for part, offset in zip(parts, offsets)])
    uv, colour = (np.concatenate([part[k] for part in parts]) for k in (2, 3))
    return Mesh(vertices, faces, uv, colour, np.concatenate(picture), tuple(pictures), None, (), {})


def face_labels(scene, count: int, path: Path | None) -> tuple[Floats | None, list[str]]:
    """(class id of every triangle or None, warnings): from `path`, else from a face property of a
    PLY file.
    """
    if path is not None:
        found = np.load(path, allow_pickle=False)
        wrong = problem(found, count)
        if wrong:
            raise ValueError(
                f"{path}: expected {count} whole numbers from 0 to 17, one a triangle of the "
                f"mesh, got {wrong}; write one a triangle, as the file has them"
            )
        return found.astype("uint8"), []
    raw = [
        mesh.metadata.get("_ply_raw", {}).get("face", {}).get("data")
        for mesh in scene.geometry.values()
    ]
    for name in LABEL_PROPERTIES:
        if (
            len(raw) == 1
            and raw[0] is not None
            and name in (raw[0].keys() if isinstance(raw[0], dict) else raw[0].dtype.names or ())
        ):
            found = np.asarray(raw[0][name]).reshape(-1)
            wrong = problem(found, count)
            return (
                (
                    None,
                    [
                        f"face property {name!r} is left out: it holds {wrong}, not {count} "
                        "published class ids (0 to 17)"
                    ],
                )
                if wrong
                else (found.astype("uint8"), [])
            )
    return None, []


def problem(labels: Floats, count: int) -> str | None:
    """what is wrong with face labels, in words; None if nothing."""
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        return f"{labels.dtype} of shape {labels.shape}"
    return (
        f"values from {labels.min()} to {labels.max()}"
        if labels.min() < 0 or labels.max() > 17
        else None
    )


def checked(
    path: Path,
    mesh: Mesh,
    semantic: Integers | None,
    warnings: tuple[str, ...],
    sources: dict[str, str],
) -> Mesh:
    """the mesh without degenerate faces and vertices that no face uses. Raises ValueError for
    numbers that are no building's.
    """
    if mesh.faces.min() < 0 or mesh.faces.max() >= len(mesh.vertices):
        raise ValueError(
            f"{path.name}: expected faces that index {len(mesh.vertices)} vertices, got "
            f"{mesh.faces.min()} to {mesh.faces.max()}; export it again"
        )
    used = np.unique(mesh.faces)
    broken = int((~np.isfinite(mesh.vertices[used])).any(1).sum())
    if broken:
        raise ValueError(
            f"{path.name}: expected finite vertices, got {broken} of {len(used)} with NaN or "
            "infinite coordinates; repair or delete them"
        )
    extent = np.ptp(mesh.vertices[used], axis=0)
    if not SMALLEST <= extent.max() <= LARGEST:
        size = " x ".join(f"{side:.4g}" for side in extent)
        raise ValueError(
            f"{path.name}: expected a building {SMALLEST:g} to {LARGEST:g} m across, got {size} m; "
            "say how many of the file's units make a metre with --units-per-metre"
        )
    corner = mesh.vertices[mesh.faces]
    area = np.linalg.norm(
        np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1
    )
    sound = area > 1e-12
    if not sound.any():
        raise ValueError(
            f"{path.name}: all {len(sound)} triangles are without area; expected a surface"
        )
    names = np.unique(mesh.faces[sound], return_inverse=True)
    keep = names[0]
    faces = names[1].reshape(-1, 3)
    if semantic is not None:
        semantic = semantic[sound]
    return Mesh(
        mesh.vertices[keep],
        faces,
        mesh.uv[keep],
        mesh.colour[keep],
        mesh.picture[sound],
        mesh.pictures,
        semantic,
        warnings,
        sources,
    )
