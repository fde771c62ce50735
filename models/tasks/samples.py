"""Which views make a sample: single views, pairs and triplets of one point, pairs for matching.

Source: `load_ops` of the released code (fixated: all i < j views of a point; egomotion: all i < j <
k; non-fixated: images that merely see a common point); positives and negatives of point matching
are 1:1 here (the published lists are lost).
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from models.tasks.task import Task
from models.tasks.view import Camera, ViewKey


def samples(
    task: Task,
    keys: Sequence[ViewKey],
    cameras: Mapping[ViewKey, Camera],
    rng: np.random.Generator,
    limit: int,
) -> np.ndarray:
    """[sample, task.images] int32 positions in `keys`, at most `limit` rows, drawn without
    replacement by `rng`, sorted.

    Views that do not form a pair or triplet give no sample; the result may be empty.
    """
    if task.images == 1:
        rows = [(i,) for i in range(len(keys))]
    elif task.name == "point_matching":
        rows = matching_pairs(keys, cameras, rng, limit)
    elif task.name == "nonfixated_pose":
        rows = seeing_pairs(keys, cameras)
    else:
        rows = [
            row
            for members in of_a_point(keys).values()
            for row in itertools.combinations(members, task.images)
        ]
    rows = np.array(sorted(rows), "int32").reshape(-1, task.images)
    if len(rows) > limit:
        rows = rows[np.sort(rng.choice(len(rows), limit, replace=False))]
    return rows


def of_a_point(keys: Sequence[ViewKey]) -> dict[tuple[str, int], list[int]]:
    """(building, point) -> positions of its views, in order of the view's number."""
    members = defaultdict(list)
    for i in sorted(range(len(keys)), key=lambda i: keys[i]):
        members[keys[i].building, keys[i].point].append(i)
    return dict(members)


def matching_pairs(
    keys: Sequence[ViewKey], cameras: Mapping[ViewKey, Camera], rng: np.random.Generator, limit: int
) -> list[tuple[int, int]]:
    """positives: pairs of views of one point; exactly as many negatives, at most `limit` rows
    together.

    A negative has the first view of its positive and a view of another point of the same building,
    so that style gives nothing away; neither sees the point that the other fixates, so that the
    answer "no" is true. A positive for which the building holds no such view is left out with it.
    """
    positives = [
        pair for members in of_a_point(keys).values() for pair in itertools.combinations(members, 2)
    ]
    by_building = defaultdict(list)
    for i, key in enumerate(keys):
        by_building[key.building].append(i)
    rows, taken = [], set()
    for place in rng.permutation(len(positives)):
        if len(rows) + 2 > limit:
            break
        first = positives[place][0]
        for other in rng.permutation(by_building[keys[first].building]).tolist():
            if frozenset((first, other)) not in taken and strangers(
                keys[first], keys[other], cameras
            ):
                taken.add(frozenset((first, other)))
                rows += [positives[place], (first, other)]
                break
    return rows


def strangers(first: ViewKey, second: ViewKey, cameras: Mapping[ViewKey, Camera]) -> bool:
    """do the views fixate different points, and neither sees the other's? Without cameras only the
    former is known.
    """
    return (
        first.point != second.point
        and not sees(first, second, cameras)
        and not sees(second, first, cameras)
    )


def sees(viewer: ViewKey, fixating: ViewKey, cameras: Mapping[ViewKey, Camera]) -> bool:
    """does `viewer` see the point that `fixating` fixates? By line of sight where the data set
    tells, else by the field of view, else no.
    """
    if viewer not in cameras:
        return False
    camera = cameras[viewer]
    if camera.points_in_view is not None:
        return fixating.point in camera.points_in_view
    point = cameras[fixating].point if fixating in cameras else None
    return point is not None and in_frustum(camera, point)


def seeing_pairs(
    keys: Sequence[ViewKey], cameras: Mapping[ViewKey, Camera]
) -> list[tuple[int, int]]:
    """pairs of views of one building that fixate different points, the second of which sees the
    first's point.

    A view that lists its points in view (line of sight) is believed; of another the field of view
    is taken, a superset that ignores occlusion.
    """
    points: dict[str, dict[int, list[int]]] = defaultdict(dict)
    for (building, point), members in of_a_point(keys).items():
        points[building][point] = [i for i in members if keys[i] in cameras]
    rows = []
    for j, key in enumerate(keys):
        if key not in cameras:
            continue
        here, listed = points[key.building], cameras[key].points_in_view
        for point in here.keys() if listed is None else here.keys() & listed:
            rows += [
                (i, j) for i in here[point] if point != key.point and sees(key, keys[i], cameras)
            ]
    return rows


def in_frustum(camera: Camera, point: np.ndarray) -> bool:
    """does `point` (world, metres) project into the square image of `camera`?"""
    x, y, z = camera.rotation.T @ (point - camera.location)
    reach = -z * np.tan(camera.field_of_view / 2)
    return bool(z < 0 and abs(x) <= reach and abs(y) <= reach)
