"""What is known of a source from outside: its file, and how pictures become what it takes."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.provenance.digest import digest_of
from models.provenance.seals import seal_of, sha256_of, whole
from models.tasks import TASKS

DESCRIBED = "outside.json"
FORMS = ("keras", "saved_model", "onnx", "arrays")
# Forms that the exported graph can hold; the others are measured, and no policy that is served
# takes them.
SERVED = ("keras", "saved_model")
# Name -> (mean, deviation, blue first): what published encoders take, of pictures in [0, 1].
PREPROCESSING: Mapping[str, tuple[tuple[float, ...], tuple[float, ...], bool]] = {
    "unit": ((0.0,) * 3, (1.0,) * 3, False),
    "signed": ((0.5,) * 3, (0.5,) * 3, False),
    "bytes": ((0.0,) * 3, (1 / 255,) * 3, False),
    # Of EfficientNet-Lite: (bytes - 127) / 128.
    "lite": ((127 / 255,) * 3, (128 / 255,) * 3, False),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), False),
    # VGG and what descends from it: blue first, 0 to 255, less the mean colour.
    "caffe": ((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255,) * 3, True),
}
NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
# Words that stand for something else where sources are named.
TAKEN = ("pixels", "average", "scratch", "supervised", "self")


class SourceError(ValueError):
    """An encoder, or a name, that cannot be a source; one line that says what was expected."""


@dataclass(frozen=True)
class OutsideSource:
    """Raises SourceError for fields that contradict each other."""

    name: str
    # One of FORMS.
    form: str
    # Below the source's folder.
    file: str
    # Of `content_of`: of the file (an .npy with its keys), or of all files of a SavedModel.
    digest: str
    # Side of the pictures that the encoder takes; 0: those of the run as they are.
    size: int = 0
    # Of each colour, of pictures in [0, 1]: (picture - mean) / deviation.
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    deviation: tuple[float, ...] = (1.0, 1.0, 1.0)
    # Are colours given blue first?
    blue_first: bool = False
    # Layer whose output is taken, of a `.keras` model; "": its own output.
    layer: str = ""
    # Of what is kept: the principal components of the features.
    channels: int = 8
    # Name of the source whose weights were drawn anew for this one; "" for a source itself.
    control_of: str = ""

    def __post_init__(self) -> None:
        check_name(self.name)
        for name in ("mean", "deviation"):
            values = tuple(float(value) for value in getattr(self, name))
            object.__setattr__(self, name, values)
            if len(values) != 3:
                raise SourceError(f"{name} is three numbers, red green blue; got {values}")
        if min(self.deviation) <= 0:
            raise SourceError(f"a deviation is positive; got {self.deviation}")
        if self.form not in FORMS:
            raise SourceError(f"a form is one of {', '.join(FORMS)}; got {self.form!r}")
        if self.size < 0 or self.channels < 1:
            raise SourceError(
                f"size is 0 or more and channels 1 or more; got {self.size} and {self.channels}"
            )

    @property
    def served(self) -> bool:
        """Returns whether a bundle can hold the source."""
        return self.form in SERVED

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def check_name(name: str) -> None:
    """Raises SourceError for a name that a source from outside cannot have."""
    published = {entry.published for entry in TASKS.values()}
    if name in TASKS or name in published:
        raise SourceError(f"{name} is the name of a task; give the encoder another name")
    if name in TAKEN or name.endswith("_from_scratch") or not NAME.fullmatch(name):
        raise SourceError(
            f"{name!r} cannot name a source; expected small letters, digits and _, 2 to 40 of "
            f"them, a letter first, none of {', '.join(TAKEN)}"
        )


def check_map(name: str, shape: tuple[int | None, ...]) -> None:
    """Raises SourceError for features [h, w, c] of a picture that cannot be meant; None: not known
    before pictures come.
    """
    height, width, channels = shape
    if 0 in shape:
        raise SourceError(f"{name} gives features of shape {shape}, which hold nothing")
    # pictures are square, and so are their maps
    if None not in shape and height != width == channels:
        raise SourceError(
            f"{name} gives features of shape {shape}: channels seem to come first; expected [h, w, "
            "c], channels last"
        )


def read_source(folder: str | Path) -> OutsideSource:
    """Reads the description in a source's folder. Raises SourceError for other content."""
    path = Path(folder) / DESCRIBED
    try:
        facts = json.loads(path.read_text())
        return OutsideSource(**facts)
    except (OSError, ValueError, TypeError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"{path} describes no source ({error}); add it again") from error


def outside_sources(folder: str | Path) -> list[dict[str, Any]]:
    """Returns the sources below `folder`, by name, as pipeline nodes take them: the fields of
    `OutsideSource`, and "folder". Damaged ones are set aside and named.
    """
    rows = []
    for path in sorted(Path(folder).glob(f"*/{DESCRIBED}")):
        # a leading point: still being written
        if path.parent.name.startswith(".") or not whole(path.parent):
            continue
        rows.append({**read_source(path.parent).to_json(), "folder": str(path.parent.absolute())})
    return rows


def from_row(row: Mapping[str, Any]) -> tuple[OutsideSource, Path]:
    """Returns (source, its folder) of a row of `outside_sources`."""
    fields = {key: value for key, value in row.items() if key != "folder"}
    return OutsideSource(**fields), Path(row["folder"])


def keys_file(features: Path) -> Path:
    """Returns where the keys of an `.npy` of features lie: STEM.txt beside it."""
    return features.with_suffix(".txt")


def content_of(path: Path) -> str:
    """Returns 16 hex digits of a file, or of all files of a folder with their names; of an `.npy`
    with the keys beside it, which say whose features its rows are.
    """
    if path.is_dir():
        return digest_of(seal_of(path))
    if path.suffix == ".npy" and keys_file(path).exists():
        return digest_of([sha256_of(path), sha256_of(keys_file(path))])
    return digest_of(sha256_of(path))
