"""Which views make a sample: single views, pairs and triplets of one point, pairs for matching.

Source: `load_ops` of the released code (fixated: all i < j views of a point; egomotion: all i < j < k; non-fixated: images that merely see
a common point); positives and negatives of point matching are 1:1 here (the published lists are lost).
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from models.tasks.task import Task
from models.tasks.view import Camera, ViewKey


def samples(task: Task, keys: Sequence[ViewKey], cameras: Mapping[ViewKey, Camera], rng: np.random.Generator, limit: int) -> np.ndarray:
    """[sample, task.images] int32 positions in `keys`, at most `limit` rows, drawn without replacement by `rng`, sorted.

    Views that do not form a pair or triplet give no sample; the result may be empty.
    """
    if task.images == 1:
        rows = [(i,) for i in range(len(keys))]
    elif task.name == "point_matching":
        rows = matching_pairs(keys, rng)
    elif task.name == "nonfixated_pose":
        rows = seeing_pairs(keys, cameras)
    else:
        rows = [row for members in of_a_point(keys).values() for row in itertools.combinations(members, task.images)]
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


def matching_pairs(keys: Sequence[ViewKey], rng: np.random.Generator) -> list[tuple[int, int]]:
    """positives: all pairs of views of one point; as many negatives: views of two points of one building, so that style gives nothing away."""
    positives = [pair for members in of_a_point(keys).values() for pair in itertools.combinations(members, 2)]
    by_building = defaultdict(list)
    for i, key in enumerate(keys):
        by_building[key.building].append(i)
    negatives: set[tuple[int, int]] = set()
    for first, _ in positives:
        others = [j for j in by_building[keys[first].building] if keys[j].point != keys[first].point]
        if others:
            negatives.add((first, int(rng.choice(others))))
    return positives + sorted(negatives)


def seeing_pairs(keys: Sequence[ViewKey], cameras: Mapping[ViewKey, Camera]) -> list[tuple[int, int]]:
    """pairs of views of one building that fixate different points, the second of which has the first's point inside its frustum.

    Occlusion is not tested here: the published nonfixated_matches are; this is their superset within the field of view.
    """
    by_building = defaultdict(list)
    for i in sorted(range(len(keys)), key=lambda i: keys[i]):
        if keys[i] in cameras and cameras[keys[i]].point is not None:
            by_building[keys[i].building].append(i)
    rows = []
    for members in by_building.values():
        for i, j in itertools.permutations(members, 2):
            if keys[i].point != keys[j].point and in_frustum(cameras[keys[j]], cameras[keys[i]].point):
                rows.append((i, j))
    return rows


def in_frustum(camera: Camera, point: np.ndarray) -> bool:
    """does `point` (world, metres) project into the square image of `camera`?"""
    x, y, z = camera.rotation.T @ (point - camera.location)
    reach = -z * np.tan(camera.field_of_view / 2)
    return bool(z < 0 and abs(x) <= reach and abs(y) <= reach)
