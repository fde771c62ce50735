"""One view: all its label files read together, held against each other, brought to the training
size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from beam_jobs.ingest import storage
from beam_jobs.ingest.listing import Building
from models.examples.published import LabelError, decode_label, read_label
from models.examples.resize import resized
from models.tasks import DOMAINS, Camera, View, ViewKey


class Refusal(Exception):
    """A view that goes to the quarantine: the file that is to blame, and why."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file, self.reason = file, reason


def aligned(
    building: Building, key: ViewKey, folders: Sequence[str], size: int, units: float
) -> View:
    """the view at `size` x `size` pixels with the labels of `folders`. units: depth codes a metre.
    Raises Refusal, and nothing else for bad data.
    """
    maps, camera, sides = {}, None, {}
    for folder in folders:
        path, value = read(building, key, folder)
        try:
            if folder == "point_info":
                camera = camera_of(value)
            elif DOMAINS[folder].file == "png":
                sides[folder] = value.shape[0]
                maps[folder] = resized(in_512ths(value, folder, units), DOMAINS[folder], size)
            else:
                maps[folder] = value
        except LabelError as error:
            raise Refusal(path, str(error)) from error
    if len(set(sides.values())) > 1:
        odd = next(folder for folder in sides if sides[folder] != sides["rgb"])
        raise Refusal(
            building.files(odd, key.point, key.view)[0],
            f"maps of different sizes: {sides[odd]} pixels, rgb {sides['rgb']}",
        )
    return View(key, maps.pop("rgb"), camera, maps)


def read(building: Building, key: ViewKey, folder: str) -> tuple[str, object]:
    """(path, label) of one file of a view, in whichever spelling it has."""
    candidates = building.files(folder, key.point, key.view) if folder in building.variants else []
    if len(candidates) > 1:
        candidates = [path for path in candidates if storage.exists(path)] or candidates
    if not candidates:
        raise Refusal(f"{building.name}/{folder}", f"no {folder} for this view")
    path = candidates[0]
    try:
        return path, read_label(path, DOMAINS[folder]) if storage.is_local(path) else decode_label(
            storage.read_remote_label(path), DOMAINS[folder]
        )
    except LabelError as error:
        missing = "No such file" in str(error)
        raise Refusal(
            path,
            f"no {folder} for this view, though its building has the label"
            if missing
            else str(error),
        ) from error


def camera_of(info: dict) -> Camera:
    """the camera in a point_info object. Raises LabelError, whatever the object holds."""
    try:
        return Camera.from_point_info(info)
    except KeyError as error:
        raise LabelError(f"no camera: {error} is missing") from error
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise LabelError(f"no camera: {error}") from error


def in_512ths(value: np.ndarray, folder: str, units: float) -> np.ndarray:
    """depth codes of a component with another scale (units a metre; hm3d: 8192) as the published
    1/512 m; all else unchanged.
    """
    if not folder.startswith("depth_") or units == 512:
        return value
    return np.where(
        value == 65535, 65535, np.minimum(np.round(value * (512 / units)), 65534)
    ).astype("uint16")
