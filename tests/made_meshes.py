"""Mesh files that the tests of mesh buildings make: a furnished room as GLB, OBJ with MTL and
picture, PLY with colours; a procedural building as GLB.
"""

import io
import json
import struct
from pathlib import Path

import numpy as np
import trimesh
from PIL import Image

EXTENT = (5.0, 4.0, 2.8)


def checkers() -> Image.Image:
    """64 x 64: squares of four colours, so that every quarter of a wall is known by its colour."""
    colours = np.array([[[200, 40, 40], [40, 200, 40]], [[40, 40, 200], [220, 220, 60]]], "uint8")
    return Image.fromarray(colours.repeat(32, 0).repeat(32, 1))


def room() -> trimesh.Trimesh:
    """a room of EXTENT metres from the origin up, z up, with a ball of 0.5 m on its floor; every
    face of the box shows a whole picture.
    """
    vertices, faces, uv = [], [], []
    for axis in range(3):
        for side in (0.0, 1.0):
            square = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
            corner = np.insert(square, axis, side, axis=1) * EXTENT
            faces += [[len(vertices) + i for i in triangle] for triangle in ((0, 1, 2), (0, 2, 3))]
            vertices += corner.tolist()
            uv += square.tolist()
    ball = trimesh.creation.icosphere(subdivisions=4, radius=0.5)
    faces += (ball.faces + len(vertices)).tolist()
    vertices += (ball.vertices + [3.5, 2.5, 0.5]).tolist()
    uv += np.full((len(ball.vertices), 2), 0.25).tolist()
    material = trimesh.visual.texture.SimpleMaterial(image=checkers(), diffuse=[255, 255, 255, 255])
    return trimesh.Trimesh(
        vertices,
        faces,
        process=False,
        visual=trimesh.visual.TextureVisuals(uv=np.array(uv), material=material),
    )


def painted_room() -> trimesh.Trimesh:
    """the same with a colour at every vertex."""
    mesh = room()
    colours = np.clip(mesh.vertices / EXTENT * 255, 0, 255).astype("uint8")
    return trimesh.Trimesh(
        mesh.vertices,
        mesh.faces,
        process=False,
        vertex_colors=np.column_stack([colours, np.full(len(colours), 255, "uint8")]),
    )


def y_up(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    mesh = mesh.copy()
    mesh.vertices = np.stack([mesh.vertices[:, 0], mesh.vertices[:, 2], -mesh.vertices[:, 1]], 1)
    return mesh


def write_room(folder: Path, kind: str, name: str = "room") -> Path:
    """the room as a file of `kind`; the path."""
    path = folder / f"{name}.{kind}"
    if kind == "glb":
        y_up(room()).export(path)
    elif kind == "obj":
        text, files = trimesh.exchange.obj.export_obj(
            room(), include_texture=True, return_texture=True, mtl_name=f"{name}.mtl"
        )
        path.write_text(text)
        for file, data in files.items():
            (folder / file).write_bytes(data)
    else:
        painted_room().export(path)
    return path


def write_scene(scene, path: Path) -> Path:
    """a procedural building's scene as a GLB file with its textures."""
    collected, shape = trimesh.Scene(), scene.shape
    for material in np.unique(scene.material):
        used, faces = np.unique(shape.faces[scene.material == material], return_inverse=True)
        x, y, z = shape.vertices[used].T
        u, v = (shape.uv[used] / scene.scale[material]).T
        picture = Image.fromarray(
            (np.clip(scene.textures[material], 0, 1) * 255 + 0.5).astype("uint8")
        )
        visual = trimesh.visual.TextureVisuals(
            np.stack([u, 1 - v], 1),
            material=trimesh.visual.material.PBRMaterial(baseColorTexture=picture),
        )
        collected.add_geometry(
            trimesh.Trimesh(
                np.stack([x, z, -y], 1), faces.reshape(-1, 3), process=False, visual=visual
            )
        )
    collected.export(path)
    return path


def write_glb(path: Path, arrays: list[np.ndarray], tree: dict) -> Path:
    """a GLB file of a JSON tree; arrays become its buffer views 0, 1, ... (bytes as uint8)."""
    binary = b""
    views = []
    for array in arrays:
        data = array.tobytes()
        views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(data)})
        binary += data + bytes(-len(data) % 4)
    tree = {"asset": {"version": "2.0"}, "buffers": [{"byteLength": len(binary)}], **tree}
    text = json.dumps({"bufferViews": views, **tree}).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text
    body += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    path.write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body)
    return path


def square_tree(**changes) -> dict:
    """a floor of 4 x 4 m as two triangles: accessor 0 its corners (view 0), 1 its indices (view 1),
    2 its coordinates (view 2). changes: of the tree; "primitive" and "node": of those.
    """
    primitive = {"attributes": {"POSITION": 0, "TEXCOORD_0": 2}, "indices": 1}
    primitive |= changes.pop("primitive", {})
    return {
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": 6, "type": "SCALAR"},
            {"bufferView": 2, "componentType": 5126, "count": 4, "type": "VEC2"},
        ],
        "meshes": [{"primitives": [primitive]}],
        "nodes": [{"mesh": 0, **changes.pop("node", {})}],
        "scenes": [{"nodes": [0]}],
        **changes,
    }


SQUARE = np.array([[0, 0, 0], [4, 0, 0], [4, 0, 4], [0, 0, 4]], "float32")
INDICES = np.array([0, 1, 2, 0, 2, 3], "uint16")
UNIT = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], "float32")


def png(picture: Image.Image) -> np.ndarray:
    """its file's bytes."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return np.frombuffer(file.getvalue(), "uint8")
