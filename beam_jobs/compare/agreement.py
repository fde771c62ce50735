"""Measures how well our label functions reproduce the labels of real frames: every label is
recomputed from the frame's other data and gives one figure.

It reads the published layout in both trees, and loose frames (the released ones that the
maintainers keep in ../shared/real_frames are 512 x 512); what varies between components stands in
`COMPONENTS`.

Not compared: principal_curvature (it comes from the mesh, which depth in steps of 2 mm does not
give back), class labels (other networks' answers) and semantics (the released frames hold
colour-coded pictures only); camera labels have golden vectors in the tests.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from beam_jobs.compare.component import COMPONENTS, component_of
from beam_jobs.compare.frames import frames, spread
from models.arguments.numbers import count
from models.arguments.places import named_path

MOST_FRAMES = 24  # of a whole data set: a frame takes some seconds
Row = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `agreement` to its parser."""
    parser.add_argument(
        "--frames",
        type=named_path,
        required=True,
        help="a data set in the published layout, or a folder of loose frames: "
        "point_*_domain_*.png, components in subfolders",
    )
    parser.add_argument(
        "--component",
        choices=list(COMPONENTS),
        help="whose parameters to take (default: by the folder's name, else taskonomy's)",
    )
    parser.add_argument(
        "--most",
        type=count,
        default=MOST_FRAMES,
        help=f"frames at most, evenly spread over all (default: {MOST_FRAMES})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Prints the agreement as a table or as JSON and returns the exit code."""
    rows = agreement(options.frames, options.component, options.most)
    for name in dict.fromkeys(row["set"] for row in rows):
        print(f"parameters of {COMPONENTS[name].words()}", file=sys.stderr)
    print(json.dumps(rows, indent=1) if options.json else table(rows))
    return 0


def agreement(root: Path, component: str | None = None, most: int = MOST_FRAMES) -> list[Row]:
    """Returns [{"frame", "place", "set", "label", "measure", "value"}]; measure: "correlation",
    "ARI" or "degrees" (median angle); set: the component whose parameters were taken. Raises
    ValueError if there is no frame, or no frame has a label to compare.
    """
    # Here and not above: the label functions need numba, and --help should not wait for it.
    from beam_jobs.compare.recomputed import measured

    rows = []
    for frame in spread(frames(root), most):
        parameters = COMPONENTS[component or component_of(frame)]
        for label, measure, value in measured(frame, parameters):
            rows.append(
                {
                    "frame": frame.name,
                    "place": frame.place,
                    "set": parameters.name,
                    "label": label,
                    "measure": measure,
                    "value": float(value),
                }
            )
    if not rows:
        raise ValueError(
            f"expected labels beside the pictures below {root} (edge_texture, depth_zbuffer and "
            "normal, ...), found no sound one"
        )
    return rows


def table(rows: list[Row]) -> str:
    """Returns the rows as text, a line for each."""
    return "\n".join(
        f"{row['set']:10} {row['frame']:17} {row['label']:20} {row['measure']:12} "
        f"{row['value']:8.4f}"
        for row in rows
    )
