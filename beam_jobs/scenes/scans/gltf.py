"""Reads glTF 2.0 and GLB (Khronos, "glTF 2.0 Specification"): accessors of every component type,
normalised and sparse, or compressed by Draco; strips and fans; instances; texture transforms;
colours, which are linear.

What it cannot read and the file requires is refused by name. What it leaves out is noted.
"""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from beam_jobs.scenes.scans.draco import DRACO, Unpacked, unpacked
from beam_jobs.scenes.scans.masks import cut_out
from beam_jobs.scenes.scans.parts import (
    BORDER,
    MIRROR,
    PLAIN,
    REPEAT,
    Contents,
    Part,
    Shelf,
    Unsupported,
    shown,
    strip,
)
from models.tasks.arrays import Array, Floats, Integers

Json = dict[str, Any]
# numbers of OpenGL (glTF 2.0, 3.6.2.2); 5124, int32, is not among those that the specification
# allows
TYPES = {
    5120: "int8",
    5121: "uint8",
    5122: "int16",
    5123: "uint16",
    5125: "uint32",
    5126: "float32",
}
WRAPS = {33071: BORDER, 10497: REPEAT, 33648: MIRROR}  # of samplers
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
GLOSSY = "KHR_materials_pbrSpecularGlossiness"
# Extensions that are decoded here, or that change neither plain colours nor shapes.
READ = {
    DRACO,
    "KHR_mesh_quantization",
    "KHR_texture_transform",
    "EXT_mesh_gpu_instancing",
    "EXT_texture_webp",
    GLOSSY,
    "KHR_materials_unlit",
    "KHR_lights_punctual",
}
IGNORED = "KHR_materials_"  # sheen, clear coat, transmission: how a surface shines
CONVERT = (
    "convert the file first, as with `npx @gltf-transform/cli copy in.glb out.glb` (meshopt) "
    "or by exporting it without compression and with PNG or JPEG pictures"
)


def read_gltf(data: bytes, shelf: Shelf) -> Contents:
    """Returns every triangle of the default scene, in the order in which its nodes, each before its
    children, place them. Raises ValueError for what cannot be read.
    """
    file = Gltf(data, shelf)
    parts = file.parts()
    return Contents(parts, file.triangles)


def chunks(data: bytes) -> tuple[Json, bytes | None]:
    """Returns (JSON, binary chunk or None) of a GLB file, or of a plain glTF file. Raises
    ValueError for one that is damaged.
    """
    if data[:4] != b"glTF":
        # with a byte order mark or without: the specification forbids it, but some files have one
        return json.loads(data.decode("utf-8-sig")), None
    version, length = struct.unpack_from("<II", data, 4)
    # a file that is longer than it says is read as far as it says
    if version != 2 or length > len(data):
        raise ValueError(f"version {version}, {len(data)} of {length} bytes")
    tree: Json = {}
    binary = None
    # three numbers before the first chunk: magic, version, length
    at = 12
    while at + 8 <= length:
        size, kind = struct.unpack_from("<I4s", data, at)
        body = data[at + 8 : at + 8 + size]
        if len(body) != size:
            raise ValueError(f"a chunk of {size} bytes ends after {len(body)}")
        # other chunks are skipped, as the specification asks for; only the first BIN counts
        if kind == b"JSON":
            tree = json.loads(body)
        elif kind == b"BIN\0" and binary is None:
            binary = body
        at += 8 + size
    return tree, binary


class Gltf:
    """One file. tree: its JSON; shelf: the files beside it. Raises ValueError if the file requires
    what is not read here.
    """

    def __init__(self, data: bytes, shelf: Shelf) -> None:
        self.tree, self.binary = chunks(data)
        self.shelf = shelf
        self.buffers: dict[int, bytes] = {}
        self.pictures: dict[int, Any] = {}
        # placed so far, with those that a mask cuts out
        self.triangles = 0
        # node -> the one above it, which only skins ask for
        self.above: dict[int, int] = {}
        # the specification allows a reader to leave out what a file uses but does not require
        unknown = [
            name
            for name in self.tree.get("extensionsRequired", [])
            if name not in READ and not name.startswith(IGNORED)
        ]
        if unknown:
            raise Unsupported(
                f"it requires {', '.join(unknown)}, which is not read here; {CONVERT}"
            )

    def parts(self) -> list[Part]:
        """Returns the parts of the default scene, placed."""
        scenes = self.tree.get("scenes")
        if scenes:
            # of a file without a default scene the first is shown
            roots = scenes[self.tree.get("scene", 0)].get("nodes", [])
        else:
            # in a file without scenes every node without a parent is shown
            children = {c for node in self.tree.get("nodes", []) for c in node.get("children", [])}
            roots = [i for i in range(len(self.tree.get("nodes", []))) if i not in children]
        pieces: list[Part] = []
        # a stack and no recursion: chains of nodes may be longer than Python's limit. Reversed,
        # since the last is taken first
        waiting = [(root, np.eye(4), 0) for root in reversed(roots)]
        while waiting:
            number, above, depth = waiting.pop()
            # a path that is longer than there are nodes has passed one of them twice
            if depth > len(self.tree["nodes"]):
                raise ValueError("its nodes form a circle")
            node = self.tree["nodes"][number]
            here = above @ local(node)
            if "mesh" in node:
                self.note_shapes(node)
                mesh = self.tree["meshes"][node["mesh"]]
                joints = self.joints(node["skin"]) if "skin" in node else None
                for matrix in self.instances(node):
                    pieces += self.placed(mesh, here @ matrix, joints)
            waiting += [(child, here, depth + 1) for child in reversed(node.get("children", []))]
        return pieces

    def instances(self, node: Json) -> list[Floats]:
        """Returns [4, 4] of every copy that EXT_mesh_gpu_instancing asks for; the unit matrix alone
        if it asks for none.
        """
        attributes = extension(node, "EXT_mesh_gpu_instancing").get("attributes")
        if not attributes:
            return [np.eye(4)]
        # the extension writes TRANSLATION, ROTATION, SCALE; nodes write them in lower case
        columns = {name.lower(): self.accessor(number) for name, number in attributes.items()}
        count = len(next(iter(columns.values())))
        names = ("translation", "rotation", "scale")
        return [
            # lists, as in a node's JSON, so that one function reads both
            local({name: columns[name][i].tolist() for name in names if name in columns})
            for i in range(count)
        ]

    def note_shapes(self, node: Json) -> None:
        """Notes a mesh whose morph targets the file does not leave at rest."""
        mesh = self.tree["meshes"][node["mesh"]]
        # a node's own weights come before its mesh's
        if any(node.get("weights", mesh.get("weights", []))):
            # a file's own weights say how it looks at rest, and are not applied
            self.shelf.note(f"mesh {mesh.get('name', '')!r}: morph targets are left at rest")

    def joints(self, skin: int) -> Floats:
        """Returns [j, 4, 4] of a skin's joints, as its nodes stand: matrices from where its
        vertices are bound into the scene.
        """
        row = self.tree["skins"][skin]
        matrices = np.array([self.world(joint) for joint in row["joints"]])
        if "inverseBindMatrices" not in row:
            return matrices
        # written column by column
        bound = self.accessor(row["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
        return np.asarray(matrices @ bound[: len(matrices)].astype("float64"))

    def world(self, node: int) -> Floats:
        """Returns [4, 4] of a node in the scene, with all nodes above it. Raises ValueError for
        nodes that form a circle.
        """
        nodes = self.tree["nodes"]
        if not self.above:
            self.above = {c: i for i, row in enumerate(nodes) for c in row.get("children", [])}
        matrix = local(nodes[node])
        passed = 0
        while node in self.above:
            passed += 1
            if passed > len(nodes):
                raise ValueError("its nodes form a circle")
            node = self.above[node]
            matrix = local(nodes[node]) @ matrix
        return matrix

    def bent(self, primitive: Json, joints: Floats) -> Floats | None:
        """Returns [v, 4, 4] for every vertex of a skin, the mean of its joints' [j, 4, 4]; None for
        a surface that has no joints.
        """
        attributes = primitive["attributes"]
        sets = sorted(name[7:] for name in attributes if name.startswith("JOINTS_"))
        if not sets:
            return None
        columns = Columns(self, attributes, self.compressed(primitive))
        numbers = np.concatenate([columns[f"JOINTS_{k}"] for k in sets], 1).astype("int64")
        weights = np.concatenate([columns[f"WEIGHTS_{k}"] for k in sets], 1).astype("float64")
        # a vertex without weights goes with its first joint, as in three.js
        weights[weights.sum(1) <= 0, 0] = 1
        weights /= weights.sum(1, keepdims=True)
        # joint by joint: all at once would need a matrix for each joint of each vertex
        mean = np.zeros((len(weights), 4, 4))
        for k in range(weights.shape[1]):
            mean += weights[:, k, None, None] * joints[numbers[:, k]]
        return mean

    def placed(self, mesh: Json, matrix: Floats, joints: Floats | None = None) -> list[Part]:
        """Returns the parts of a mesh in the scene, where `matrix` [4, 4] puts it. joints: [j, 4,
        4] of a skin, which place it; its node's matrix counts for nothing then (3.7.3.3).
        """
        pieces = []
        for primitive in mesh["primitives"]:
            # the default is 4, triangles (3.7.2.1)
            mode = primitive.get("mode", 4)
            # 0 to 3: points, lines, loops, strips of lines
            if mode < 4:
                self.shelf.note("points and lines are left out: expected triangles")
                continue
            before = self.triangles
            part = self.part(primitive, mode)
            if part is None:
                continue
            bent = None if joints is None else self.bent(primitive, joints)
            faces = part.faces
            # a mirror turns surfaces inside out
            if bent is not None:
                mirrored = np.linalg.det(bent[:, :3, :3])[faces[:, 0]] < 0
                faces = np.where(mirrored[:, None], faces[:, ::-1], faces)
                vertices = np.einsum("vij,vj->vi", bent[:, :3, :3], part.vertices) + bent[:, :3, 3]
            else:
                if np.linalg.det(matrix[:3, :3]) < 0:
                    faces = faces[:, ::-1]
                vertices = part.vertices @ matrix[:3, :3].T + matrix[:3, 3]
            triangle = before + part.triangle
            pieces.append(replace(part, vertices=vertices, faces=faces, triangle=triangle))
        return pieces

    def part(self, primitive: Json, topology: int) -> Part | None:
        """Returns one primitive in its own frame, its triangles counted from 0; None if nothing of
        it is visible.
        """
        attributes = primitive["attributes"]
        columns = Columns(self, attributes, self.compressed(primitive))
        vertices = np.asarray(columns["POSITION"], "float64")
        count = len(vertices)
        # Draco's data hold the faces themselves; what an accessor says of indices is then without
        # data
        if columns.unpacked:
            faces = columns.unpacked.faces
        else:
            order = np.arange(count)
            if "indices" in primitive:
                order = self.accessor(primitive["indices"]).reshape(-1).astype("int64")
            faces = corners(order, topology)
        self.triangles += len(faces)
        material = self.material(primitive)
        # no colour is white, and one of three numbers is opaque
        painted = np.ones((count, 4))
        # the light that a surface emits is not multiplied by its vertices' colours
        if "COLOR_0" in attributes and not material.glows:
            colour = columns["COLOR_0"]
            # the specification has fractions alone here; read as they stand, all would be white
            if colour.dtype.kind in "ui":
                most = np.iinfo(colour.dtype).max
                self.shelf.note(
                    "colours of vertices (COLOR_0) are whole numbers that are not marked as "
                    f"normalised: read as fractions of {most}"
                )
                colour = colour / most
            painted[:, : colour.shape[1]] = colour
        uv, picture = self.texture(material, columns, count)
        # colours of vertices and the material's factor are both linear: their product is coded
        # afterwards
        painted = painted * material.factor
        mode = material.row.get("alphaMode", "OPAQUE")
        if mode == "BLEND":
            self.shelf.note(f"material {material.name} is translucent (BLEND): drawn opaque")
        light = np.clip(painted[:, :3], 0, 1).astype("float32")
        # one colour needs neither interpolation nor products, so that it can be coded at once
        linear = bool((light != light[:1]).any() or (picture is not None and (light != 1).any()))
        part = Part(
            vertices,
            faces,
            np.arange(len(faces)),
            uv,
            light if linear else shown(painted[:, :3]),
            picture,
            self.wrap(material),
            linear=linear,
        )
        if mode == "MASK":
            part = cut_out(part, painted[:, 3], material.row.get("alphaCutoff", 0.5))
        return part if len(part.faces) else None

    def compressed(self, primitive: Json) -> Unpacked | None:
        """Returns what Draco holds of a primitive; None where it has none, or where the file holds
        the same surface without loss beside it.
        """
        row = extension(primitive, DRACO)
        position = self.tree["accessors"][primitive["attributes"]["POSITION"]]
        # data beside the compressed ones are the exact ones: a file may hold both for readers
        # without Draco
        if not row or "bufferView" in position:
            return None
        surface = unpacked(self.view(row["bufferView"]), row["attributes"])
        count = len(surface.columns["POSITION"])
        if count != position["count"]:
            self.shelf.note(
                f"{DRACO} holds {count} vertices where its accessor says {position['count']}; "
                "they are taken as they are"
            )
        return surface

    def material(self, primitive: Json) -> Material:
        # no material is the specification's default one: white, without a picture
        number = primitive.get("material")
        row = self.tree["materials"][number] if number is not None else {}
        material = Material(row, row.get("name") or f"number {number}")
        if material.emission.any() and not material.glows:
            self.shelf.note(
                f"material {material.name} glows (emissiveFactor): drawn in its base colour alone"
            )
        return material

    def wrap(self, material: Material) -> tuple[int, int]:
        """Returns how coordinates beyond a picture's border are read along u and v (as of `Part`),
        which the picture's sampler says.
        """
        if material.texture is None:
            return REPEAT, REPEAT
        texture = self.tree["textures"][material.texture["index"]]
        # a texture without a sampler repeats (5.29)
        row = self.tree["samplers"][texture["sampler"]] if "sampler" in texture else {}
        return WRAPS[row.get("wrapS", 10497)], WRAPS[row.get("wrapT", 10497)]

    def texture(self, material: Material, columns: Columns, count: int) -> tuple[Floats, Any]:
        """Returns (uv [count, 2] with v upwards, picture or None) of a material's base colour."""
        uv = np.zeros((count, 2))
        reference = material.texture
        if reference is None:
            return uv, None
        moved = extension(reference, "KHR_texture_transform")
        # the transform may name another set of coordinates than the texture does
        slot = moved.get("texCoord", reference.get("texCoord", 0))
        picture = self.picture(reference["index"], material.name)
        name = f"TEXCOORD_{slot}"
        # without a picture no coordinates are needed
        if picture is None:
            return uv, None
        if name not in columns.numbers:
            self.shelf.note(
                f"material {material.name} has a picture, a surface of it no coordinates in it "
                f"({name}): {PLAIN}"
            )
            return uv, None
        uv = np.nan_to_num(np.asarray(columns[name], "float64"))
        uv = transformed(uv, moved)
        # v runs downwards in glTF, upwards in all parts here
        return np.stack([uv[:, 0], 1 - uv[:, 1]], 1), picture

    def picture(self, texture: int, material: str) -> Any:
        """Returns the picture of a texture; None, which is noted, where it cannot be opened."""
        row = self.tree["textures"][texture]
        # the extension's source first: the plain one is for readers without WebP
        number = extension(row, "EXT_texture_webp").get("source", row.get("source"))
        if number is None:
            kinds = ", ".join(row.get("extensions", {})) or "no source"
            self.shelf.note(f"the picture of material {material} is not read ({kinds}): {PLAIN}")
            return None
        # several textures may share an image: one object, so that `joined` keeps it once
        if number not in self.pictures:
            self.pictures[number] = self.opened(self.tree["images"][number], material)
        return self.pictures[number]

    def opened(self, image: Json, material: str) -> Any:
        uri = image.get("uri", "")
        if uri and not uri.startswith("data:"):
            return self.shelf.picture(uri)
        data = inline(uri) if uri else self.view(image["bufferView"])
        name = f" ({image['name']})" if image.get("name") else ""
        return self.shelf.decoded(data, f"the picture of material {material}{name}")

    def accessor(self, number: int) -> Array:
        """Returns [count, width] as the specification reads it: normalised values are fractions,
        sparse ones are put in place.
        """
        row = self.tree["accessors"][number]
        kind = np.dtype(TYPES[row["componentType"]]).newbyteorder("<")
        width = WIDTHS[row["type"]]
        if "bufferView" in row:
            values = self.strided(
                row["bufferView"], row.get("byteOffset", 0), row["count"], width, kind
            )
        else:
            # without a view an accessor is all zeros, on which sparse values are put (3.6.2.3)
            values = np.zeros((row["count"], width), kind)
        sparse = row.get("sparse")
        if sparse:
            # a view of the file's bytes cannot be written to
            values = values.copy()
            where, what = sparse["indices"], sparse["values"]
            index_kind = np.dtype(TYPES[where["componentType"]]).newbyteorder("<")
            index = self.strided(
                where["bufferView"], where.get("byteOffset", 0), sparse["count"], 1, index_kind
            )
            values[index[:, 0]] = self.strided(
                what["bufferView"], what.get("byteOffset", 0), sparse["count"], width, kind
            )
        return fraction(values, row)

    def strided(self, view: int, offset: int, count: int, width: int, kind: np.dtype[Any]) -> Array:
        """Returns [count, width] of a dtype from byte `offset` of a view on, as a view with
        strides. Raises ValueError for a view that ends before.
        """
        row = self.tree["bufferViews"][view]
        # no stride: rows lie close together
        stride = row.get("byteStride") or width * kind.itemsize
        data = self.view(view)
        # the last row ends with its values: nothing need follow up to the next stride
        needed = offset + stride * (count - 1) + width * kind.itemsize if count else 0
        if needed > len(data):
            raise ValueError(f"a view of {len(data)} bytes is read up to byte {needed}")
        # a view with strides: nothing is copied until a caller computes with it
        return np.ndarray((count, width), kind, data, offset, (stride, kind.itemsize))

    def view(self, number: int) -> bytes:
        row = self.tree["bufferViews"][number]
        if "EXT_meshopt_compression" in row.get("extensions", {}) and "buffer" not in row:
            raise Unsupported(f"a view is only there as EXT_meshopt_compression; {CONVERT}")
        start = row.get("byteOffset", 0)
        data = self.buffer(row["buffer"])[start : start + row["byteLength"]]
        if len(data) != row["byteLength"]:
            raise ValueError(f"a view of {row['byteLength']} bytes holds {len(data)}")
        return data

    def buffer(self, number: int) -> bytes:
        if number not in self.buffers:
            uri = self.tree["buffers"][number].get("uri")
            if uri is None:
                # a buffer without an address is the GLB's own binary chunk
                data = self.binary
            else:
                data = inline(uri) if uri.startswith("data:") else self.shelf.contents(uri)
            if data is None:
                raise ValueError(f"its buffer {uri or number} is missing; put it beside the file")
            self.buffers[number] = data
        return self.buffers[number]


@dataclass(frozen=True)
class Columns:
    """The attributes of a primitive, from its accessors or, where it has them, from Draco's data.
    numbers: name -> accessor.
    """

    file: Gltf
    numbers: Json
    unpacked: Unpacked | None

    def __getitem__(self, name: str) -> Array:
        """Returns [count, width] as `Gltf.accessor` does."""
        number = self.numbers[name]
        if self.unpacked is None or name not in self.unpacked.columns:
            return self.file.accessor(number)
        # quantised attributes keep the accessor's meaning: normalised numbers are fractions after
        # decoding, too
        return fraction(self.unpacked.columns[name], self.file.tree["accessors"][number])


class Material:
    """What is read of a material. factor [4]: linear base colour and alpha; texture: reference to
    the picture of its base colour, or None; emission [3]: linear.

    glows: whether its base colour is black and it emits light. Factor and texture are then those of
    its light, since some exporters write the colours of a scan, which hold the light already, in
    that way.
    """

    def __init__(self, row: Json, name: str) -> None:
        model, light = row.get("pbrMetallicRoughness", {}), "baseColor"
        # a file with both means glossiness for readers that know it, with the defaults of its own
        if GLOSSY in row.get("extensions", {}):
            model, light = extension(row, GLOSSY), "diffuse"
        self.row = row
        self.name = name
        self.factor = np.array(model.get(f"{light}Factor", [1.0, 1.0, 1.0, 1.0]))
        self.texture: Json | None = model.get(f"{light}Texture")
        strength = extension(row, "KHR_materials_emissive_strength").get("emissiveStrength", 1.0)
        self.emission = np.array(row.get("emissiveFactor", (0.0, 0.0, 0.0))) * strength
        # unlit surfaces show their base colour alone
        if "KHR_materials_unlit" in row.get("extensions", {}):
            self.emission = np.zeros(3)
        self.glows = bool(self.emission.any() and not self.factor[:3].any())
        if self.glows:
            self.factor = np.array([*np.clip(self.emission, 0, 1), self.factor[3]])
            self.texture = row.get("emissiveTexture")


def extension(row: Json, name: str) -> Json:
    content: Json = row.get("extensions", {}).get(name, {})
    return content


def fraction(values: Array, row: Json) -> Array:
    """Returns the values [n, width] of an accessor, as fractions in [-1, 1], float64, where it says
    that they are normalised.
    """
    kind = np.dtype(TYPES[row["componentType"]])
    if not row.get("normalized") or kind.kind not in "ui":
        return values
    # -128 and -127 are both -1 (3.6.2.2)
    return np.maximum(values.astype("float64") / np.iinfo(kind).max, -1.0)


def inline(uri: str) -> bytes:
    """Returns the bytes of a data: URI."""
    return base64.b64decode(uri.split(",", 1)[1])


def local(node: Json) -> Floats:
    """Returns [4, 4] of a node: its matrix (column by column), or translation x rotation
    x scale.
    """
    if "matrix" in node:
        # written column by column, NumPy reads row by row
        return np.array(node["matrix"], "float64").reshape(4, 4).T
    # x, y, z, w: the scalar last
    x, y, z, w = node.get("rotation", (0.0, 0.0, 0.0, 1.0))
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix = np.eye(4)
    # columns times scale: scaled first, then turned
    matrix[:3, :3] = turn * np.array(node.get("scale", (1.0, 1.0, 1.0)))
    matrix[:3, 3] = node.get("translation", (0.0, 0.0, 0.0))
    return matrix


def corners(order: Integers, mode: int) -> Integers:
    """Returns [f, 3], the corners of the triangles of `order`. mode: 4 triangles, 5 a strip, 6 a
    fan (specification, 3.7.2.1).
    """
    # one or two left over form no triangle, and are ignored (3.7.2.1)
    if mode == 4:
        return order[: len(order) // 3 * 3].reshape(-1, 3)
    if mode == 5:
        return strip(order)
    count = max(len(order) - 2, 0)
    i = np.arange(count)
    # the specification begins a fan's triangle with the rim, its centre last
    return np.stack([order[i + 1], order[i + 2], np.full(count, order[0])], 1)


def transformed(uv: Floats, moved: Json) -> Floats:
    """Returns uv [v, 2] after KHR_texture_transform: scaled, turned, then moved."""
    turn = moved.get("rotation", 0.0)
    # scale, then rotation, then offset: the order of the extension's matrices
    u, v = (uv * np.array(moved.get("scale", (1.0, 1.0)))).T
    c, s = np.cos(turn), np.sin(turn)
    # v runs downwards: the extension's angle counts the other way about
    return np.stack([c * u + s * v, c * v - s * u], 1) + np.array(moved.get("offset", (0.0, 0.0)))
