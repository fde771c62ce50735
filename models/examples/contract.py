"""The label contract: unit, range, missing code and classes of every label in machine-readable
form, and the checks of what a view can contradict in it. `check.py` applies it to examples.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from models.examples.normal_axes import USUAL_FIELD_OF_VIEW, normal_contradiction
from models.examples.normals import Normals, pixel_slopes
from models.tasks import DOMAINS, Camera, Domain, View
from models.tasks.arrays import Array, Bools, Bytes, Floats
from models.tasks.targets import SURFACE_LIMIT

GRID = 64  # pixels a side at which labels are compared with each other
DEPTH_TOLERANCE = 64  # 1/512 metre
# By how much the depth along the ray may differ from what the other depth and the camera make of
# it: 1/512 metre, and a share. In the released frame that has both they differ by 4 codes at most
# (16 to 512 pixels), in 95 % of the pixels of each of 4,000 procedural views by one.
RAY_TOLERANCE = 32
RAY_SHARE = 0.02
# Radians, for cameras that nobody described; depth along the ray that shows less is a copy.
NARROWEST_FIELD_OF_VIEW = 0.2
WRONG_SHARE = 0.05  # share of pixels above which a depth contradicts another, or itself
LENGTH_TOLERANCE = 0.1  # by which a normal's length may differ from 1
# Share of normals above which they are another camera's: what a camera sees faces it. Of the four
# released frames 0.4 % face away at most (rounding at edges), of procedural views 0.2 %.
AWAY_SHARE = 2 / 3
# Labels that are near 0 nearly everywhere: edges and corners are few. The mean code of a view is
# 0.12 of the largest one at most (125 procedural views; released frames: 0.08).
MOSTLY_ZERO = ("edge_texture", "edge_occlusion", "keypoints2d", "keypoints3d")
INVERTED = 0.75  # share of the largest code above which a mean shows that the label is inverted
# Correlation of reshading with the light that normals and depth reflect, up to which it is its
# complement. Of 125 procedural views 0.86 to 0.99, of the released frames 0.75 to 0.97.
COMPLEMENT = -0.5
# Labels of the seen surface, which is there in all of them or in none.
OF_THE_SURFACE = ("depth_zbuffer", "depth_euclidean", "normal")
SUM_TOLERANCE = 0.02  # by which a sum of probabilities may differ from 1
# Metres. Rooms end well before; HM3D's, read at 1/512 m instead of 1/8192 m, lie beyond.
DEEPEST_ROOM = 20
# Labels whose dtype holds values that are out of range; of the others none can be.
NARROW = frozenset(
    folder
    for folder, domain in DOMAINS.items()
    if domain.file == "npy"
    or (domain.file == "png" and (domain.low > 0 or domain.high < np.iinfo(domain.dtype).max))
)
# Features of any length beside the labels.
LISTS = {
    "points_in_view": {
        "unit": "number of another point of the building that the view sees (line of sight)",
        "dtype": "int64",
        "low": 0,
        "high": 999_999_999,
    }
}


def contract(size: int) -> dict[str, Any]:
    """Returns what every record promises; it is written beside the examples as contract.json."""
    labels = {
        folder: {
            "unit": domain.unit,
            "dtype": domain.dtype,
            "channels": domain.channels,
            "missing": domain.missing,
            "ids": domain.ids,
            "classes": classes(domain),
            "low": finite(domain.low),
            "high": finite(domain.high),
        }
        for folder, domain in DOMAINS.items()
        if domain.per_view
    }
    # Nothing about tasks: what a record holds is the same however many tasks read it.
    return {"size": size, "labels": labels, "lists": LISTS}


def finite(value: float) -> float | None:
    """Returns a bound as JSON can hold it: None where it is infinite."""
    return value if np.isfinite(value) else None


def classes(domain: Domain) -> int | None:
    """Returns how many classes a label names; None for quantities, and for segments, whose ids mean
    nothing beyond their view.
    """
    if domain.file == "npy":
        return domain.channels
    return int(domain.high) + 1 if domain.ids and domain.missing is not None else None


def changes_of_contract(written: dict[str, Any]) -> list[str]:
    """Returns a line for each part of an artifact's contract.json that differs from what this code
    promises.
    """
    # by way of JSON, as the file was written: tuples are lists there
    promised = json.loads(json.dumps(contract(written["size"])))
    lines = []
    for part in ("labels", "lists"):
        there = written.get(part, {})
        names = promised[part].keys() | there.keys()
        changed = sorted(name for name in names if promised[part].get(name) != there.get(name))
        if changed:
            lines.append(
                f"contract.json was written by other code: {part} {', '.join(changed)} "
                "differ; ingest again"
            )
    return lines


def anomalies(view: View, size: int) -> list[str]:
    """Returns what a view's labels contradict, a line each: the size, the ranges, and each
    other.
    """
    lines = []
    if view.size != size:
        lines.append(f"image of {view.size} pixels, the contract says {size}")
    for folder, value in view.labels.items():
        domain = DOMAINS[folder]
        if folder in NARROW and (value.min() < domain.low or value.max() > domain.high):
            lines.append(
                f"{folder} from {value.min():g} to {value.max():g}, the contract says "
                f"{domain.low:g} to {domain.high:g}"
            )
    # A grid of some 64 x 64 pixels tells a wrong file from a right one, at a fraction of the cost.
    step = max(1, view.size // GRID)
    # places of the pixels that are left, from -1 at one edge of the view to 1 at the other
    places = (2 * np.arange(0, view.size, step) + 1) / view.size - 1
    thinned = {
        folder: np.ascontiguousarray(value[::step, ::step])
        for folder, value in view.labels.items()
        if value.ndim > 1
    }
    normals = Normals.of(thinned["normal"]) if "normal" in thinned else None
    masks = {
        folder: seen_pixels(folder, thinned[folder])
        for folder in OF_THE_SURFACE
        if folder in thinned
    }
    checks = (
        scale_anomaly(thinned),
        nothing_anomaly(thinned),
        depth_anomaly(thinned),
        ray_anomaly(thinned, view.camera, places),
        missing_anomaly(masks),
        normal_anomaly(normals, masks),
        facing_anomaly(normals, masks, view.camera, places),
        encoding_anomaly(thinned, view.camera),
        inverted_anomaly(thinned),
        reshading_anomaly(thinned, normals, masks, view.camera),
        scene_anomaly(view.labels),
    )
    return lines + [line for line in checks if line]


def scale_anomaly(labels: Mapping[str, Array]) -> str:
    """Returns a complaint if the median depth is larger than a room, as on another scale than 1/512
    m; "" otherwise. labels: depth [s, s] uint16.
    """
    for folder in ("depth_zbuffer", "depth_euclidean"):
        codes = labels.get(folder, np.zeros(0))
        surface = codes < SURFACE_LIMIT
        deep = np.count_nonzero((codes > DEEPEST_ROOM * 512) & surface)
        # a median is not beyond what less than half of the codes are beyond
        if 2 * deep < np.count_nonzero(surface) or not surface.any():
            continue
        metres = float(np.median(codes[surface])) / 512
        if metres > DEEPEST_ROOM:
            return (
                f"{folder} has a median of {metres:.0f} m; over {DEEPEST_ROOM} m is no room, but "
                "another scale: say depth_units_per_metre in dataset.json (hm3d: 8192)"
            )
    return ""


def nothing_anomaly(labels: Mapping[str, Array]) -> str:
    """Returns a complaint if many pixels are 0 m away, which nothing that is seen can be; ""
    otherwise. labels: depth [s, s] uint16, 1/512 m.
    """
    for folder in ("depth_zbuffer", "depth_euclidean"):
        codes = labels.get(folder, np.ones(1))
        share = 1 - np.count_nonzero(codes) / codes.size
        if share > WRONG_SHARE:
            return (
                f"{folder} is 0 m on {share:.0%} of the pixels; where no depth is known "
                f"the code is {DOMAINS[folder].missing}"
            )
    return ""


def depth_anomaly(labels: Mapping[str, Array]) -> str:
    """Returns a complaint if distances along the ray are shorter than those along the axis; ""
    otherwise. labels: depth [s, s] uint16, 1/512 m.
    """
    if "depth_zbuffer" not in labels or "depth_euclidean" not in labels:
        return ""
    along = labels["depth_zbuffer"].astype(int)
    ray = labels["depth_euclidean"].astype(int)
    both = (along < SURFACE_LIMIT) & (ray < SURFACE_LIMIT)
    nearer = ray[both] - along[both] < -DEPTH_TOLERANCE
    if not both.any() or nearer.mean() <= WRONG_SHARE:
        return ""
    return (
        f"depth_euclidean is nearer than depth_zbuffer on {nearer.mean():.0%} of the "
        "pixels; distances along the ray are never shorter"
    )


def ray_anomaly(labels: Mapping[str, Array], camera: Camera | None, places: Floats) -> str:
    """Returns a complaint unless a pixel's depth along its ray is that along the axis times sqrt(1
    + (x^2 + y^2) t^2), x and y in `places`, t the tangent of half the field of view; "" if it is.
    Where nobody described the camera, t is what the depths themselves show. labels: depth [s, s]
    uint16, 1/512 m. places: [s], of columns and of rows, in (-1, 1).
    """
    if "depth_zbuffer" not in labels or "depth_euclidean" not in labels:
        return ""
    along = labels["depth_zbuffer"].astype(float)
    ray = labels["depth_euclidean"].astype(float)
    both = (along < SURFACE_LIMIT) & (ray < SURFACE_LIMIT)
    if not both.any():
        return ""
    aside = np.add.outer(places**2, places**2)
    if camera is None:
        tangent = shown_tangent(along[both], ray[both], aside[both])
        if tangent < np.tan(NARROWEST_FIELD_OF_VIEW / 2):
            return (
                "depth_euclidean is hardly longer than depth_zbuffer at the edge of the view; "
                "distances along the ray are: is one a copy of the other?"
            )
    else:
        tangent = np.tan(camera.field_of_view / 2)
    expected = along * np.sqrt(1 + aside * tangent**2)
    wrong = (np.abs(ray - expected) > RAY_TOLERANCE + RAY_SHARE * expected)[both]
    if wrong.mean() <= WRONG_SHARE:
        return ""
    angle = np.rad2deg(2 * np.arctan(tangent))
    return (
        f"depth_euclidean is not what depth_zbuffer and a field of view of {angle:.0f} degrees "
        f"give on {wrong.mean():.0%} of the pixels (distances along the ray, and along the axis): "
        "is one a copy of the other, or another view's?"
    )


def shown_tangent(along: Floats, ray: Floats, aside: Floats) -> float:
    """Returns the tangent of half the field of view that two depths show, the median over the
    pixels. along, ray, aside: [n] depths along the axis and the ray, and x^2 + y^2 of the pixels'
    places.
    """
    # the pixel in the middle of an odd number says nothing, a depth of 0 neither
    squares = ((ray / np.maximum(along, 1)) ** 2 - 1) / np.maximum(aside, 1e-6)
    return float(np.sqrt(max(0.0, np.median(squares))))


def normal_anomaly(normals: Normals | None, masks: Mapping[str, Bools]) -> str:
    """Returns a complaint if normals are not unit vectors; "" otherwise. masks: [s, s] by label,
    where it has a value.
    """
    if normals is None or not masks["normal"].any():
        return ""
    length = np.sqrt(normals.squares)
    fits = np.count_nonzero((np.abs(length - 1) <= LENGTH_TOLERANCE) & masks["normal"])
    # where most lengths fit, their median does
    if 2 * fits > np.count_nonzero(masks["normal"]):
        return ""
    middle = np.median(length[masks["normal"]])
    if abs(middle - 1) <= LENGTH_TOLERANCE:
        return ""
    return f"normals have median length {middle:.2f}; they are unit vectors"


def facing_anomaly(
    normals: Normals | None, masks: Mapping[str, Bools], camera: Camera | None, places: Floats
) -> str:
    """Returns a complaint if most normals face away from the camera; "" otherwise. Scans have back
    faces, hence the generous share. masks: [s, s] by label. places: [s], of columns and of rows, in
    (-1, 1).
    """
    if normals is None or not masks["normal"].any():
        return ""
    away = normals.along(half_tangent(camera) * places) > 0
    share = np.count_nonzero(away & masks["normal"]) / np.count_nonzero(masks["normal"])
    if share <= AWAY_SHARE:
        return ""
    return (
        f"{share:.0%} of the normals face away from the camera; what is seen faces it (x "
        "right, y down, z away)"
    )


def half_tangent(camera: Camera | None) -> float:
    """Returns the tangent of half the field of view, of the usual one for views without their
    camera.
    """
    angle = USUAL_FIELD_OF_VIEW if camera is None else camera.field_of_view
    return float(np.tan(angle / 2))


def encoding_anomaly(labels: Mapping[str, Array], camera: Camera | None) -> str:
    """Returns a complaint if normals, depth and camera agree on the surfaces only in another
    encoding than the contract's axes and units; "" otherwise. labels: maps [s, s] or [s, s, 3],
    thinned alike.
    """
    contradiction = normal_contradiction(labels, camera)
    return contradiction.words() if contradiction else ""


def inverted_anomaly(labels: Mapping[str, Array]) -> str:
    """Returns a complaint if a label of edges or corners, which are few, has them nearly
    everywhere; "" otherwise. labels: maps [s, s], codes from 0 to the domain's `high`.
    """
    for folder in MOSTLY_ZERO:
        mean = labels[folder].mean() if folder in labels else 0
        largest = DOMAINS[folder].high
        if mean > INVERTED * largest:
            return (
                f"{folder} has a mean of {mean:.0f}; where nothing is it is 0: "
                f"write {largest:g} minus the code if it is inverted"
            )
    return ""


def reshading_anomaly(
    labels: Mapping[str, Array],
    normals: Normals | None,
    masks: Mapping[str, Bools],
    camera: Camera | None,
) -> str:
    """Returns a complaint if reshading is darkest on what is near and faces the camera, where it
    should be brightest; "" otherwise. labels: depth [s, s] uint16, 1/512 m, and reshading [s, s]
    uint8. masks: [s, s] by label.
    """
    if normals is None or not {"reshading", "depth_zbuffer"} <= labels.keys():
        return ""
    # a quarter of the pixels tells light from dark
    few = slice(None, None, 2)
    there = (masks["normal"] & masks["depth_zbuffer"])[few, few]
    slopes = pixel_slopes(len(there), half_tangent(camera))
    squares = slopes**2
    # of the ray through each pixel, whose third component is 1
    length = np.sqrt(1 + squares + squares[:, None])
    facing = -normals.part(few).along(slopes) / length
    distance = labels["depth_zbuffer"][few, few] / 512 * length
    light = (np.clip(facing, 0, 1) / (8 + distance**2))[there]
    codes = labels["reshading"][few, few][there].astype(float)
    if len(codes) < 2:
        return ""
    light -= light.mean()
    codes -= codes.mean()
    spread = np.sqrt((light @ light) * (codes @ codes))
    alike = light @ codes / spread if spread else 1.0
    if alike >= COMPLEMENT:
        return ""
    return (
        f"reshading is darkest where normals and depth reflect most light to the camera "
        f"(correlation {alike:.2f}); write 255 minus the code if it is inverted"
    )


def missing_anomaly(masks: Mapping[str, Bools]) -> str:
    """Returns a complaint if, on more than half of the view, one label of depth or normals has
    values and another hardly any, although they are of the same surfaces; "" otherwise. masks: by
    label, [n, n] where it has a value.
    """
    for name, there in masks.items():
        count = np.count_nonzero(there)
        if 2 * count <= there.size:
            continue
        for other, also in masks.items():
            share = np.count_nonzero(also & there) / count
            if share <= WRONG_SHARE:
                return (
                    f"{other} has a value on {share:.0%} of the pixels that have one in {name} "
                    f"({count / there.size:.0%} of the view); both are of the same surfaces"
                )
    return ""


def seen_pixels(folder: str, codes: Array) -> Bools:
    """Returns [n, n] where a label of `OF_THE_SURFACE` has a value."""
    if folder == "normal":
        return ~(pixels_of(128, codes) | pixels_of(0, codes))
    return np.asarray(codes < SURFACE_LIMIT)


def pixels_of(code: int, codes: Bytes) -> Bools:
    """Returns [n, n], the pixels of [n, n, 3] that hold `code` in all their channels."""
    # OpenCV takes a twentieth of the time of `all(-1)`
    return np.asarray(cv2.inRange(codes, (code, code, code), (code, code, code)) > 0)


def scene_anomaly(labels: Mapping[str, Array]) -> str:
    """Returns a complaint if the scene probabilities do not sum to 1; "" otherwise. labels:
    class_scene [classes].
    """
    if "class_scene" not in labels:
        return ""
    total = labels["class_scene"].sum()
    if abs(total - 1) <= SUM_TOLERANCE:
        return ""
    return f"class_scene sums to {total:.3f}; probabilities sum to 1"
