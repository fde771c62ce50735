"""The label contract: unit, range, missing code and classes of every label in machine-readable
form, and the checks of what a view can contradict in it. `check.py` applies it to examples.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from models.examples.normal_axes import USUAL_FIELD_OF_VIEW, normal_contradiction
from models.tasks import DOMAINS, Camera, Domain, View
from models.tasks.arrays import Array, Bools, Floats
from models.tasks.labels.surfaces import rays
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
        if value.min() < domain.low or value.max() > domain.high:
            lines.append(
                f"{folder} from {value.min():g} to {value.max():g}, the contract says "
                f"{domain.low:g} to {domain.high:g}"
            )
    # A grid of some 64 x 64 pixels tells a wrong file from a right one, at a fraction of the cost.
    step = max(1, view.size // GRID)
    # places of the pixels that are left, from -1 at one edge of the view to 1 at the other
    places = (2 * np.arange(0, view.size, step) + 1) / view.size - 1
    thinned = {
        folder: value[::step, ::step] for folder, value in view.labels.items() if value.ndim > 1
    }
    checks = (
        scale_anomaly(thinned),
        nothing_anomaly(thinned),
        depth_anomaly(thinned),
        ray_anomaly(thinned, view.camera, places),
        missing_anomaly(thinned),
        normal_anomaly(thinned),
        facing_anomaly(thinned, view.camera, places),
        encoding_anomaly(thinned, view.camera),
        inverted_anomaly(thinned),
        reshading_anomaly(thinned, view.camera),
        scene_anomaly(view.labels),
    )
    return lines + [line for line in checks if line]


def scale_anomaly(labels: Mapping[str, Array]) -> str:
    """Returns a complaint if the median depth is larger than a room, as on another scale than 1/512
    m; "" otherwise.
    """
    for folder in ("depth_zbuffer", "depth_euclidean"):
        codes = labels.get(folder, np.zeros(0))
        seen = codes[codes < SURFACE_LIMIT]
        metres = float(np.median(seen)) / 512 if seen.size else 0.0
        if metres > DEEPEST_ROOM:
            return (
                f"{folder} has a median of {metres:.0f} m; over {DEEPEST_ROOM} m is no room, but "
                "another scale: say depth_units_per_metre in dataset.json (hm3d: 8192)"
            )
    return ""


def nothing_anomaly(labels: Mapping[str, Array]) -> str:
    """Returns a complaint if many pixels are 0 m away, which nothing that is seen can be; ""
    otherwise.
    """
    for folder in ("depth_zbuffer", "depth_euclidean"):
        nothing = labels.get(folder, np.ones(1)) == 0
        if nothing.mean() > WRONG_SHARE:
            return (
                f"{folder} is 0 m on {nothing.mean():.0%} of the pixels; where no depth is known "
                f"the code is {DOMAINS[folder].missing}"
            )
    return ""


def depth_anomaly(labels: Mapping[str, Array]) -> str:
    """Returns a complaint if distances along the ray are shorter than those along the axis; ""
    otherwise.
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
    Where nobody described the camera, t is what the depths themselves show.
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


def normal_anomaly(labels: Mapping[str, Array]) -> str:
    """Returns a complaint if normals, decoded, are not unit vectors; "" otherwise."""
    if "normal" not in labels:
        return ""
    seen = seen_pixels("normal", labels["normal"])
    length = np.linalg.norm(labels["normal"][seen] / np.float32(127.5) - 1, axis=1)
    if not seen.any() or abs(np.median(length) - 1) <= LENGTH_TOLERANCE:
        return ""
    return f"normals have median length {np.median(length):.2f}; they are unit vectors"


def facing_anomaly(labels: Mapping[str, Array], camera: Camera | None, places: Floats) -> str:
    """Returns a complaint if most normals face away from the camera; "" otherwise. Scans have back
    faces, hence the generous share.
    """
    if "normal" not in labels:
        return ""
    seen = seen_pixels("normal", labels["normal"])
    if not seen.any():
        return ""
    angle = USUAL_FIELD_OF_VIEW if camera is None else camera.field_of_view
    slope = np.tan(angle / 2) * places
    # x right, y down, z away, as the codes have it
    ray = np.stack([*np.meshgrid(slope, slope), np.ones(seen.shape)], -1)
    away = ((labels["normal"][seen] / 127.5 - 1) * ray[seen]).sum(1) > 0
    if away.mean() <= AWAY_SHARE:
        return ""
    return (
        f"{away.mean():.0%} of the normals face away from the camera; what is seen faces it (x "
        "right, y down, z away)"
    )


def encoding_anomaly(labels: Mapping[str, Array], camera: Camera | None) -> str:
    """Returns a complaint if normals, depth and camera agree on the surfaces only in another
    encoding than the contract's axes and units; "" otherwise.
    """
    found = normal_contradiction(labels, camera)
    return found.said() if found else ""


def inverted_anomaly(labels: Mapping[str, Array]) -> str:
    """Returns a complaint if a label of edges or corners, which are few, has them nearly
    everywhere; "" otherwise.
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


def reshading_anomaly(labels: Mapping[str, Array], camera: Camera | None) -> str:
    """Returns a complaint if reshading is darkest on what is near and faces the camera, where it
    should be brightest; "" otherwise.
    """
    if not {"reshading", "normal", "depth_zbuffer"} <= labels.keys():
        return ""
    # a quarter of the pixels tells light from dark
    names = ("reshading", "normal", "depth_zbuffer")
    stored, normal, depth = (labels[name][::2, ::2] for name in names)
    seen = seen_pixels("normal", normal) & seen_pixels("depth_zbuffer", depth)
    angle = USUAL_FIELD_OF_VIEW if camera is None else camera.field_of_view
    way = rays(len(seen), angle)[seen]
    length = np.linalg.norm(way, axis=-1)
    facing = -((normal[seen] / 127.5 - 1) * way).sum(1) / length
    light = np.clip(facing, 0, 1) / (8 + (depth[seen] / 512 * length) ** 2)
    codes = stored[seen].astype(float)
    if len(codes) < 2 or not codes.std() or not light.std():
        return ""
    alike = np.corrcoef(light, codes)[0, 1]
    if alike >= COMPLEMENT:
        return ""
    return (
        f"reshading is darkest where normals and depth reflect most light to the camera "
        f"(correlation {alike:.2f}); write 255 minus the code if it is inverted"
    )


def missing_anomaly(labels: Mapping[str, Array]) -> str:
    """Returns a complaint if, on more than half of the view, one label of depth or normals has
    values and another hardly any, although they are of the same surfaces; "" otherwise.
    """
    seen = {name: seen_pixels(name, labels[name]) for name in OF_THE_SURFACE if name in labels}
    for name, there in seen.items():
        for other, also in seen.items():
            if there.mean() > 0.5 and also[there].mean() <= WRONG_SHARE:
                return (
                    f"{other} has a value on {also[there].mean():.0%} of the pixels that have one "
                    f"in {name} ({there.mean():.0%} of the view); both are of the same surfaces"
                )
    return ""


def seen_pixels(folder: str, codes: Array) -> Bools:
    """Returns [n, n] where a label of `OF_THE_SURFACE` has a value."""
    if folder == "normal":
        return (codes != 128).any(-1) & codes.any(-1)
    return np.asarray(codes < SURFACE_LIMIT)


def scene_anomaly(labels: Mapping[str, Array]) -> str:
    """Returns a complaint if the scene probabilities do not sum to 1; "" otherwise."""
    if "class_scene" not in labels:
        return ""
    total = labels["class_scene"].sum()
    if abs(total - 1) <= SUM_TOLERANCE:
        return ""
    return f"class_scene sums to {total:.3f}; probabilities sum to 1"
