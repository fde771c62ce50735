"""Chooses which views make a sample: single views, pairs and triplets of one point, pairs for
matching.

Source: `load_ops` of the released code (fixated: all i < j views of a point; egomotion: all i < j <
k; non-fixated: images that merely see a common point); positives and negatives of point matching
are 1:1 here (the published lists are lost).
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.tasks.arrays import Floats, Integers
from models.tasks.tables import complete
from models.tasks.task import SAMPLINGS, Task
from models.tasks.view import Camera, ViewKey

Row = tuple[int, ...]
Members = dict[tuple[str, int], list[int]]


@dataclass(frozen=True)
class Draw:
    """What samples are drawn from, and how. keys: of the views, whose positions a row holds;
    cameras: of those views that have one; images: positions a row; rng: draws the rows; limit: most
    rows.
    """

    keys: Sequence[ViewKey]
    cameras: Mapping[ViewKey, Camera]
    images: int
    rng: np.random.Generator
    limit: int


def samples(
    task: Task,
    keys: Sequence[ViewKey],
    cameras: Mapping[ViewKey, Camera],
    rng: np.random.Generator,
    limit: int,
) -> Integers:
    """Returns [sample, task.images] int32 positions in `keys`, at most `limit` rows, drawn without
    replacement by `rng`, sorted.

    Views that do not form a pair or triplet give no sample; the result may be empty.
    """
    draw = Draw(keys, cameras, task.images, rng, limit)
    # sorted first, so that the draw does not depend on the order in which a sampler gives rows
    rows = np.array(sorted(SAMPLERS[task.sampling](draw)), "int32").reshape(-1, task.images)
    if len(rows) > limit:
        rows = rows[np.sort(rng.choice(len(rows), limit, replace=False))]
    return rows


def of_one_point(draw: Draw) -> list[Row]:
    """Returns all combinations of the views that fixate one point; for single views each view,
    whatever it fixates.
    """
    if draw.images == 1:
        return [(i,) for i in range(len(draw.keys))]
    return list(Combinations(draw.keys, draw.images))


class Combinations(Sequence[Row]):
    """All combinations of `images` views that fixate one point, point after point by name. Each is
    made when it is asked for, so that those of millions of views take eight bytes a view and a
    point.
    """

    def __init__(self, keys: Sequence[ViewKey], images: int) -> None:
        self.images = images
        # [n] int32 positions in the order of keys, and where in it each point's begin.
        self.members = in_order(keys)
        starts = [0]
        before: tuple[str, int] | None = None
        for i, place in enumerate(self.members.tolist()):
            key = keys[place]
            if before is not None and (key.building, key.point) != before:
                starts.append(i)
            before = (key.building, key.point)
        self.starts = np.array([*starts, len(self.members)], "int64")
        sizes = np.diff(self.starts)
        counts = [math.comb(size, images) for size in range(int(sizes.max(initial=0)) + 1)]
        # [points]: combinations up to and with each point's.
        self.ends = np.cumsum(np.array(counts, "int64")[sizes])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        if not 0 <= place < len(self):
            raise IndexError(f"combination {place} of {len(self)}")
        point = int(np.searchsorted(self.ends, place, "right"))
        rank = int(place - (self.ends[point - 1] if point else 0))
        return next(itertools.islice(self._of(point), rank, None))

    def __iter__(self) -> Iterator[Row]:
        for point in range(len(self.ends)):
            yield from self._of(point)

    def _of(self, point: int) -> Iterator[Row]:
        members = self.members[self.starts[point] : self.starts[point + 1]]
        return itertools.combinations(members.tolist(), self.images)


def in_order(keys: Sequence[ViewKey]) -> Integers:
    """Returns [n] int32 positions of the keys, ascending; keys that are in order are not sorted
    again.
    """
    if all(first <= second for first, second in itertools.pairwise(keys)):
        return np.arange(len(keys), dtype="int32")
    return np.array(sorted(range(len(keys)), key=lambda i: keys[i]), "int32")


def members_by_point(keys: Sequence[ViewKey]) -> Members:
    """Returns (building, point) -> positions of its views, in order of the view's number."""
    members: Members = defaultdict(list)
    for i in sorted(range(len(keys)), key=lambda i: keys[i]):
        members[keys[i].building, keys[i].point].append(i)
    return dict(members)


def matching_pairs(draw: Draw) -> list[Row]:
    """Returns pairs of views of one point (positives) and exactly as many negatives, at most
    `limit` rows together.

    A negative has the first view of its positive and a view of another point of the same building,
    so that style gives nothing away; neither sees the point that the other fixates, so that the
    answer "no" is true. A positive for which the building holds no such view is left out with it.
    """
    positives = Combinations(draw.keys, draw.images)
    by_building = positions_by_building(draw.keys)
    rows: list[Row] = []
    negatives: set[frozenset[int]] = set()
    for place in draw.rng.permutation(len(positives)):
        # a positive and its negative go in together or not at all
        if len(rows) + 2 > draw.limit:
            break
        positive = positives[int(place)]
        first = positive[0]
        others = draw.rng.permutation(by_building[draw.keys[first].building]).tolist()
        other = stranger_of(first, others, negatives, draw)
        if other is not None:
            # a set: a pair is the same pair in either order
            negatives.add(frozenset((first, other)))
            rows += [positive, (first, other)]
    return rows


def positions_by_building(keys: Sequence[ViewKey]) -> dict[str, Sequence[int]]:
    """Returns building -> positions of its views, a range where they stand side by side."""
    spans: dict[str, Sequence[int]] = {}
    start = 0
    for building, views in itertools.groupby(keys, key=lambda key: key.building):
        stop = start + sum(1 for _ in views)
        here = range(start, stop)
        spans[building] = [*spans[building], *here] if building in spans else here
        start = stop
    return spans


def stranger_of(
    first: int, others: Iterable[int], negatives: set[frozenset[int]], draw: Draw
) -> int | None:
    """Returns the first of the positions `others` that makes a true and a new negative with
    `first`, None if there is none.
    """
    for other in others:
        repeat = frozenset((first, other)) in negatives
        if not repeat and strangers(draw.keys[first], draw.keys[other], draw.cameras):
            return other
    return None


def strangers(first: ViewKey, second: ViewKey, cameras: Mapping[ViewKey, Camera]) -> bool:
    """Returns whether the views fixate different points, and neither sees the other's. Without
    cameras only the former is known.
    """
    return (
        first.point != second.point
        and not sees(first, second, cameras)
        and not sees(second, first, cameras)
    )


def sees(viewer: ViewKey, fixating: ViewKey, cameras: Mapping[ViewKey, Camera]) -> bool:
    """Returns whether `viewer` sees the point that `fixating` fixates: by line of sight where the
    data set tells, else by the field of view, else no.
    """
    if viewer not in cameras:
        return False
    camera = cameras[viewer]
    if camera.points_in_view is not None:
        return fixating.point in camera.points_in_view
    point = cameras[fixating].point if fixating in cameras else None
    return point is not None and in_frustum(camera, point)


def seeing_pairs(draw: Draw) -> list[Row]:
    """Returns pairs of views of one building that fixate different points, the second of which sees
    the first's point.

    A view that lists its points in view (line of sight) is believed; of another the field of view
    is taken, a superset that ignores occlusion.
    """
    keys = draw.keys
    by_building: dict[str, dict[int, list[int]]] = defaultdict(dict)
    for (building, point), members in members_by_point(keys).items():
        by_building[building][point] = [i for i in members if keys[i] in draw.cameras]
    rows: list[Row] = []
    for j, key in enumerate(keys):
        if key not in draw.cameras:
            continue
        here = by_building[key.building]
        points_in_view = draw.cameras[key].points_in_view
        others = here.keys() if points_in_view is None else here.keys() & points_in_view
        rows += [
            (i, j)
            for point in others - {key.point}
            for i in here[point]
            if sees(key, keys[i], draw.cameras)
        ]
    return rows


def in_frustum(camera: Camera, point: Floats) -> bool:
    """Returns whether `point` ([3], world, metres) projects into the square image of `camera`."""
    x, y, z = camera.rotation.T @ (point - camera.location)
    reach = -z * np.tan(camera.field_of_view / 2)
    return bool(z < 0 and abs(x) <= reach and abs(y) <= reach)


# The values of `Task.sampling`, each with its function.
SAMPLERS: dict[str, Callable[[Draw], list[Row]]] = complete(
    "how views are sampled",
    SAMPLINGS,
    {"one point": of_one_point, "line of sight": seeing_pairs, "matching": matching_pairs},
)
