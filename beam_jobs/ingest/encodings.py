"""Checks whether a building is written as the label contract has it. Depth in millimetres, normals
with green up or poses of another convention exceed no range, and a single view may tell nothing;
but all views of a building are written alike. Some views are looked at before any is read, the same
ones wherever the job runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from beam_jobs.ingest.listing import Building, key
from beam_jobs.ingest.read_view import Refusal, in_512ths, of_another_size, read
from models.examples.camera_height import camera_height
from models.examples.fixation import pose_contradiction, scale_shown
from models.examples.normal_axes import Contradiction, normal_contradiction
from models.examples.picture_edges import turn_contradiction
from models.tasks import Camera, ViewKey
from models.tasks.arrays import Array

GRID = 64  # pixels a side at which normals are held against depth
# How many views of a building are looked at: a few, and more if any of these is in doubt.
FEW = 3
MORE = 9
LEAST_VIEWS = 2  # that must say the same before a building is refused
SCALE_SPREAD = 1.15  # by which scales of one building may differ
# Codes a metre of other data sets: KITTI and Hypersim's tools, ours, millimetres (ScanNet, SUN
# RGB-D, NYU, RealSense, Habitat), Matterport, TUM RGB-D, HM3D of the larger sister set, 1/10 mm.
KNOWN_UNITS = (256, 512, 1000, 4000, 5000, 8192, 10_000)
LOOKED_AT = ("rgb", "point_info", "depth_zbuffer", "normal")
IF_ALONE = "depth_euclidean"  # looked at where there is no depth_zbuffer


@dataclass(frozen=True)
class Examined:
    """What some views of a building tell about the way all of them are written. foreign: why all
    are refused (how they are written instead, and what to do), "" if they are not. height: metres
    that cameras stand above the floor, where nothing surer tells the scale of depth, else None.
    """

    foreign: str = ""
    height: float | None = None


def examined(
    building: Building, codes: Sequence[int], folders: Sequence[str], units: float
) -> Examined:
    """Returns what the views looked at tell about how the building is written. codes: of the views
    that would be read; folders: labels of the building; units: depth codes a metre. Labels that
    cannot be read are ignored here: they are named when the views are read.
    """
    alone = "depth_zbuffer" not in folders
    label_folders = [IF_ALONE if alone and one == "depth_zbuffer" else one for one in LOOKED_AT]
    label_folders = [folder for folder in label_folders if folder in folders]
    by_view: list[list[Contradiction]] = []
    scales: list[float] = []
    heights: list[float] = []
    for number in looked_at(codes):
        if len(by_view) == FEW and not any(by_view) and all(scale == 1 for scale in scales):
            break
        values = read_labels(building, key(building.name, number), label_folders, units)
        # of one label alone nothing can be said
        if len(values) < 2:
            continue
        camera = values.pop("point_info", None)
        small = thinned(values)
        by_view.append(list(contradictions(values, small, camera)))
        scales += [scale for scale in [scale_shown(values, camera)] if scale is not None]
        # a height tells only where no scale does
        height = None if scales else camera_height(small, camera)
        heights += [] if height is None else [height]
    middle = float(np.median(heights)) if heights and not scales else None
    return Examined(scale_said(scales, units) or majority_said(by_view), middle)


def looked_at(codes: Sequence[int]) -> list[int]:
    """Returns at most `MORE` of a building's views, spread over all; the first `FEW` of them are
    spread over all too.
    """
    places = np.linspace(0, len(codes) - 1, min(MORE, len(codes))).round().astype(int).tolist()
    stride = max(1, (len(places) - 1) // (FEW - 1))
    order = sorted(range(len(places)), key=lambda i: (i % stride, i))
    return [codes[places[i]] for i in order]


def read_labels(
    building: Building, view: ViewKey, folders: Sequence[str], units: float
) -> dict[str, Any]:
    """Returns {folder: label} as the files have it, depth in 1/512 m, point_info as the camera,
    without the labels that cannot be read.
    """
    values: dict[str, Any] = {}
    for folder in folders:
        try:
            value = read(building, view, folder)
        except Refusal:
            continue
        values[folder] = value if isinstance(value, Camera) else in_512ths(value, folder, units)
    for flaw in of_another_size(values, building, view):
        values.pop(flaw.label)
    return values


def contradictions(
    maps: Mapping[str, Array], small: Mapping[str, Array], camera: Camera | None
) -> Iterator[Contradiction]:
    """Yields what contradicts the contract in one view's labels. maps: [S, S] or [S, S, 3]; small:
    the same, thinned.
    """
    findings = [normal_contradiction(small, camera)]
    if camera is not None:
        findings.insert(0, pose_contradiction(camera))
    if "rgb" in maps and "normal" in maps:
        findings.append(turn_contradiction(maps["rgb"], maps["normal"]))
    yield from filter(None, findings)


def thinned(maps: Mapping[str, Array]) -> dict[str, Array]:
    """Returns the maps [S, S, ...], all of one size, with every so many pixels of each."""
    return {name: value[:: step_of(value), :: step_of(value)] for name, value in maps.items()}


def step_of(value: Array) -> int:
    """Returns which of the pixels of a map [S, S, ...] are looked at: every so many."""
    return max(1, len(value) // GRID)


def majority_said(by_view: Sequence[Sequence[Contradiction]]) -> str:
    """Returns a text that says how most of the views looked at are written, "" if that is the
    contract's encoding. by_view: the contradictions of every view looked at.
    """
    doubtful = [row for row in by_view if row]
    if len(doubtful) < LEAST_VIEWS or 2 * len(doubtful) <= len(by_view):
        return ""
    kinds = Counter(one.kind for row in doubtful for one in row[:1])
    kind = kinds.most_common(1)[0][0]
    first = next(row[0] for row in doubtful if row[0].kind == kind)
    return (
        f"{first.words()}. {len(doubtful)} of the {len(by_view)} views looked at are not as the "
        "contract has them, so that the whole building is refused"
    )


def scale_said(scales: Sequence[float], units: float) -> str:
    """Returns a text that says on which scale depth is, "" if it is on the one that was given.
    scales: of every view that tells, 1 where depth is as deep as the camera's place says.
    """
    others = [scale for scale in scales if scale != 1]
    if len(others) < LEAST_VIEWS or 2 * len(others) <= len(scales):
        return ""
    scale = float(np.median(others))
    alike = [other for other in others if abs(np.log(other / scale)) < np.log(SCALE_SPREAD)]
    # scales that differ from view to view are no scale
    if 2 * len(alike) <= len(scales):
        return ""
    estimate = units * scale
    nearest = min(KNOWN_UNITS, key=lambda candidate: abs(np.log(candidate / estimate)))
    meant = nearest if abs(nearest / estimate - 1) < 0.1 else round(estimate)
    return (
        f"depth at the fixated point is {scale:.2f} times its distance from the camera in "
        f"{len(alike)} of the {len(scales)} views looked at that tell, read with {units:g} codes a "
        f'metre: write "depth_units_per_metre": {meant} into dataset.json (or '
        f'{{"BUILDING": {meant}, ...}} if only some are so); the whole building is refused'
    )
