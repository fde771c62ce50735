"""Decodes the views of a split when they are asked for: only the labels that a task reads, and
whole views while a stated memory is free, since the next task asks again.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from models.examples.example import parse_camera, parse_label, parse_view
from models.examples.index import Index, Keys
from models.examples.message import Choice, bytes_of
from models.examples.published import decode_recorded
from models.examples.splits import SPLITS
from models.tasks import DOMAINS, Camera, Task, View, ViewKey
from models.tasks.arrays import Bytes

# A map is measured against one of these where a task is masked by surfaces; the first that is there
# (`targets.surface`).
DEPTHS = ("depth_zbuffer", "depth_euclidean")
# The features that a camera is made of.
CAMERA = ("camera", "points_in_view")
# Cameras that are remembered while samples are drawn, a kilobyte or two each.
CAMERAS = 1 << 14


class Memory:
    """The bytes that whole decoded views may still take, of all splits together."""

    def __init__(self, left: int) -> None:
        self.left = left


class Views:
    """The views of one split of the examples, by their position in the order of keys."""

    def __init__(self, examples: str, index: Index, split: str, memory: Memory) -> None:
        self.examples = examples
        self.index = index
        self.split = split
        self.memory = memory
        self.whole: dict[int, View] = {}

    def __len__(self) -> int:
        return self.index.count(self.split)

    @property
    def keys(self) -> Keys:
        return self.index.keys(self.split)

    def spans(self) -> Iterator[range]:
        """Returns the ranges of positions of one building after the other."""
        return self.index.spans(self.split)

    def view(self, position: int, task: Task, picture: Bytes | None = None) -> View:
        """Returns a view with at least what a target of `task` is made of: its labels, and the
        camera only if it reads "point_info". Without "rgb" among the labels its picture may be
        black, unless it is asked for: then it is written into `picture`, uint8 [S, S, 3]. Raises
        DamagedRecord.
        """
        if position in self.whole:
            if picture is not None:
                picture[...] = self.whole[position].rgb
            return self.whole[position]
        if self.memory.left <= 0:
            return next(self._decoded([position], task, [picture]))
        view = parse_view(self.record(position))
        self.memory.left -= view.rgb.nbytes + sum(label.nbytes for label in view.labels.values())
        self.whole[position] = view
        if picture is not None:
            picture[...] = view.rgb
        return view

    def several(
        self, positions: Sequence[int], task: Task, pictures: Sequence[Bytes | None]
    ) -> Iterator[View]:
        """Yields what `view` returns for each of some positions and pictures, of which all or none
        are given. Raises DamagedRecord.
        """
        if self.memory.left > 0 or self.whole:
            return (self.view(i, task, picture) for i, picture in zip(positions, pictures))
        return self._decoded(positions, task, pictures)

    def prefetch(self, positions: Sequence[int], choose: Choice) -> None:
        """Has the system fetch those features of some views that `choose` takes."""
        self.index.prefetch(self.examples, self.split, positions, choose)

    def prefetch_images(self, positions: Sequence[int]) -> None:
        """Has the system fetch what `image` will read."""
        self.prefetch(positions, picture_alone)

    def _decoded(
        self, positions: Sequence[int], task: Task, pictures: Sequence[Bytes | None]
    ) -> Iterator[View]:
        """Does the work of `several` where no view stays decoded.

        All are read before the first is decoded, and where no map is decoded but the picture all
        else of them is made before the first picture, and all labels behind the last: behind a
        picture, which takes the processor's cache, the same lines of Python take two to four times
        as long.
        """
        choose = functools.partial(read_by, task, any(p is not None for p in pictures))
        keys = [self.index.key(self.split, i) for i in positions]
        # the last first, so that each is taken from the end and let go
        records = [self.features(i, choose) for i in positions][::-1]
        size = self.index.size
        if task.output.dense and task.labels != ("rgb",):
            # a map is still in the processor's cache when the target is made of it
            for key, picture in zip(keys, pictures):
                features = records.pop()
                yield view_of(task, key, features, picture_in(features, size, picture))
            return
        views = [
            view_of(
                task,
                key,
                features,
                picture_in(features, size, None) if picture is None else picture,
            )
            for key, features, picture in zip(keys, reversed(records), pictures)
        ]
        for picture in pictures:
            features = records.pop()
            if picture is not None:
                image_of(features, picture)
        yield from views

    def camera(self, position: int) -> Camera | None:
        if position in self.whole:
            return self.whole[position].camera
        return parse_camera(self.features(position, camera_alone))

    def image(self, position: int) -> Bytes:
        """Returns the picture of a view, uint8 [S, S, 3]."""
        if position in self.whole:
            return self.whole[position].rgb
        return image_of(self.features(position, picture_alone))

    def record(self, position: int) -> bytes:
        return self.index.record(self.examples, self.split, position)

    def features(self, position: int, choose: Choice) -> dict[str, Any]:
        """Returns name -> feature of a view, of those that `choose` takes; nothing else of it is
        read.
        """
        return self.index.features(self.examples, self.split, position, choose)


def views_of(examples: str, index: Index, decoded: int) -> dict[str, Views]:
    """Returns the views of every split, of which `decoded` bytes together may stay decoded."""
    memory = Memory(decoded)
    return {split: Views(examples, index, split, memory) for split in SPLITS}


class Cameras(Mapping[ViewKey, Camera]):
    """The known cameras of some views, read when they are asked for; the last ones are
    remembered.
    """

    def __init__(self, views: Views, positions: range) -> None:
        self.views = views
        self.keys_here = views.keys[positions.start : positions.stop]
        self.start = positions.start
        # a cache for this instance: one on the method would keep every instance alive
        self.camera = functools.lru_cache(maxsize=CAMERAS)(self._camera)

    def _camera(self, key: object) -> Camera | None:
        if not isinstance(key, ViewKey):
            return None
        # keys stand in order
        place = bisect.bisect_left(self.keys_here, key)
        if place == len(self.keys_here) or self.keys_here[place] != key:
            return None
        return self.views.camera(self.start + place)

    def __contains__(self, key: object) -> bool:
        return self.camera(key) is not None

    def __getitem__(self, key: ViewKey) -> Camera:
        camera = self.camera(key)
        if camera is None:
            raise KeyError(key)
        return camera

    def __iter__(self) -> Iterator[ViewKey]:
        return (key for key in self.keys_here if key in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def read_by(task: Task, picture: bool, there: Sequence[str]) -> tuple[str, ...]:
    """Returns the names of those features of a record that a target of `task` is made of, and of
    the picture where it is asked for. The key is not among them: the index says it.
    """
    return wanted_of(task.labels, task.mask == "surface", picture, tuple(there))


@functools.lru_cache(maxsize=256)
def wanted_of(
    labels: tuple[str, ...], surface: bool, picture: bool, there: tuple[str, ...]
) -> tuple[str, ...]:
    """Does the work of `read_by`, once for all records that have the same features."""
    names = set(labels)
    if picture:
        names.add("rgb")
    if "point_info" in names:
        names.update(CAMERA)
    if surface:
        names.update([folder for folder in DEPTHS if folder in there][:1])
    return tuple(name for name in there if name in names)


def camera_alone(there: Sequence[str]) -> list[str]:
    return [name for name in there if name in CAMERA]


def picture_alone(there: Sequence[str]) -> list[str]:
    return [name for name in there if name == "rgb"]


def view_of(task: Task, key: ViewKey, features: Any, rgb: Bytes) -> View:
    """Returns the view made of its picture rgb, [S, S, 3] uint8, and those features that `read_by`
    takes.
    """
    return View(
        key,
        rgb,
        parse_camera(features) if "point_info" in task.labels else None,
        {
            folder: parse_label(features[folder], DOMAINS[folder])
            for folder in dict.fromkeys((*task.labels, *DEPTHS))  # each once
            if folder in features and folder != "rgb"
        },
    )


def picture_in(features: Any, size: int, picture: Bytes | None) -> Bytes:
    """Returns the picture among the features of a record, black where there is none. picture: where
    it is written, if it is given.
    """
    return image_of(features, picture) if "rgb" in features else black(size)


@functools.lru_cache(maxsize=8)
def black(size: int) -> Bytes:
    """Returns zeros, uint8 [size, size, 3], in place of a picture that nobody reads: one array for
    each size, which nobody may write into.
    """
    picture = np.zeros((size, size, 3), "uint8")
    picture.flags.writeable = False
    return picture


def image_of(features: Any, picture: Bytes | None = None) -> Bytes:
    """Returns the picture [S, S, 3] uint8 among the features of a record; in `picture`, of the same
    shape, if it is given.
    """
    pixels = decode_recorded(bytes_of(features["rgb"]), DOMAINS["rgb"], picture)
    if picture is None or pixels is picture:
        return pixels
    picture[...] = pixels
    return picture
