"""python -m beam_jobs annotate: a data set in the published layout, of procedural buildings or of
buildings in mesh files.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

from beam_jobs.annotate import fork_server


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--buildings", type=int, default=12)
    parser.add_argument(
        "--views", type=int, default=40, help="views a building (whole points, so slightly more)"
    )
    parser.add_argument("--size", type=int, default=128, help="side of the images in pixels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--held-out",
        type=int,
        help="buildings that validate, and as many that test (default: a sixth each); the "
        "others train, and those of an existing splits.csv keep their split",
    )
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="buildings at a time"
    )
    add_mesh_arguments(parser)


def add_mesh_arguments(parser: argparse.ArgumentParser) -> None:
    meshes = parser.add_argument_group("buildings from mesh files instead of procedural ones")
    meshes.add_argument(
        "--mesh",
        type=Path,
        action="append",
        default=[],
        help="GLB, glTF, OBJ or PLY file of a building; again for more",
    )
    meshes.add_argument(
        "--labels",
        type=Path,
        action="append",
        default=[],
        help=".npy with a class id (0 to 17) a triangle; one for each --mesh, in order",
    )
    meshes.add_argument(
        "--units-per-metre", type=float, default=1.0, help="1000 for a file in millimetres"
    )
    meshes.add_argument(
        "--up",
        choices=("y", "z"),
        help="axis that points upwards in the files (default: y for GLB and glTF, z for OBJ "
        "and PLY)",
    )


def run(options: argparse.Namespace) -> int:
    work = f"beam_jobs.annotate.{'meshes' if options.mesh else 'procedural'}"
    # First: it imports on one core what this process imports on another.
    fork_server.begin(work)
    # Here and not above, so that --help needs neither numba nor a ray caster.
    with fork_server.ctrl_c_waits():
        importlib.import_module(work)
    if options.mesh:
        from beam_jobs.annotate.meshes import annotate_meshes

        data_set = annotate_meshes(
            options.out,
            options.mesh,
            views=options.views,
            size=options.size,
            seed=options.seed,
            labels=options.labels,
            units_per_metre=options.units_per_metre,
            up=options.up,
            processes=options.processes,
            held_out=options.held_out,
        )
    else:
        from beam_jobs.annotate.procedural import annotate_buildings

        data_set = annotate_buildings(
            options.out,
            buildings=options.buildings,
            views=options.views,
            size=options.size,
            seed=options.seed,
            processes=options.processes,
            held_out=options.held_out,
        )
    print(
        f"data set: {data_set.buildings} buildings, {data_set.views} views with "
        f"{data_set.labels} in {options.out}",
        file=sys.stderr,
    )
    return 0
