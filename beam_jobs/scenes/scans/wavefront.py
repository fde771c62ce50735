"""Reads OBJ files and their MTL: relative indices, polygons of any shape, colours of vertices,
several material libraries, options and back-slashes in the names of pictures.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from beam_jobs.scenes.scans.parts import (
    BORDER,
    PLAIN,
    REPEAT,
    Contents,
    Part,
    Shelf,
    fractions,
    legible,
)
from beam_jobs.scenes.scans.polygons import cut
from models.tasks.arrays import Floats, Integers

# How many values may follow an option of map_Kd.
OPTIONS = {"-s": 3, "-o": 3, "-t": 3, "-mm": 2, "-blendu": 1, "-blendv": 1, "-cc": 1, "-clamp": 1,
           "-texres": 1, "-bm": 1, "-boost": 1, "-imfchan": 1, "-type": 1}  # fmt: skip
# elements that are no surface, or a surface that is not drawn here
LEFT_OUT = {"p": "points and lines", "l": "points and lines", "curv": "free-form curves",
            "curv2": "free-form curves", "surf": "free-form surfaces"}  # fmt: skip
GREY = 0.7  # surfaces without any material


@dataclass
class Material:
    """What is read of a material. colour [3] in [0, 1]; picture: of Pillow, or None; scale, move
    [2]: of its coordinates; wrap: of `Part`.

    MTL multiplies picture and colour, and so do most readers. Black beside a picture counts as
    white, as in Blend4Web and Sketchfab: exporters write `Kd 0 0 0` where the picture alone is
    meant, and by the letter all would be black.
    """

    colour: Floats = field(default_factory=lambda: np.ones(3))
    picture: Any = None
    scale: Floats = field(default_factory=lambda: np.ones(2))
    move: Floats = field(default_factory=lambda: np.zeros(2))
    wrap: tuple[int, int] = (REPEAT, REPEAT)

    def factor(self, mapped: bool) -> Floats:
        """Returns [3], by which a surface's colours are multiplied. mapped: whether it has
        coordinates in the picture.
        """
        meant = self.picture is None or not mapped or self.colour.any()
        return self.colour if meant else np.ones(3)


@dataclass
class Polygons:
    """All polygons of a file. counts: corners of each; material: the name of each one's; vertex,
    texture: indices of every corner, texture -1 without, one polygon behind the other.
    """

    counts: list[int] = field(default_factory=list)
    material: list[str] = field(default_factory=list)
    vertex: list[int] = field(default_factory=list)
    texture: list[int] = field(default_factory=list)


def read_obj(data: bytes, shelf: Shelf) -> Contents:
    """Returns what a file holds, a part for every material, in the order in which they are first
    used. Raises ValueError for a line that cannot be read.
    """
    vertices: list[list[float]] = []
    uvs: list[list[float]] = []
    polygons = Polygons()
    materials: dict[str, Material] = {}
    name = ""
    for number, line in lines(data):
        word, _, rest = line.partition(" ")
        values = spoken(rest).split()
        try:
            if word == "v":
                vertices.append(numbers(values, 3))
            elif word == "vt":
                # v is 0 where it is not written: a picture of one row
                uvs.append([*numbers(values, 1), 0.0][:2])
            elif word == "f":
                face(values, len(vertices), len(uvs), polygons)
                polygons.material.append(name)
            elif word == "usemtl":
                name = rest.strip(" ")
            elif word == "mtllib":
                materials |= library(rest.strip(" "), shelf)
            elif word in LEFT_OUT:
                shelf.note(f"{LEFT_OUT[word]} are left out: expected polygons (f)")
        except (ValueError, IndexError) as error:
            raise ValueError(f"line {number}, {line[:60]!r}: {error}") from error
    painted = vertex_colours(vertices)
    used = list(dict.fromkeys(polygons.material))
    for name in used:
        # a comment may stand behind a name, and # in one ("Material #25"): what there is decides
        bare_name = name.partition(" #")[0].rstrip()
        if name not in materials and bare_name in materials:
            materials[name] = materials[bare_name]
        if name and name not in materials:
            shelf.note(f"material {name} is in no material library: its surfaces are grey")
    points = np.array([vertices[i][:3] for i in polygons.vertex], "float64").reshape(-1, 3)
    triangles = cut(points, np.array(polygons.counts, "int64"))
    for line in triangles.notes:
        shelf.note(line)
    number_of = {name: number for number, name in enumerate(used)}
    material = np.array([number_of[name] for name in polygons.material], "int64")[triangles.polygon]
    pairs = np.stack([polygons.vertex, polygons.texture], 1).astype("int64")
    grey = Material(np.full(3, GREY))
    parts = []
    for number, name in enumerate(used):
        triangle = np.flatnonzero(material == number)
        if len(triangle):
            corners = pairs[triangles.corners[triangle].reshape(-1)]
            look = materials.get(name, grey)
            if look.picture is not None:
                note_unplaced(name, corners, shelf)
            parts.append(part(vertices, painted, uvs, corners, triangle, look))
    return Contents(parts, len(triangles.polygon))


def note_unplaced(name: str, pairs: Integers, shelf: Shelf) -> None:
    """Notes the triangles of a material with a picture that have no coordinates in it. pairs: [3 t,
    2], of `part`.
    """
    placed = (pairs[:, 1] >= 0).reshape(-1, 3).all(1)
    if not placed.any():
        shelf.note(
            f"material {name} has a picture, its surfaces no coordinates in it (vt): {PLAIN}"
        )
    elif not placed.all():
        shelf.note(
            f"{(~placed).sum()} of {len(placed)} triangles of material {name} have no coordinates "
            "in its picture (vt): they take the colour of its lower left corner"
        )


def lines(data: bytes) -> Iterator[tuple[int, str]]:
    """Yields (number, text) of every line that is neither empty nor a comment. One that ends in a
    back-slash is joined with the next.
    """
    begun = ""
    # split and stripped as bytes: a letter of another encoding may read as a blank in this one
    for number, row in enumerate(data.removeprefix(codecs.BOM_UTF8).splitlines(), 1):
        line = legible(row.strip()).replace("\t", " ")
        # first of all, since a comment may end in a Windows path and so in a back-slash
        if line.startswith("#"):
            continue
        line = begun + line
        if line.endswith("\\"):
            # a blank in its place: the line may break between two numbers
            begun = line[:-1] + " "
            continue
        begun = ""
        if line:
            yield number, line
    if begun.strip():
        yield number, begun.strip()


def spoken(text: str) -> str:
    """Returns a line of numbers without the comment behind them."""
    return text.partition("#")[0]


def numbers(values: list[str], least: int) -> list[float]:
    """Returns the values as numbers. Raises ValueError if there are fewer than `least`, or one is
    no number.
    """
    if len(values) < least:
        raise ValueError(f"expected at least {least} numbers, got {len(values)}")
    return [float(x) for x in values]


def face(values: list[str], vertices: int, uvs: int, polygons: Polygons) -> None:
    """Adds the polygon of one f line. vertices, uvs: how many there are so far. Negative numbers
    count back from the line itself.
    """
    polygons.counts.append(len(values))
    for value in values:
        index = value.split("/")
        polygons.vertex.append(counted(index[0], vertices))
        mapped = len(index) > 1 and index[1]
        polygons.texture.append(counted(index[1], uvs) if mapped else -1)


def counted(text: str, count: int) -> int:
    """Returns the index from 0 of what an OBJ file counts from 1, or from -1 backwards. Raises
    ValueError for an index beyond `count`.
    """
    number = int(text)
    # negative numbers count from the last vertex read so far, not the last of the file
    index = number - 1 if number > 0 else count + number
    if number == 0 or not 0 <= index < count:
        raise ValueError(f"expected an index from 1 to {count}, got {number}")
    return index


def part(
    vertices: list[list[float]],
    painted: Floats,
    uvs: list[list[float]],
    pairs: Integers,
    triangle: Integers,
    material: Material,
) -> Part:
    """Returns the part that some triangles make. painted: of `vertex_colours`; pairs [3 t, 2]:
    vertex and coordinate (-1: none) of their corners; corners that share both share a row.
    """
    # OBJ numbers places and coordinates apart: a vertex here is a pair that occurs
    rows, inverse = np.unique(pairs, axis=0, return_inverse=True)
    points = np.array([vertices[i][:3] for i in rows[:, 0]], "float64")
    uv = np.zeros((len(rows), 2))
    mapped = rows[:, 1] >= 0
    if mapped.any():
        uv[mapped] = np.array([uvs[i] for i in rows[mapped, 1]], "float64").reshape(-1, 2)
    picture = material.picture if mapped.any() else None
    colour = np.tile(material.factor(bool(mapped.any())), (len(rows), 1))
    # only if all have colours: half a part in vertices' colours would leave the rest without any
    if not np.isnan(painted[rows[:, 0]]).any():
        colour = painted[rows[:, 0]]
    return Part(
        points,
        inverse.reshape(-1, 3),
        triangle,
        # coordinates that are no numbers would end the look-up
        np.nan_to_num(uv) * material.scale + material.move,
        colour.astype("float32"),
        picture,
        material.wrap,
    )


def vertex_colours(vertices: list[list[float]]) -> Floats:
    """Returns [v, 3] fractions, NaN for a vertex without colour. Colours stand behind the place (x
    y z r g b); all of a file's together decide whether they are fractions or codes.
    """
    painted = np.array([len(vertex) >= 6 for vertex in vertices], bool)
    colour = np.full((len(vertices), 3), np.nan)
    if painted.any():
        colour[painted] = fractions(np.array([v[3:6] for v in vertices if len(v) >= 6], "float64"))
    return colour


def library(names: str, shelf: Shelf) -> dict[str, Material]:
    """Returns the materials of a mtllib line: one name, which may hold spaces, or several."""
    # a name may hold blanks: the whole line first
    single = shelf.path(names) is not None
    if not single:
        names = names.partition(" #")[0].rstrip()
        single = shelf.path(names) is not None
    materials: dict[str, Material] = {}
    for name in [names] if single else names.split():
        data = shelf.contents(name)
        if data is None:
            shelf.note(f"{name} is missing: the surfaces of its materials are grey")
            continue
        materials |= materials_of(data, shelf)
    return materials


def materials_of(data: bytes, shelf: Shelf) -> dict[str, Material]:
    """Returns {name: material} of an MTL file, and notes what is not read."""
    materials: dict[str, Material] = {}
    material = Material()
    name = ""
    ambient: list[str] = []
    diffuse: list[str] = []
    for _, line in lines(data):
        word, _, rest = line.partition(" ")
        values = spoken(rest).split()
        if word == "newmtl":
            name = rest.strip(" ")
            material = materials.setdefault(name, Material())
        elif word == "Kd" and values[:1] in (["xyz"], ["spectral"]):
            shelf.note(f"colours as {values[0]} (Kd) are not read: expected red, green, blue")
        elif word == "Kd":
            # one number stands for all three, as the format says
            material.colour = np.clip((numbers(values, 1) * 3)[:3], 0, 1)
        elif word in ("d", "Tr"):
            # d is how opaque, Tr how transparent: one is 1 minus the other
            transparent = float(values[-1]) if word == "Tr" else 1 - float(values[-1])
            if transparent > 0:
                shelf.note("translucent materials are drawn opaque")
        elif word.lower() == "map_kd":
            diffuse.append(name)
            picture, material.scale, material.move, clamped = picture_name(rest)
            material.wrap = (BORDER, BORDER) if clamped else (REPEAT, REPEAT)
            # a comment may stand behind it, and # in a name: what there is decides
            bare_path = picture.partition(" #")[0].rstrip()
            if shelf.path(picture) is None and shelf.path(bare_path) is not None:
                picture = bare_path
            material.picture = shelf.picture(picture)
        elif word.lower() == "map_ka":
            ambient.append(name)
        elif word.lower() == "map_d":
            shelf.note("pictures of transparency (map_d) are not read: drawn opaque")
    # exporters often write the same picture as both; only one that stands alone is lost
    for name in ambient:
        if name not in diffuse:
            shelf.note(
                f"material {name} has a picture of ambient light alone (map_Ka), which is not "
                f"read: {PLAIN}; name it as map_Kd"
            )
    return materials


def picture_name(text: str) -> tuple[str, Floats, Floats, bool]:
    """Returns (name, scale [2], move [2], whether it ends at its border) of a map_Kd statement:
    options first, then a name that may hold spaces.
    """
    clamped = False
    scale = np.ones(2)
    move = np.zeros(2)
    words = text.split()
    rest = len(words)
    while words and words[0] in OPTIONS:
        option = words.pop(0)
        values: list[str] = []
        # the last word is the name, even where it looks like a number
        while words[1:] and len(values) < OPTIONS[option] and belongs(option, words[0]):
            values.append(words.pop(0))
        numbers = [float(x) for x in values if is_number(x)]
        if option == "-s":
            scale[: len(numbers[:2])] = numbers[:2]
        elif option == "-o":
            move[: len(numbers[:2])] = numbers[:2]
        elif option == "-clamp":
            clamped = values == ["on"]
    # cut from the text: a name may hold several blanks in a row
    name = text.split(None, rest - len(words))[-1] if words else ""
    return name.strip(), scale, move, clamped


def belongs(option: str, word: str) -> bool:
    """Returns whether the word is a value of the option: on and off, a channel, a kind of map, or a
    number.
    """
    if option in ("-blendu", "-blendv", "-cc", "-clamp", "-imfchan", "-type"):
        return True
    return is_number(word)


def is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
