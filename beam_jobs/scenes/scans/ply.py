"""Reads PLY files, ASCII or binary of either byte order: polygons of any shape, colours of vertices
and of faces in 8 or 16 bits or fractions, several pictures (texnumber), class ids of faces.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from beam_jobs.scenes.scans.parts import Contents, Part, Shelf, fractions, legible, strip
from beam_jobs.scenes.scans.polygons import cut
from models.tasks.arrays import Array, Floats, Integers

# PLY's own names and those with the width in them: files have either
TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
    "float": "f4", "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2",
    "int32": "i4", "uint32": "u4", "float32": "f4", "float64": "f8",
}  # fmt: skip
ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">", "ascii": "="}
COLOURS = (
    ("red", "green", "blue"),
    ("diffuse_red", "diffuse_green", "diffuse_blue"),
    ("r", "g", "b"),
)


@dataclass
class Element:
    """A kind of rows in a file: its name, how many rows, and its properties (name, type, type of
    the count of a list or "").
    """

    name: str
    count: int
    properties: list[tuple[str, str, str]] = field(default_factory=list)


def read_ply(data: bytes, shelf: Shelf) -> Contents:
    """Returns what a file holds, a part for every picture. Raises ValueError for a file that cannot
    be read.
    """
    # "=": words, no byte order
    elements, pictures, order, start = header(data)
    columns = ascii_columns(data[start:], elements) if order == "=" else {}
    if order != "=":
        columns = binary_columns(data, start, elements, order)
    vertex = columns.get("vertex", {})
    face = columns.get("face", {})
    lists = indices(face)
    strips = indices(columns.get("tristrips", {}))
    if len(strips) and len(lists):
        shelf.note("triangle strips (tristrips) are left out: the file has faces beside them")
    elif len(strips):
        lists = unrolled(strips)
    if not len(lists):
        return Contents([], 0)
    points = np.stack([np.asarray(vertex[axis], "float64") for axis in "xyz"], 1)
    corners, of_face = triangulated(points, lists, shelf)
    labels = {
        name: values[of_face]
        for name, values in face.items()
        if isinstance(values, np.ndarray) and values.dtype != object
    }
    pieces: list[Part] = []
    if len(corners):
        pieces = parts(points, vertex, face, corners, of_face, pictures, shelf)
    return Contents(pieces, len(corners), labels)


def indices(columns: dict[str, Any]) -> Any:
    """Returns the lists of vertices that faces or strips have; an empty list if there are none."""
    return columns.get("vertex_indices", columns.get("vertex_index", []))


def unrolled(rows: Any) -> Integers:
    """Returns [t, 3], the triangles of rows of strips; -1 ends a strip within a row."""
    triangles = [np.zeros((0, 3), "int64")]
    for row in rows:
        row = np.asarray(row, "int64")
        for piece in np.split(row, np.flatnonzero(row == -1)):
            triangles.append(strip(piece[piece != -1]))
    return np.concatenate(triangles)


def header(data: bytes) -> tuple[list[Element], list[str], str, int]:
    """Returns (elements, names of pictures, byte order, where the rows begin). Raises ValueError if
    it is no header.
    """
    # the header is text up to end_header, whatever follows it
    end = data.find(b"end_header")
    if not data.startswith(b"ply") or end < 0:
        raise ValueError("expected a header from ply to end_header")
    elements: list[Element] = []
    pictures: list[str] = []
    order = ""
    for line in map(legible, data[:end].splitlines()):
        words = line.split()
        if words[:1] == ["format"]:
            order = ORDERS[words[1]]
        elif words[:1] == ["element"]:
            elements.append(Element(words[1], int(words[2])))
        elif words[:2] == ["property", "list"]:
            # a list says the type of its count before that of its values
            elements[-1].properties.append((words[4], TYPES[words[3]], TYPES[words[2]]))
        elif words[:1] == ["property"]:
            elements[-1].properties.append((words[2], TYPES[words[1]], ""))
        elif words[:2] in (["comment", "TextureFile"], ["comment", "texturefile"]):
            pictures.append(line.split(None, 2)[2].strip())
    if not order:
        raise ValueError("expected a format line in the header")
    # after the line's own end, which may be two bytes
    return elements, pictures, order, data.index(b"\n", end) + 1


def ascii_columns(data: bytes, elements: list[Element]) -> dict[str, dict[str, Any]]:
    """Returns {element: {property: its values, or a list of arrays}} from rows of text. Raises
    ValueError if rows are missing.
    """
    words = data.split()
    at = 0
    columns: dict[str, dict[str, Any]] = {}
    for element in elements:
        width = len(element.properties)
        # no lists: all rows at once
        if not any(count for _, _, count in element.properties):
            # by way of float64: words such as 255.0 do not read as whole numbers
            table = np.array(words[at : at + width * element.count], "float64")
            if len(table) != width * element.count:
                raise ValueError(f"it ends before the last of {element.count} {element.name} rows")
            table = table.reshape(element.count, width)
            columns[element.name] = {
                name: table[:, k].astype(kind)
                for k, (name, kind, _) in enumerate(element.properties)
            }
            at += width * element.count
            continue
        rows: dict[str, list[Any]] = {name: [] for name, _, _ in element.properties}
        for _ in range(element.count):
            # rows of lists differ in length: word by word
            for name, kind, count in element.properties:
                many = int(words[at]) if count else 1
                at += 1 if count else 0
                values = np.array(words[at : at + many], "float64").astype(kind)
                if len(values) != many:
                    raise ValueError(f"it ends within its {element.name} rows")
                rows[name].append(values if count else values[0])
                at += many
        columns[element.name] = finished(rows, element)
    return columns


def finished(rows: dict[str, list[Any]], element: Element) -> dict[str, Any]:
    """Returns the columns of an element: lists stay lists of arrays, the other columns become
    arrays.
    """
    return {
        name: rows[name] if count else np.array(rows[name], kind)
        for name, kind, count in element.properties
    }


def binary_columns(
    data: bytes, at: int, elements: list[Element], order: str
) -> dict[str, dict[str, Any]]:
    """Returns {element: {property: its values, or a list of arrays}} from binary rows. Raises
    ValueError if rows are missing.
    """
    columns: dict[str, dict[str, Any]] = {}
    for element in elements:
        # no first row to take the lengths from
        if element.count == 0:
            columns[element.name] = {name: np.zeros(0) for name, _, _ in element.properties}
            continue
        lengths = first_lengths(data, at, element, order)
        row = row_type(element, lengths, order)
        # were all rows like the first, they would end here
        if at + row.itemsize * element.count <= len(data):
            table = np.frombuffer(data, row, element.count, at)
            # only if every count says the same is the reading right
            alike = all((table[f"{name} count"] == many).all() for name, many in lengths.items())
            if alike:  # nearly always: triangles throughout
                columns[element.name] = {name: table[name] for name, _, _ in element.properties}
                at += row.itemsize * element.count
                continue
        rows: dict[str, list[Any]] = {name: [] for name, _, _ in element.properties}
        for _ in range(element.count):
            for name, kind, count in element.properties:
                many = 1
                if count:
                    many = int(values_at(data, at, order + count, 1)[0])
                    at += np.dtype(count).itemsize
                values = values_at(data, at, order + kind, many)
                at += values.nbytes
                rows[name].append(values if count else values[0])
        columns[element.name] = finished(rows, element)
    return columns


def values_at(data: bytes, at: int, kind: str, count: int) -> Array:
    """Returns [count] values of a type from byte `at` on. Raises ValueError if the data end
    before.
    """
    size = np.dtype(kind).itemsize * count
    if at + size > len(data):
        raise ValueError(f"it ends after {len(data)} bytes, within a row")
    return np.frombuffer(data, kind, count, at)


def first_lengths(data: bytes, at: int, element: Element, order: str) -> dict[str, int]:
    """Returns the length of every list in the element's first row."""
    lengths: dict[str, int] = {}
    for name, kind, count in element.properties:
        if count:
            lengths[name] = int(values_at(data, at, order + count, 1)[0])
            at += np.dtype(count).itemsize + lengths[name] * np.dtype(kind).itemsize
        else:
            at += np.dtype(kind).itemsize
    return lengths


def row_type(element: Element, lengths: dict[str, int], order: str) -> np.dtype[Any]:
    """Returns the type of an element's rows, if all lists have these lengths."""
    fields: list[tuple[Any, ...]] = []
    for name, kind, count in element.properties:
        if count:
            fields += [(f"{name} count", order + count), (name, order + kind, (lengths[name],))]
        else:
            fields.append((name, order + kind))
    return np.dtype(fields)


def triangulated(points: Floats, lists: Any, shelf: Shelf) -> tuple[Integers, Integers]:
    """Returns (corners [t, 2, 3]: position in its polygon and vertex; [t] number of its
    polygon).
    """
    # triangles already: no polygon to cut, and a million faces stay one array
    if isinstance(lists, np.ndarray) and lists.shape[1] == 3:
        faces = lists.astype("int64")
        check_corners(faces.reshape(-1), np.full(len(faces), 3), len(points))
        spots = np.broadcast_to(np.arange(3), faces.shape)
        return np.stack([spots, faces], 1), np.arange(len(faces))
    counts = np.array([len(polygon) for polygon in lists], "int64")
    where = np.concatenate(list(lists)).astype("int64")
    check_corners(where, counts, len(points))
    triangles = cut(points[where], counts)
    for line in triangles.notes:
        shelf.note(line)
    starts = np.cumsum(counts) - counts
    spots = triangles.corners - starts[triangles.polygon, None]
    return np.stack([spots, where[triangles.corners]], 1), triangles.polygon


def check_corners(where: Integers, counts: Integers, vertices: int) -> None:
    """Raises ValueError if a corner is no vertex. where: [c], of all polygons, one behind the
    other; counts: [polygons], how many each has.
    """
    beyond = np.flatnonzero((where < 0) | (where >= vertices))
    if len(beyond):
        number = int(np.searchsorted(np.cumsum(counts), beyond[0], "right"))
        raise ValueError(
            f"face {number} has a corner beyond its {vertices} vertices: {where[beyond[0]]}"
        )


def parts(
    points: Floats,
    vertex: dict[str, Any],
    face: dict[str, Any],
    corners: Integers,
    of_face: Integers,
    names: list[str],
    shelf: Shelf,
) -> list[Part]:
    """Returns a part for every picture. Where faces have colours or coordinates of their own,
    corners do not share vertices. points: [v, 3]; corners [t, 2, 3], of_face [t]: of
    `triangulated`.
    """
    faces = corners[:, 1]
    colour = colours(vertex)
    of_faces = colours(face)
    uv = vertex_uv(vertex)
    texcoord = face.get("texcoord")
    # a corner with a colour of its own cannot share its vertex with another face's
    if of_faces is not None or texcoord is not None:
        points = points[faces.reshape(-1)]
        colour = colour[faces.reshape(-1)] if colour is not None else None
        # vertices' coordinates go along, in case faces bring only colours
        uv = uv[faces.reshape(-1)]
        faces = np.arange(len(points)).reshape(-1, 3)
        if of_faces is not None:
            colour = np.repeat(of_faces[of_face], 3, 0)
        if texcoord is not None:
            uv = np.concatenate(
                [
                    # a polygon's coordinates are listed corner by corner: the triangle takes those
                    # of its places in it
                    np.asarray(texcoord[number], "float64").reshape(-1, 2)[spots]
                    if len(texcoord[number])
                    else np.zeros((3, 2))
                    for number, spots in zip(of_face, corners[:, 0])
                ]
            )
    number = np.zeros(len(faces), "int64")
    if "texnumber" in face:
        number = np.asarray(face["texnumber"], "int64")[of_face]
    pictures = [shelf.picture(name) for name in names]
    mapped = texcoord is not None or has_uv(vertex)
    if names and not mapped:
        shelf.note(
            f"{', '.join(names)}: left out, since neither vertices (s, t) nor faces (texcoord) "
            "have coordinates in pictures"
        )
    nameless = (number < 0) | (number >= len(pictures))
    if pictures and nameless.any():
        shelf.note(
            f"{nameless.sum()} triangles name no picture that is there (texnumber "
            f"{number[nameless].min()} to {number[nameless].max()}, {len(pictures)} pictures): "
            "they are drawn without"
        )
    number[nameless] = len(pictures)
    pieces = []
    for k, picture in enumerate([*pictures, None]):
        own = number == k
        if not own.any():
            continue
        plain = 0.7 if picture is None or not mapped else 1.0
        painted = np.full((len(points), 3), plain) if colour is None else colour
        image = picture if mapped else None
        triangle = np.flatnonzero(own)
        pieces.append(Part(points, faces[own], triangle, uv, painted.astype("float32"), image))
    return pieces


def colours(columns: dict[str, Any]) -> Floats | None:
    """Returns [n, 3] fractions, or None if there are no colours."""
    for names in COLOURS:
        if all(name in columns for name in names):
            return fractions(np.stack([columns[name] for name in names], 1))
    return None


def has_uv(vertex: dict[str, Any]) -> bool:
    return any({a, b} <= vertex.keys() for a, b in PAIRS)


PAIRS = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"), ("texture_s", "texture_t"))


def vertex_uv(vertex: dict[str, Any]) -> Floats:
    """Returns [v, 2] coordinates of the vertices in pictures, zeros if there are none."""
    for a, b in PAIRS:
        # the first pair that a file has: exporters name them differently
        if {a, b} <= vertex.keys():
            return np.nan_to_num(np.stack([vertex[a], vertex[b]], 1).astype("float64"))
    return np.zeros((len(vertex["x"]), 2))
