"""Finds labelled pictures in a data set in the published layout, in either tree, or in a folder of
loose frames.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from beam_jobs.ingest.read_view import camera_of
from models.examples.published import LabelError, read_label
from models.provenance.visible import visible_folders
from models.tasks import DOMAINS, Domain
from models.tasks.arrays import Array

T = TypeVar("T")
ENDING = "_domain_rgb.png"
# How deep the folder `rgb` may be: 1 in the original tree, 3 in the community tool's.
DEEPEST_TREE = 3


@dataclass(frozen=True)
class Frame:
    """A picture and what is labelled beside it. rgb: the picture's file, below `root`."""

    root: Path
    rgb: Path

    @property
    def name(self) -> str:
        """The name of the view, point_P_view_V."""
        return self.rgb.name.removesuffix(ENDING)

    @property
    def place(self) -> str:
        """The folders between the root and the picture, "." if there are none."""
        return self.rgb.parent.relative_to(self.root).as_posix()

    @property
    def building(self) -> str:
        parts = self.place.split("/")
        return parts[-1] if parts[0] == "rgb" else parts[0]

    @property
    def component(self) -> str:
        """The component in the community tool's tree (rgb/component/building), "" in the other."""
        parts = self.place.split("/")
        return parts[1] if parts[0] == "rgb" and len(parts) == DEEPEST_TREE else ""

    def files(self, domain: Domain) -> Iterator[Path]:
        """Yields the paths where the label may lie, in every spelling: in the folder that stands
        where `rgb` does, or beside the picture.
        """
        suffixes = dict.fromkeys((domain.suffix, domain.folder, *domain.aliases))
        for folder in (*swapped(self.rgb.parent, domain.folder), self.rgb.parent):
            for suffix in suffixes:
                yield folder / f"{self.name}_domain_{suffix}.{domain.file}"

    def read(self, folder: str) -> Array | dict[str, Any] | None:
        """Returns the label as `read_label` does, [H, W] or [H, W, 3] of a map, or None if no valid
        one is there: a colour-coded copy made for viewing is no label.
        """
        domain = DOMAINS[folder]
        for path in self.files(domain):
            if path.exists():
                try:
                    return read_label(path, domain)
                except LabelError:
                    return None
        return None

    def map(self, folder: str) -> Array | None:
        """Returns the label if it is an array, [H, W] or [H, W, 3] of a map, else None."""
        value = self.read(folder)
        return value if isinstance(value, np.ndarray) else None

    def info(self) -> dict[str, Any]:
        """Returns point_info as published, {} if there is none or it describes no camera, as ingest
        would find.
        """
        value = self.read("point_info")
        try:
            camera_of(value if isinstance(value, dict) else {})
        except LabelError:
            return {}
        return value if isinstance(value, dict) else {}


def swapped(place: Path, folder: str) -> Iterator[Path]:
    """Yields the place with a part `rgb` replaced by `folder`, for each of the last three parts
    that is `rgb`.
    """
    for depth in range(1, DEEPEST_TREE + 1):
        parts = place.parts
        if len(parts) >= depth and parts[-depth] == "rgb":
            yield Path(*parts[: len(parts) - depth], folder, *parts[len(parts) - depth + 1 :])


def picture_folders(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yields (folder, sorted names of the pictures in it) of every folder below `root` that has
    some; links to folders are followed, as ingest follows them.
    """
    for folder, names in visible_folders(root):
        pictures = [
            name
            for name in fnmatch.filter(names, f"point_*_view_*{ENDING}")
            if os.path.exists(os.path.join(folder, name))  # a link may lead nowhere
        ]
        if pictures:
            yield Path(folder), pictures


def frames(root: Path) -> list[Frame]:
    """Returns every frame below `root`, by path. Raises ValueError if there is none."""
    paths = [folder / name for folder, names in picture_folders(root) for name in names]
    if not paths:
        raise no_views_error(root)
    return [Frame(root, path) for path in sorted(paths)]


def sample(root: Path, counts: Mapping[Path, int], most: int) -> list[Frame]:
    """Returns at most `most` frames, evenly spread over all below `root`: those that `spread` takes
    of `frames`, without a list of all. counts: pictures of each folder, in the order of
    `picture_folders`. Raises ValueError if there is none.
    """
    if not counts:
        raise no_views_error(root)
    folders = list(counts)
    ends = np.cumsum(list(counts.values()))
    selection = []
    for place in spread(range(int(ends[-1])), most):
        number = int(np.searchsorted(ends, place, "right"))
        folder = folders[number]
        # listed again: of most folders nothing is taken; counted from the end of its names
        _, names = next(picture_folders(folder))
        selection.append(Frame(root, folder / names[place - int(ends[number])]))
    return selection


def no_views_error(root: Path) -> ValueError:
    return ValueError(
        f"expected views in the published layout (point_*_view_*{ENDING}) below {root}, found none"
    )


def spread(all_frames: Sequence[T], most: int) -> list[T]:
    """Returns at most `most` frames, evenly spread over all."""
    count = min(most, len(all_frames))
    places: Iterable[float] = np.linspace(0, len(all_frames) - 1, count).round()
    return [all_frames[int(place)] for place in places]
