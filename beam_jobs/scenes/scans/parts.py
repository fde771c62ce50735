"""What all readers of mesh files share: the placed parts that they make, and the files beside a
mesh.
"""

from __future__ import annotations

import hashlib
import io
import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from PIL import Image

from models.tasks.arrays import Array, Floats, Integers

# What is read beyond a picture's border: the border's own colour, the picture again, or the picture
# mirrored.
BORDER, REPEAT, MIRROR = 0, 1, 2
# Colours with numbers above this are codes and no fractions.
BRIGHTEST = 2.0
# Pixels of a picture at most: twice the largest texture that photogrammetry writes (16384 x 16384).
LARGEST_PICTURE = 1 << 29
PLAIN = "its surfaces take their material's plain colour"


class Unsupported(ValueError):
    """A sound file that requires what is not read here; the message says how to convert it."""


@dataclass(frozen=True)
class Part:
    """One surface, placed, in the file's own axes and units. vertices [v, 3] float64; faces [f, 3];
    triangle [f]: which of the file's triangles each face is (`Contents`); uv [v, 2] (v upwards);
    colour [v, 3] float32 in [0, 1] as pictures are coded (sRGB), which multiplies the picture;
    picture: of Pillow, or None; wrap: BORDER, REPEAT or MIRROR along u and along v; linear: whether
    colour is of light and not coded: it is then interpolated between vertices, and multiplied with
    the picture's, as light.

    cutoff: where alpha [v] float32 times the picture's is below it, the surface is absent; 0: it
    has no holes, and alpha may be None.
    """

    vertices: Floats
    faces: Integers
    triangle: Integers
    uv: Floats
    colour: Floats
    picture: Any = None
    wrap: tuple[int, int] = (REPEAT, REPEAT)
    cutoff: float = 0.0
    alpha: Floats | None = None
    linear: bool = False


@dataclass(frozen=True)
class Contents:
    """What a file holds. Its triangles are counted from 0 in the file's order, whatever parts they
    go into, after polygons are cut. triangles: how many there are, invisible ones included;
    properties: name -> a value for every triangle.
    """

    parts: list[Part]
    triangles: int
    properties: dict[str, Array] = field(default_factory=dict)


@dataclass
class Shelf:
    """The files beside a mesh. sources: name -> sha256 of every file that was asked for, "" of one
    that was missing; notes: what a person should know, one line each.
    """

    folder: Path
    sources: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    opened: dict[str, Any] = field(default_factory=dict)

    def note(self, line: str) -> None:
        """Adds a line to the notes, once."""
        # a mesh of a thousand parts would give the same note a thousand times
        if line not in self.notes:
            self.notes.append(line)

    def path(self, name: str) -> Path | None:
        """Returns the file that a name means, None if there is none. It is looked for as written,
        percent-decoded, with / for back-slashes, and beside the mesh under its last part alone
        (exporters write the paths of their own machine); then as a file whose name has the same
        letters, whatever their encoding. A file whose name is in another case is noted.
        """
        slashed = name.replace("\\", "/")
        spellings = (name, unquote(name), slashed, unquote(slashed), Path(slashed).name)
        for spelling in spellings:
            path = self.folder / spelling
            if spelling and path.is_file():
                return path
        for spelling in filter(None, spellings):
            match, same_case = alike(self.folder, spelling)
            if match and not same_case:
                other = legible(os.fsencode(match.name))
                self.note(f"{name} is not there: {other}, in another case, is taken")
            if match:
                return match
        return None

    def contents(self, name: str) -> bytes | None:
        """Returns what the file holds; None (and "" in `sources`) if there is none."""
        path = self.path(name)
        data = path.read_bytes() if path else None
        self.sources[name] = "" if data is None else hashlib.sha256(data).hexdigest()
        return data

    def picture(self, name: str) -> Any:
        """Returns the picture in a file beside the mesh, or None, which is noted."""
        name = name.strip()
        # kept even if it is missing, so that it is looked for and noted once
        if name not in self.opened:
            data = self.contents(name)
            if data is None:
                self.note(f"{name} is missing: {PLAIN}")
            self.opened[name] = None if data is None else self.decoded(data, name)
        return self.opened[name]

    def decoded(self, data: bytes, name: str) -> Any:
        """Returns the Pillow picture in a file's bytes, or None, which is noted."""
        try:
            with of_any_size():
                picture = Image.open(io.BytesIO(data))
            wide, high = picture.size
            if wide * high > LARGEST_PICTURE:
                self.note(
                    f"{name} is too large: expected at most {LARGEST_PICTURE} pixels, got {wide} x "
                    f"{high}; {PLAIN}; save it smaller"
                )
                return None
            # Pillow opens by the header alone: damage shows when the pixels are read
            picture.load()
        except Exception:  # Pillow raises many types for damaged files
            self.note(f"{name} is no readable picture: {PLAIN}")
            return None
        return picture


def legible(line: bytes) -> str:
    """Returns the text of a line in UTF-8, or else in Latin-1: letters of other encodings come out
    wrong, but no two names become one.
    """
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def alike(folder: Path, name: str) -> tuple[Path | None, bool]:
    """Returns (the file below a folder whose name has the same letters, or None; whether it is in
    the same case, too). Accents may be letters of their own, and names on the disk in another
    encoding than UTF-8.
    """
    same_case = True
    # an absolute path is another machine's; only its name is looked for, by `Shelf.path`
    if Path(name).is_absolute():
        return None, False
    for part in Path(name).parts:
        if (folder / part).exists():
            folder = folder / part
            continue
        spelling = unicodedata.normalize("NFC", part)
        spelt = {}
        for entry in os.listdir(folder) if folder.is_dir() else []:
            spelt[entry] = unicodedata.normalize("NFC", legible(os.fsencode(entry)))
        likely = [entry for entry in spelt if spelt[entry].casefold() == spelling.casefold()]
        if not likely:
            return None, False
        # the same case first; sorted, since a folder lists its files in any order
        best = min(likely, key=lambda entry: (spelt[entry] != spelling, entry))
        same_case &= spelt[best] == spelling
        folder = folder / best
    return (folder, same_case) if folder.is_file() else (None, False)


@contextmanager
def of_any_size() -> Iterator[None]:
    """Lifts Pillow's own limit, which refuses sound textures, until the block ends."""
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def strip(order: Integers) -> Integers:
    """Returns [n - 2, 3], the triangles of a strip of corners [n]: every second one is
    turned over.
    """
    i = np.arange(max(len(order) - 2, 0))
    odd = i % 2
    return np.stack([order[i], order[i + 1 + odd], order[i + 2 - odd]], 1)


def shown(linear: Floats) -> Floats:
    """Returns linear reflectance in [0, 1] as pictures code it (sRGB, IEC 61966-2-1), float32."""
    linear = np.clip(linear, 0, 1)
    curved = 1.055 * linear ** (1 / 2.4) - 0.055
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, curved), "float32")


def reflected(codes: Floats) -> Floats:
    """Returns the linear reflectance of codes in [0, 1], the inverse of `shown`."""
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


def fractions(values: Array) -> Floats:
    """Returns colours of any type as fractions in [0, 1], float64. values: all of a file's, whose
    maximum decides what they are: codes of 8 bits in a wider type are 8 bits.
    """
    kind = values.dtype
    # a colour that is no number is black
    values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    highest = values.max(initial=0)
    if kind.kind in "ui":
        # whatever values the file uses, no code is above its type's largest
        codes = [code for code in (255, 65535) if highest <= code <= np.iinfo(kind).max]
        scale = float(codes[0] if codes else np.iinfo(kind).max)
    else:
        # no standard says whether these are fractions or codes: a fraction may be a little above 1
        scale = 1.0 if highest <= BRIGHTEST else 255.0 if highest <= 255 else 65535.0
    return np.clip(values.astype("float64") / scale, 0, 1)
