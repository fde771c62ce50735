"""Views a second of `annotate` with all labels on two processes, and where a view's time goes; states the load, since the machine may be shared.

python benchmarks/annotate.py [--sizes 128 256] [--views 12]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np


def throughput(size: int, views: int) -> float:
    """views a second, worker start and building construction included."""
    from beam_jobs.annotate import annotate_buildings

    with tempfile.TemporaryDirectory() as root:
        start = time.perf_counter()
        made = annotate_buildings(Path(root), buildings=4, views=views, size=size, seed=3, processes=2)
        return made["views"] / (time.perf_counter() - start)


def parts(size: int, views: int) -> dict[str, float]:
    """{part: least milliseconds a view, mean over views} on one process."""
    from beam_jobs.annotate import single_threaded
    from beam_jobs.scenes.building import building
    from beam_jobs.scenes.cameras import shots
    from beam_jobs.scenes.renderer import Eye
    from models.tasks.labels import edges, keypoints, segments
    from models.tasks.labels import surfaces as codes

    single_threaded()
    eye = Eye(building(3))
    times: dict[str, list[float]] = {}
    for shot in shots(eye, np.random.default_rng(0), views)[:views]:
        seen = eye.look(shot.camera, size, np.random.default_rng(0))
        depth, normal = codes.depth_codes(seen.depth), codes.normal_codes(seen.normal, np.isfinite(seen.depth))
        edge, angle = edges.edge_occlusion(depth), shot.camera.field_of_view
        for name, work in {
            "render": lambda: eye.look(shot.camera, size, np.random.default_rng(0)),  # noqa: B023
            "edge_texture": lambda: edges.edge_texture(seen.rgb),  # noqa: B023
            "edge_occlusion": lambda: edges.edge_occlusion(depth),  # noqa: B023
            "keypoints2d": lambda: keypoints.keypoints2d(seen.rgb),  # noqa: B023
            "keypoints3d": lambda: keypoints.keypoints3d(seen.depth, seen.normal, angle),  # noqa: B023
            "segment_unsup2d": lambda: segments.segment_unsup2d(seen.rgb),  # noqa: B023
            "segment_unsup25d": lambda: segments.segment_unsup25d(depth, normal, edge),  # noqa: B023
        }.items():
            times.setdefault(name, []).append(min(timed(work) for _ in range(2)))
    return {name: 1e3 * float(np.mean(values)) for name, values in times.items()}


def timed(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--views", type=int, default=12, help="views a building")
    options = parser.parse_args()
    for size in options.sizes:
        load = os.getloadavg()[0]
        print(f"{size} pixels: {throughput(size, options.views):.1f} views/s on 2 processes (load before: {load:.1f})")
        for name, milliseconds in parts(size, min(6, options.views)).items():
            print(f"  {name:18}{milliseconds:8.1f} ms")


if __name__ == "__main__":
    main()
