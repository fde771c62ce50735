"""The command `python -m beam_jobs annotate`: makes a data set in the published layout, of
procedural buildings or of buildings in mesh files.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from beam_jobs.annotate import fork_server
from models.arguments.numbers import count, natural, positive
from models.arguments.places import named_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `annotate` to its parser."""
    parser.add_argument("--out", type=named_path, required=True, help="folder of the data set")
    parser.add_argument("--buildings", type=count, default=12, help="procedural buildings to make")
    parser.add_argument(
        "--views", type=count, default=40, help="views a building (whole points, so slightly more)"
    )
    parser.add_argument("--size", type=count, default=128, help="side of the images in pixels")
    parser.add_argument(
        "--seed", type=natural, default=0, help="another number makes other buildings and views"
    )
    parser.add_argument(
        "--held-out",
        type=count,
        help="buildings that validate, and as many that test (default: a sixth each); the "
        "others train, and those of an existing splits.csv keep their split",
    )
    parser.add_argument(
        "--processes", type=count, default=os.cpu_count() or 1, help="buildings at a time"
    )
    add_mesh_arguments(parser)


def add_mesh_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that concern buildings from mesh files."""
    meshes = parser.add_argument_group("buildings from mesh files instead of procedural ones")
    meshes.add_argument(
        "--mesh",
        type=named_path,
        action="append",
        default=[],
        help="GLB, glTF, OBJ or PLY file of a building; again for more",
    )
    meshes.add_argument(
        "--labels",
        type=named_path,
        action="append",
        default=[],
        help=".npy with a class id (0 to 17) a triangle; one for each --mesh, in order",
    )
    meshes.add_argument(
        "--units-per-metre", type=positive, default=1.0, help="1000 for a file in millimetres"
    )
    meshes.add_argument(
        "--up",
        choices=("y", "z"),
        help="axis that points upwards in the files (default: y for GLB and glTF, z for OBJ "
        "and PLY)",
    )


def check_labels(labels: Sequence[Path], meshes: Sequence[Path]) -> None:
    """Raises ValueError or FileNotFoundError for files that hold no class ids of triangles. Whether
    their number fits the triangles is checked when the mesh is read.
    """
    if len(labels) not in (0, len(meshes)):
        raise ValueError(
            f"expected one --labels for each --mesh, got {len(labels)} for {len(meshes)}"
        )
    if labels:
        # Here and not above: --help needs no arrays.
        import numpy as np
    for path in labels:
        if not path.is_file():
            raise FileNotFoundError(f"{path}: expected a .npy of class ids, there is no such file")
        try:
            ids = np.load(path, mmap_mode="r", allow_pickle=False)
            fit = ids.ndim == 1 and ids.dtype.kind in "iu"
        # numpy raises several types for other files, and opens a .npz as several arrays
        except (ValueError, EOFError, OSError, AttributeError):
            fit = False
        if not fit:
            raise ValueError(
                f"{path} is no .npy of whole numbers; --labels takes a class id (0 to 17) a "
                "triangle, as numpy.save writes them"
            )


def run(options: argparse.Namespace) -> int:
    """Makes the data set, says on standard error what it holds, and returns the exit code."""
    check_labels(options.labels, options.mesh)
    # Begun first: the server then imports on one core while this process imports on another.
    fork_server.begin(f"beam_jobs.annotate.{'meshes' if options.mesh else 'procedural_views'}")
    # Here and not above, so that --help needs no arrays.
    with fork_server.ctrl_c_waits():
        importlib.import_module(f"beam_jobs.annotate.{'meshes' if options.mesh else 'procedural'}")
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
