"""A building from a mesh: seconds to read it, for curvature and for the ray caster, once;
milliseconds a view and views a second on one process.

    python benchmarks/annotate_mesh.py [--triangles 100000 500000 1000000] [--size 256] [--views 8]

The mesh is a room of 8 x 6 x 3 m with uneven walls and forty balls, with a 2048 x 2048 picture,
written as GLB first.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np


def write_room(path: Path, triangles: int) -> None:
    """half of the triangles in walls, floor and ceiling, half in balls."""
    import trimesh
    from PIL import Image

    rng, side, parts = np.random.default_rng(0), int(np.sqrt(triangles / 24)), []
    grid = np.stack(
        np.meshgrid(np.linspace(0, 1, side + 1), np.linspace(0, 1, side + 1), indexing="ij"), -1
    ).reshape(-1, 2)
    i = (np.arange(side)[:, None] * (side + 1) + np.arange(side)).ravel()
    faces = np.concatenate(
        [np.stack([i, i + side + 1, i + side + 2], 1), np.stack([i, i + side + 2, i + 1], 1)]
    )
    for axis in range(3):
        for end in (0.0, 1.0):
            wall = np.insert(grid, axis, end, axis=1) * (8, 6, 3)
            wall[:, axis] += 0.01 * np.sin(grid[:, 0] * 40) * np.sin(grid[:, 1] * 30)
            parts.append((wall, faces, grid))
    ball = trimesh.creation.uv_sphere(radius=0.3, count=[max(8, int(np.sqrt(triangles / 160)))] * 2)
    for _ in range(40):
        uv = ball.vertices[:, :2] / 0.6 + 0.5
        parts.append(
            (ball.vertices + rng.uniform([0.5, 0.5, 0.3], [7.5, 5.5, 0.9]), ball.faces, uv)
        )
    offsets = np.cumsum([0] + [len(part[0]) for part in parts[:-1]])
    picture = Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype="uint8")).resize(
        (2048, 2048), Image.BICUBIC
    )
    visual = trimesh.visual.TextureVisuals(
        np.concatenate([part[2] for part in parts]),
        material=trimesh.visual.material.PBRMaterial(baseColorTexture=picture),
    )
    x, y, z = np.concatenate([part[0] for part in parts]).T
    mesh = trimesh.Trimesh(
        np.stack([x, z, -y], 1),
        np.concatenate([part[1] + offset for part, offset in zip(parts, offsets)]),
        process=False,
        visual=visual,
    )
    mesh.export(path)


def measured(path: Path, size: int, views: int) -> dict[str, float]:
    """{column: figure} of one mesh."""
    from beam_jobs.annotate.dataset import single_threaded
    from beam_jobs.annotate.view_labels import write_view
    from beam_jobs.scenes.cameras.scan_cameras import shots
    from beam_jobs.scenes.geometry.curvature import principal_curvatures
    from beam_jobs.scenes.render.ray_caster import RayCaster
    from beam_jobs.scenes.scans.mesh_file import read_mesh
    from beam_jobs.scenes.scans.scan import Scan

    single_threaded()
    start = time.perf_counter()
    mesh = read_mesh(path)
    read = time.perf_counter()
    principal_curvatures(mesh.vertices, mesh.faces)
    bent = time.perf_counter()
    RayCaster(mesh.vertices, mesh.faces)
    cast = time.perf_counter()
    scan = Scan(mesh)
    found = time.perf_counter()
    taken, _ = shots(scan, np.random.default_rng(0), views)
    stood = time.perf_counter()
    scan.look(taken[0].camera, size)  # compiles
    looks, labels = [], []
    with tempfile.TemporaryDirectory() as folder:
        for shot in taken[:views]:
            start_view = time.perf_counter()
            surfaces = scan.look(shot.camera, size)
            looks.append(time.perf_counter() - start_view)
            write_view(Path(folder), surfaces, shot, {}, {}, taken)
            labels.append(time.perf_counter() - start_view)
    return {
        "triangles": len(mesh.faces),
        "read s": read - start,
        "curvature s": bent - read,
        "rays s": cast - bent,
        "all s": read - start + found - cast,
        "cameras s": stood - found,
        "render ms": 1e3 * float(np.mean(looks)),
        "view ms": 1e3 * float(np.mean(labels[1:])),
        "views/s": 1 / float(np.mean(labels[1:])),
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--triangles", type=int, nargs="+", default=[100_000, 500_000, 1_000_000])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--views", type=int, default=8)
    options = parser.parse_args()
    print(
        f"{options.size} pixels, one process, all labels that a mesh tells (load before: "
        f"{os.getloadavg()[0]:.1f})"
    )
    for number, triangles in enumerate(options.triangles):
        with tempfile.TemporaryDirectory() as folder:
            write_room(Path(folder) / "room.glb", triangles)
            row = measured(Path(folder) / "room.glb", options.size, options.views)
        if not number:
            print("  ".join(f"{name:>11}" for name in row))
        print(
            "  ".join(
                f"{value:11.0f}" if name in ("triangles", "peak MB") else f"{value:11.2f}"
                for name, value in row.items()
            )
        )


if __name__ == "__main__":
    main()
