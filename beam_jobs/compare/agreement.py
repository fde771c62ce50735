"""How well our label functions reproduce the labels of real frames: every label recomputed from the
frame's other data, one figure each.

The published frames that the maintainers keep in ../shared/real_frames are 512 x 512; what varies
between data sets stands in `SETS`.

Not compared: principal_curvature (it comes from the mesh, which depth in steps of 2 mm does not
give back), class labels (other networks' answers) and semantics (the released frames hold
colour-coded pictures only); camera labels have golden vectors in the tests.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class FrameSet:
    """depth_units: codes a metre. texture_sigma: smoothing of edge_texture in pixels of a 512 image
    (differs between the released parts).
    """

    name: str
    depth_units: float
    texture_sigma: float


SETS = {
    "taskonomy": FrameSet("taskonomy", 512, 3.0),
    "replica": FrameSet("replica", 512, 3.0),
    "hm3d": FrameSet("hm3d", 8192, 0.5),
}
FRAMES = {"point_202_view_5": "taskonomy", "point_47_view_25": "replica"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--frames",
        type=Path,
        required=True,
        help="folder of real frames: point_*_domain_*.png, data sets in subfolders",
    )
    parser.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    rows = agreement(options.frames)
    print(json.dumps(rows, indent=1) if options.json else table(rows))
    return 0 if rows else 1


def agreement(frames: Path) -> list[dict]:
    """[{"frame", "set", "label", "measure", "value"}]; measure: "correlation", "ARI" or "degrees"
    (median angle). Raises ValueError if there is no frame.
    """
    rows = []
    for path in sorted(frames.rglob("point_*_domain_rgb.png")):
        stem = path.name.removesuffix("_domain_rgb.png")
        kind = SETS.get(path.parent.name) or SETS[FRAMES.get(stem, "taskonomy")]
        files = {
            p.name.removesuffix(".png").split("_domain_")[1]: picture(p)
            for p in path.parent.glob(f"{stem}_domain_*.png")
        }
        for label, measure, value in measured(files, kind, field_of_view(path.parent, stem)):
            rows.append(
                {
                    "frame": stem,
                    "set": kind.name,
                    "label": label,
                    "measure": measure,
                    "value": float(value),
                }
            )
    if not rows:
        raise ValueError(
            "expected real frames in the published layout (point_*_domain_rgb.png) below "
            f"{frames}, found none"
        )
    return rows


def measured(files: dict[str, np.ndarray], kind: FrameSet, angle: float | None):
    """(label, measure, value) of all labels of one frame. angle: field of view in radians, fitted
    to the normals if None.
    """
    import cv2

    from models.tasks.labels import edges, keypoints, segments, surfaces

    rgb, depth, normal = files["rgb"], files.get("depth_zbuffer"), files.get("normal")
    yield (
        "edge_texture",
        "correlation",
        correlation(edges.edge_texture(rgb, kind.texture_sigma), files["edge_texture"]),
    )
    if "keypoints2d" in files:
        yield (
            "keypoints2d",
            "correlation",
            correlation(keypoints.keypoints2d(rgb), files["keypoints2d"]),
        )
    if "segment_unsup2d" in files:
        yield (
            "segment_unsup2d",
            "ARI",
            adjusted_rand(segments.segment_unsup2d(rgb), files["segment_unsup2d"]),
        )
    if depth is None or normal is None:
        return
    yield (
        "edge_occlusion",
        "correlation",
        correlation(edges.edge_occlusion(depth), files["edge_occlusion"]),
    )
    if "segment_unsup25d" in files:
        yield (
            "segment_unsup25d",
            "ARI",
            adjusted_rand(
                segments.segment_unsup25d(depth, normal, files["edge_occlusion"]),
                files["segment_unsup25d"],
            ),
        )
    seen = (depth < 65035) & (normal.astype(int) != 128).any(-1)
    metres = np.where(seen, depth / kind.depth_units, np.inf)
    true = normal / 127.5 - 1
    angle = angle or min(
        np.deg2rad(np.arange(40, 121)), key=lambda fov: disagreement(metres, true, seen, fov)
    )
    yield "normal from depth", "degrees", disagreement(metres, true, seen, angle)
    rays = surfaces.rays(depth.shape[0], angle)
    length = np.linalg.norm(rays, axis=-1)
    grey = surfaces.reshading(-(true * rays).sum(-1) / length, metres * length)
    yield (
        "reshading",
        "correlation",
        correlation(grey[seen], files["reshading"].reshape(*grey.shape, -1)[..., 0][seen]),
    )
    if "depth_euclidean" in files:
        far = surfaces.depth_codes(metres * length, kind.depth_units)
        yield (
            "depth_euclidean",
            "correlation",
            correlation(far[seen], files["depth_euclidean"][seen]),
        )
    if "keypoints3d" in files:
        yield (
            "keypoints3d",
            "correlation",
            correlation(keypoints.keypoints3d(metres, true, angle), files["keypoints3d"]),
        )
        small = keypoints.keypoints3d(metres[::2, ::2], true[::2, ::2], angle)
        yield (
            "keypoints3d at half",
            "correlation",
            correlation(
                small, cv2.resize(files["keypoints3d"], small.shape, interpolation=cv2.INTER_AREA)
            ),
        )


def disagreement(metres: np.ndarray, normal: np.ndarray, seen: np.ndarray, angle: float) -> float:
    """median degrees between the normals of planes fitted to depth and the label."""
    from models.tasks.labels import surfaces

    found = surfaces.normals_from_depth(metres, angle)
    cosine = (found * normal).sum(-1) / np.linalg.norm(normal, axis=-1)
    return float(np.rad2deg(np.median(np.arccos(np.clip(cosine[seen], -1, 1)))))


def correlation(ours: np.ndarray, label: np.ndarray) -> float:
    """Pearson's."""
    return float(np.corrcoef(ours.ravel().astype("float64"), label.ravel().astype("float64"))[0, 1])


def adjusted_rand(ours: np.ndarray, label: np.ndarray) -> float:
    """Hubert and Arabie's index: 1 the same partition, 0 chance."""
    together = np.zeros((int(ours.max()) + 1, int(label.max()) + 1))
    np.add.at(together, (ours.ravel(), label.ravel()), 1)
    pairs = lambda counts: (counts * (counts - 1) / 2).sum()
    both, first, second = pairs(together), pairs(together.sum(1)), pairs(together.sum(0))
    chance = first * second / (ours.size * (ours.size - 1) / 2)
    return float((both - chance) / ((first + second) / 2 - chance))


def picture(path: Path) -> np.ndarray:
    import cv2

    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return pixels if pixels.ndim == 2 else pixels[..., 2::-1]


def field_of_view(folder: Path, stem: str) -> float | None:
    """radians, from the frame's JSON if it has one."""
    for suffix in ("point_info", "fixatedpose"):
        path = folder / f"{stem}_domain_{suffix}.json"
        if path.exists():
            return float(json.loads(path.read_text())["field_of_view_rads"])
    return None


def table(rows: list[dict]) -> str:
    return "\n".join(
        f"{row['set']:10} {row['frame']:17} {row['label']:20} {row['measure']:12} "
        f"{row['value']:8.4f}"
        for row in rows
    )
