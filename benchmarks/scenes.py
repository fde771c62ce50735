"""How like real rooms the procedural ones are, and how cameras see them: the same measures on
../shared/real_frames and on rendered views.

python benchmarks/scenes.py [--buildings 6] [--views 17] [--size 256]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

REAL = {"taskonomy 202/5": "point_202_view_5", "replica 47/25": "point_47_view_25"}


def measures(
    rgb: np.ndarray, curvature: np.ndarray, keypoints3d: np.ndarray, normal: np.ndarray
) -> dict[str, float]:
    """of one frame: % of seen pixels whose larger curvature is off flat by at least 1, 3, 10 codes
    (0.26 1/m each), 2D segments, mean 3D keypoint code, % of pixels on a flat-looking neighbourhood
    (normal's code equal to the right neighbour's), mean texture edge and 2D keypoint.
    """
    from models.tasks.labels import edges, keypoints, segments

    seen = curvature.any(-1)
    off = np.abs(curvature[..., :2].astype(int) - 127).max(-1)[seen]
    still = (normal[:, 1:] == normal[:, :-1]).all(-1).mean()
    return {
        **{f"curved >={least} %": 100 * (off >= least).mean() for least in (1, 3, 10)},
        "2D segments": float(segments.segment_unsup2d(rgb).max()) + 1,
        "keypoints3d": float(keypoints3d.mean()),
        "equal normals %": 100 * still,
        "edge_texture": float(edges.edge_texture(rgb).mean()),
        "keypoints2d": float(keypoints.keypoints2d(rgb).mean()),
    }


def real_frame(stem: str, size: int) -> dict[str, float]:
    """measures of a real frame brought to `size`: colours averaged, codes of surfaces picked,
    keypoints averaged.
    """
    import cv2

    stem = Path(__file__).parents[2] / "shared" / "real_frames" / stem
    rgb, curvature, normal = (
        loaded(stem, name)[..., 2::-1] for name in ("rgb", "principal_curvature", "normal")
    )
    small = cv2.resize(np.ascontiguousarray(rgb), (size, size), interpolation=cv2.INTER_AREA)
    return {
        **measures(small, picked(curvature, size), keypoints3d(stem, size), picked(normal, size)),
        "2.5D segments": segments25(stem, size),
    }


def loaded(stem: Path, name: str) -> np.ndarray:
    """a label of a frame as it was released; pictures have blue first."""
    import cv2

    return cv2.imread(f"{stem}_domain_{name}.png", cv2.IMREAD_UNCHANGED)


def picked(image: np.ndarray, size: int) -> np.ndarray:
    """every n-th pixel, so that `size` are left a side: codes must not be averaged."""
    step = image.shape[0] // size
    return np.ascontiguousarray(image[step // 2 :: step, step // 2 :: step])


def keypoints3d(stem: Path, size: int) -> np.ndarray:
    import cv2

    return cv2.resize(
        loaded(stem, "keypoints3d").astype("float32"), (size, size), interpolation=cv2.INTER_AREA
    )


def segments25(stem: Path, size: int) -> float:
    """2.5D segments of a real frame's depth and normals at `size`, by the label's own function: the
    released ids are those of 512 pixels, which are fewer.
    """
    from models.tasks.labels import edges, segments

    depth, normal = (picked(loaded(stem, name), size) for name in ("depth_zbuffer", "normal"))
    return (
        float(
            segments.segment_unsup25d(depth, normal[..., ::-1], edges.edge_occlusion(depth)).max()
        )
        + 1
    )


def pictures_alone(size: int) -> dict[str, float]:
    """mean measures of the real pictures that have no curvature: what two rich frames say, more
    modest ones put in proportion. Surfaces: HM3D alone.
    """
    import cv2

    from models.tasks.labels import edges, keypoints, segments

    shared, found = Path(__file__).parents[2] / "shared", []
    for path in sorted(shared.glob("photos/*.png")) + sorted(
        shared.glob("real_frames/hm3d/*_domain_rgb.png")
    ):
        picture = cv2.imread(str(path))
        side = min(picture.shape[:2])
        top, left = ((length - side) // 2 for length in picture.shape[:2])
        small = cv2.resize(
            picture[top : top + side, left : left + side],
            (size, size),
            interpolation=cv2.INTER_AREA,
        )
        rgb = np.ascontiguousarray(small[..., ::-1])
        found.append(
            (
                float(segments.segment_unsup2d(rgb).max()) + 1,
                float(edges.edge_texture(rgb).mean()),
                float(keypoints.keypoints2d(rgb).mean()),
            )
        )
    stems = [
        path.with_name(path.name.removesuffix("_domain_rgb.png"))
        for path in sorted(shared.glob("real_frames/hm3d/*_domain_rgb.png"))
    ]
    surfaces = {
        "keypoints3d": [keypoints3d(stem, size).mean() for stem in stems],
        "2.5D segments": [segments25(stem, size) for stem in stems],
    }
    means = {name: float(np.mean(values)) for name, values in surfaces.items() if values}
    return (
        dict(zip(("2D segments", "edge_texture", "keypoints2d"), np.mean(found, 0).tolist()))
        | means
    )


def rendered(
    buildings: int, views: int, size: int
) -> tuple[list[dict[str, float]], list, list[dict[str, float]]]:
    """measures of every view; every shot; seconds of every building's parts."""
    from beam_jobs.annotate.classes import classes
    from beam_jobs.annotate.view_labels import pixel_labels
    from beam_jobs.scenes.buildings.building import building
    from beam_jobs.scenes.cameras.procedural import shots
    from beam_jobs.scenes.render.renderer import Eye

    found, taken, seconds = [], [], []
    for seed in range(buildings):
        start = time.perf_counter()
        scene = building(seed)
        built = time.perf_counter()
        eye = Eye(scene)
        ready = time.perf_counter()
        rng = np.random.default_rng([seed, 7])
        here = shots(eye, rng, views)
        sampled = time.perf_counter()
        taken.append(here)
        for shot in here:
            begun = time.perf_counter()
            surfaces = eye.look(shot.camera, size, rng)
            ended = time.perf_counter()
            labels = {**pixel_labels(surfaces, shot.camera), **classes(surfaces, scene, shot.room)}
            found.append(
                {
                    **measures(
                        labels["rgb"],
                        labels["principal_curvature"],
                        labels["keypoints3d"],
                        labels["normal"],
                    ),
                    "classes": float(len(set(np.unique(labels["segment_semantic"])) - {0, 1})),
                    "foreground %": 100 * float((labels["segment_semantic"] > 1).mean()),
                    "instances": float(len(np.unique(surfaces.instance))),
                    "2.5D segments": float(labels["segment_unsup25d"].max()) + 1,
                    "look ms": 1e3 * (ended - begun),
                }
            )
        seconds.append(
            {
                "building": built - start,
                "eye": ready - built,
                "shots": sampled - ready,
                "triangles": len(scene.shape.faces),
                "rooms": len(scene.rooms),
            }
        )
    return found, taken, seconds


def distributions(taken: list) -> dict[str, tuple[float, float, float, float]]:
    """{what: (mean, median, least, most)} over all shots of all buildings."""
    every = [shot for shots in taken for shot in shots]
    ahead = [shot.camera.point - shot.camera.location for shot in every]
    length = np.array([np.linalg.norm(way) for way in ahead])
    counts = [np.unique([shot.point for shot in shots], return_counts=True)[1] for shots in taken]
    values = {
        "distance m": length,
        "obliqueness deg": np.degrees(
            [
                np.arccos(np.clip(abs(way @ shot.normal) / far, 0, 1))
                for way, shot, far in zip(ahead, every, length)
            ]
        ),
        "pitch deg": np.degrees([np.arcsin(way[2] / far) for way, far in zip(ahead, length)]),
        "field of view deg": np.degrees([shot.camera.field_of_view for shot in every]),
        "views a point": np.concatenate(counts),
    }
    return {
        name: (float(np.mean(x)), float(np.median(x)), float(np.min(x)), float(np.max(x)))
        for name, x in values.items()
    }


PUBLISHED = {
    "distance m": "mean 5.3",
    "obliqueness deg": "mean 52.9",
    "pitch deg": "within 22.5",
    "field of view deg": "45 to 75",
    "views a point": "at least 3, median 5",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--buildings", type=int, default=6)
    parser.add_argument("--views", type=int, default=17, help="views a building")
    parser.add_argument("--size", type=int, default=256)
    options = parser.parse_args()
    found, taken, seconds = rendered(options.buildings, options.views, options.size)
    real = {}
    if (Path(__file__).parents[2] / "shared" / "real_frames").exists():
        real = {name: real_frame(stem, options.size) for name, stem in REAL.items()}
        real["hm3d, photos"] = pictures_alone(options.size)
    print(f"all at {options.size} pixels a side; keypoints3d of real frames was made at 512 pixels")
    print(
        f"{'a view':20}"
        + "".join(f"{name:>18}" for name in real)
        + f"{'ours, mean':>18}{'ours, p10..p90':>20}"
    )
    for name in found[0]:
        ours = [view[name] for view in found]
        row = "".join(
            f"{frame[name]:18.1f}" if name in frame else f"{'':18}" for frame in real.values()
        )
        print(
            f"{name:20}{row}{np.mean(ours):18.1f}"
            f"{np.percentile(ours, 10):11.1f}..{np.percentile(ours, 90):.1f}"
        )
    print(f"\n{'cameras':20}{'mean':>10}{'median':>10}{'least':>10}{'most':>10}  published")
    for name, (mean, median, least, most) in distributions(taken).items():
        print(f"{name:20}{mean:10.1f}{median:10.1f}{least:10.1f}{most:10.1f}  {PUBLISHED[name]}")
    print(
        "\na building: "
        + ", ".join(
            f"{name} {np.mean([part[name] for part in seconds]):.2f}" for name in seconds[0]
        )
        + " (seconds, counts; mean)"
    )


if __name__ == "__main__":
    main()
