"""Views a second of `annotate` with all labels on two processes, start-up included and in the long
run; where a view's time goes; the physical limit.

python benchmarks/annotate.py [--sizes 128 256] [--views 24]

Long run: workers that have started and loaded their kernels make two buildings each. Limit: rays
(Embree) and PNG encoding (OpenCV) alone.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

PROCESSES, BUILDINGS, SEED = 2, 4, 3


def from_nothing(size: int, views: int) -> tuple[float, int]:
    """(views a second, views) of four buildings, start of workers and building included."""
    from beam_jobs.annotate.procedural import annotate_buildings

    with tempfile.TemporaryDirectory() as root:
        start = time.perf_counter()
        made = annotate_buildings(
            Path(root), buildings=BUILDINGS, views=views, size=size, seed=SEED, processes=PROCESSES
        ).views
        return made / (time.perf_counter() - start), made


def in_the_long_run(size: int, views: int) -> tuple[float, int]:
    """(views a second, views) of the same buildings by workers that have made one before."""
    from beam_jobs.annotate.building_job import BuildingJob
    from beam_jobs.annotate.dataset import single_threaded
    from beam_jobs.annotate.procedural import annotate_building, building_number

    with (
        tempfile.TemporaryDirectory() as root,
        multiprocessing.get_context("spawn").Pool(PROCESSES, initializer=single_threaded) as pool,
    ):

        def job(i: int, count: int) -> BuildingJob:
            return BuildingJob(Path(root), building_number(SEED, i), count, size)

        pool.map(annotate_building, [job(10 + i, 3) for i in range(PROCESSES)], chunksize=1)
        start = time.perf_counter()
        made = sum(
            pool.imap_unordered(annotate_building, [job(i, views) for i in range(BUILDINGS)])
        )
        return made / (time.perf_counter() - start), made


def parts(size: int, views: int) -> dict[str, float]:
    """{part: least milliseconds a view, mean over views} on one process."""
    from beam_jobs.annotate.classes import classes
    from beam_jobs.annotate.dataset import single_threaded
    from beam_jobs.annotate.view_labels import pixel_labels
    from beam_jobs.scenes.buildings.building import building
    from beam_jobs.scenes.cameras.procedural import shots
    from beam_jobs.scenes.render.renderer import Eye
    from models.examples.published import encode_png

    single_threaded()
    eye = Eye(building(SEED))
    times: dict[str, list[float]] = {}
    for shot in shots(eye, np.random.default_rng(0), views)[:views]:
        seen = eye.look(shot.camera, size, np.random.default_rng(0))
        labels = {**pixel_labels(seen, shot.camera), **classes(seen, eye.scene, shot.room)}
        pictures = [value for value in labels.values() if value.ndim > 1]
        for name, work in {
            "render": lambda: eye.look(shot.camera, size, np.random.default_rng(0)),  # noqa: B023
            "rays of it": Rays(eye, shot.camera, size),
            "labels": lambda: pixel_labels(seen, shot.camera),  # noqa: B023
            **label_parts(seen, shot.camera),
            "classes": lambda: classes(seen, eye.scene, shot.room),  # noqa: B023
            "PNG": lambda: [encode_png(picture) for picture in pictures],  # noqa: B023
        }.items():
            times.setdefault(name, []).append(min(timed(work) for _ in range(2)))
    return {name: 1e3 * float(np.mean(values)) for name, values in times.items()}


def label_parts(seen, camera) -> dict:
    """{label kernel: what runs it on one view}."""
    from models.tasks.labels import edges, keypoints, segments
    from models.tasks.labels import surfaces as codes

    depth, normal = (
        codes.depth_codes(seen.depth),
        codes.normal_codes(seen.normal, np.isfinite(seen.depth)),
    )
    edge, angle = edges.edge_occlusion(depth), camera.field_of_view
    return {
        "edge_texture": lambda: edges.edge_texture(seen.rgb),
        "edge_occlusion": lambda: edges.edge_occlusion(depth),
        "keypoints2d": lambda: keypoints.keypoints2d(seen.rgb),
        "keypoints3d": lambda: keypoints.keypoints3d(seen.depth, seen.normal, angle),
        "segment_unsup2d": lambda: segments.segment_unsup2d(seen.rgb),
        "segment_unsup25d": lambda: segments.segment_unsup25d(depth, normal, edge),
    }


class Rays:
    """Called, casts again the rays that one view cast, and nothing else."""

    def __init__(self, eye, camera, size: int) -> None:
        self.caster, self.casts = eye.caster, []
        eye.caster = self
        try:
            eye.look(camera, size, np.random.default_rng(0))
        finally:
            eye.caster = self.caster

    def first(self, *arrays):
        self.casts.append((self.caster.first, arrays))
        return self.caster.first(*arrays)

    def free(self, *arrays):
        self.casts.append((self.caster.free, arrays))
        return self.caster.free(*arrays)

    def __call__(self) -> None:
        for cast, arrays in self.casts:
            cast(*arrays)


def once(views: int) -> dict[str, float]:
    """{part: least seconds a building}."""
    from beam_jobs.scenes.buildings.building import building
    from beam_jobs.scenes.cameras.procedural import shots
    from beam_jobs.scenes.render.renderer import Eye

    scene = building(SEED)
    eye = Eye(scene)
    works = {
        "shapes": lambda: building(SEED),
        "ray caster": lambda: Eye(scene).cast(np.zeros((1, 3)), np.ones((1, 3))),
        "cameras": lambda: shots(eye, np.random.default_rng(0), views),
        "light": lambda: (eye.__dict__.pop("lighting", None), eye.lighting),
    }
    return {name: min(timed(work) for _ in range(3)) for name, work in works.items()}


def timed(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--views", type=int, default=24, help="views a building")
    options = parser.parse_args()
    for size in options.sizes:
        print(
            f"{size} pixels, {PROCESSES} processes, {BUILDINGS} buildings of at least "
            f"{options.views} views (load before: {os.getloadavg()[0]:.1f})"
        )
        for name, measure in (
            ("start-up included", from_nothing),
            ("in the long run", in_the_long_run),
        ):
            rate, views = measure(size, options.views)
            print(f"  {name:20}{rate:8.1f} views/s over {views} views")
        milliseconds = parts(size, min(6, options.views))
        limit = milliseconds["rays of it"] + milliseconds["PNG"]
        print(
            f"  {'limit':20}{PROCESSES * 1e3 / limit:8.1f} views/s if nothing but rays and "
            "PNG encoding took time"
        )
        for name, value in milliseconds.items():
            print(f"    {name:18}{value:8.1f} ms a view")
    print(
        "a building: "
        + ", ".join(f"{name} {1e3 * value:.0f}" for name, value in once(options.views).items())
        + " ms"
    )


if __name__ == "__main__":
    main()
