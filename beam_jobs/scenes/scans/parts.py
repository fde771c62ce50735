"""What every reader of mesh files makes: placed parts; and the files beside a mesh."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from models.tasks.arrays import Array, Floats, Integers

# How coordinates beyond a picture's border are read: its border goes on, the picture begins again,
# or it goes back as in a mirror.
BORDER, REPEAT, MIRROR = 0, 1, 2
PLAIN = "its surfaces take their material's plain colour"


class Unsupported(ValueError):
    """A sound file that asks for what is not read here; the message says how to convert it."""


@dataclass(frozen=True)
class Part:
    """One surface, placed, in the file's own axes and units. vertices [v, 3] float64; faces [f, 3];
    triangle [f]: which of the file's triangles each face is (`Contents`); uv [v, 2] (v upwards);
    colour [v, 3] float32 in [0, 1] as pictures are coded (sRGB), which multiplies the picture;
    picture: of Pillow, or None; wrap: BORDER, REPEAT or MIRROR along u and along v.

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


@dataclass(frozen=True)
class Contents:
    """What a file holds. Its triangles are counted from 0 as the file has them, whatever parts they
    come into, polygons cut: triangles: how many there are, with those that nothing shows;
    properties: name -> value of every one of them.
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
        # a mesh of a thousand parts says the same a thousand times
        if line not in self.notes:
            self.notes.append(line)

    def path(self, name: str) -> Path | None:
        """the file that is meant: as it is written, percent-decoded, with / for back-slashes, or of
        that name beside the mesh (exporters write the paths of their own machine).
        """
        slashed = name.replace("\\", "/")
        for spelling in (name, unquote(name), slashed, unquote(slashed), Path(slashed).name):
            path = self.folder / spelling
            if spelling and path.is_file():
                return path
        return None

    def contents(self, name: str) -> bytes | None:
        """what the file holds; None (and noted in `sources`) if there is none."""
        path = self.path(name)
        data = path.read_bytes() if path else None
        self.sources[name] = "" if data is None else hashlib.sha256(data).hexdigest()
        return data

    def picture(self, name: str) -> Any:
        """the picture in a file beside the mesh, or None, which is noted."""
        name = name.strip()
        # asked for once: a missing picture is looked for and noted once, too
        if name not in self.opened:
            data = self.contents(name)
            if data is None:
                self.note(f"{name} is missing: {PLAIN}")
            self.opened[name] = None if data is None else self.decoded(data, name)
        return self.opened[name]

    def decoded(self, data: bytes, name: str) -> Any:
        """a Pillow picture of a file's bytes, or None, which is noted."""
        from PIL import Image

        try:
            picture = Image.open(io.BytesIO(data))
            # Pillow opens by the header alone: damage shows when the pixels are read
            picture.load()
        except Exception:  # Pillow raises many types for damaged files
            self.note(f"{name} is no readable picture: {PLAIN}")
            return None
        return picture


def shown(linear: Floats) -> Floats:
    """linear reflectance in [0, 1] as pictures code it, float32."""
    return np.asarray(np.clip(linear, 0, 1) ** (1 / 2.2), "float32")


def fractions(values: Array) -> Floats:
    """colours of any type as fractions: whole numbers of 8 or 16 bits are scaled, float64."""
    kind = np.asarray(values).dtype
    # the whole range of the type, whatever values the file uses
    scale = np.iinfo(kind).max if kind.kind in "ui" else 1.0
    return np.asarray(values, "float64") / scale
