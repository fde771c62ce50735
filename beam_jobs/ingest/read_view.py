"""Reads one view: all its label files together, checked against each other and resized to the
training size.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from beam_jobs.ingest import storage
from beam_jobs.ingest.listing import Building
from models.examples.published import LabelError, MissingLabel, decode_label, read_label
from models.examples.resize import resized
from models.tasks import DOMAINS, Camera, View, ViewKey
from models.tasks.arrays import Array

PUBLISHED_UNITS = 512  # depth codes a metre
MISSING_DEPTH = 65535
# Every task reads the picture; what else a view lacks costs only the tasks that need it.
INDISPENSABLE = frozenset(("rgb",))


class Refusal(Exception):
    """What goes to the quarantine: the file that is to blame, and why. label: the folder of the
    label if that file alone is at fault, "" where the view is. absent: there is no such file, so
    that nothing is wrong with the view unless somebody lost it.
    """

    def __init__(self, file: str, reason: str, label: str = "", *, absent: bool = False) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason
        self.label = label
        self.absent = absent


def aligned(
    building: Building,
    key: ViewKey,
    folders: Sequence[str],
    size: int,
    units: float,
    strict: bool = False,
) -> tuple[View, list[Refusal]]:
    """Returns (the view at `size` x `size` pixels with the labels of `folders`, the labels that it
    goes without because their file is flawed or not there).

    units: depth codes a metre. strict: a flawed label costs the view. Raises Refusal, and nothing
    else for bad data.
    """
    values: dict[str, Any] = {}
    flaws: list[Refusal] = []
    for folder in folders:
        try:
            values[folder] = read(building, key, folder)
        except Refusal as refusal:
            flaws.append(refusal)
    flaws += of_another_size(values, building, key)
    for flaw in flaws:
        if strict or flaw.label in INDISPENSABLE:
            raise flaw
        values.pop(flaw.label, None)
    camera = values.pop("point_info", None)
    maps = {
        folder: resized(in_512ths(value, folder, units), DOMAINS[folder], size)
        if DOMAINS[folder].file == "png"
        else value
        for folder, value in values.items()
    }
    return View(key, maps.pop("rgb"), camera, maps), flaws


def of_another_size(values: Mapping[str, Any], building: Building, key: ViewKey) -> list[Refusal]:
    """Returns a refusal for each map that does not have the picture's size."""
    if "rgb" not in values:
        return []
    side = len(values["rgb"])
    return [
        Refusal(
            building.files(folder, key.point, key.view)[0],
            f"maps of different sizes: {len(value)} pixels, rgb {side}",
            folder,
        )
        for folder, value in values.items()
        if DOMAINS[folder].file == "png" and len(value) != side
    ]


def read(building: Building, key: ViewKey, folder: str) -> Array | Camera:
    """Returns the label in one file of a view ([S, S], [S, S, 3] or [n]), in whichever spelling its
    name has; point_info as the camera. Raises Refusal.
    """
    candidates = building.files(folder, key.point, key.view) if folder in building.variants else []
    if len(candidates) > 1:
        candidates = [path for path in candidates if storage.exists(path)] or candidates
    if not candidates:
        raise Refusal(f"{building.name}/{folder}", f"no {folder} for this view", folder)
    path = candidates[0]
    try:
        value = read_file(path, folder)
        return camera_of(value) if isinstance(value, dict) else value
    except MissingLabel as error:
        reason = f"no {folder} for this view, though its building has the label"
        # a link that leads nowhere stands for a file that was lost
        lost = storage.is_local(path) and os.path.islink(path)
        raise Refusal(path, reason, folder, absent=not lost) from error
    except LabelError as error:
        raise Refusal(path, str(error), folder) from error


def read_file(path: str, folder: str) -> Array | dict[str, Any]:
    """Returns the content of a label file of this machine or of a store, as `read_label` does: [H,
    W] or [H, W, 3] of a map. Raises LabelError.
    """
    if storage.is_local(path):
        return read_label(path, DOMAINS[folder])
    return decode_label(storage.read_remote_label(path), DOMAINS[folder])


def camera_of(info: Mapping[str, Any]) -> Camera:
    """Returns the camera in a point_info object. Raises LabelError, and nothing else, whatever the
    object holds.
    """
    try:
        return Camera.from_point_info(info)
    except KeyError as error:
        raise LabelError(f"no camera: {error} is missing") from error
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise LabelError(f"no camera: {error}") from error


def in_512ths(value: Array, folder: str, units: float) -> Array:
    """Returns depth codes [S, S] on another scale (units a metre; hm3d: 8192) as the published
    1/512 m, uint16; all other labels unchanged.
    """
    if not folder.startswith("depth_") or units == PUBLISHED_UNITS:
        return value
    codes = np.minimum(np.round(value * (PUBLISHED_UNITS / units)), MISSING_DEPTH - 1)
    return np.where(value == MISSING_DEPTH, MISSING_DEPTH, codes).astype("uint16")
