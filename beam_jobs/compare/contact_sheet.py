"""A contact sheet of a data set in the published layout: views side by side, colours above labels,
to be looked at.

python -m beam_jobs sheet --data data --out sheet.png --labels rgb normal depth_zbuffer
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

COLOURS = (np.random.default_rng(0).uniform(0.15, 0.95, (256, 3)) * 255).astype(
    "uint8"
)  # of segment and class ids


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--out", type=Path, required=True, help="PNG to write")
    parser.add_argument(
        "--labels",
        nargs="+",
        default=["rgb"],
        help="folders to show, one row each for every row of views (default: rgb)",
    )
    parser.add_argument(
        "--views", type=int, default=24, help="views to show, spread evenly over all (default: 24)"
    )
    parser.add_argument("--columns", type=int, default=6)


def run(options: argparse.Namespace) -> int:
    import cv2

    image = sheet(options.data, options.labels, options.views, options.columns)
    if not cv2.imwrite(str(options.out), image[..., ::-1]):
        raise OSError(f"{options.out} cannot be written; name a .png in a folder that exists")
    print(f"{options.out}: {image.shape[1]} x {image.shape[0]} pixels", file=sys.stderr)
    return 0


def sheet(data: Path, labels: list[str], views: int, columns: int) -> np.ndarray:
    """uint8 [rows, columns, 3] picture. Raises ValueError for a label without a picture a view or a
    folder without views.
    """
    from models.tasks import DOMAINS

    pictures = [name for name, domain in DOMAINS.items() if domain.suffix and domain.file == "png"]
    unknown = [label for label in labels if label not in pictures]
    if unknown:
        raise ValueError(
            f"no pictures of {', '.join(unknown)}; the data set has {', '.join(sorted(pictures))}"
        )
    found = sorted(data.glob("*/rgb/*.png"))
    if not found:
        raise ValueError(
            f"{data} holds no */rgb/*.png; make a data set first: python -m beam_jobs "
            f"annotate --out {data}"
        )
    chosen = [
        found[i]
        for i in np.unique(
            np.linspace(0, len(found) - 1, min(views, len(found))).round().astype(int)
        )
    ]
    bands = [chosen[i : i + columns] for i in range(0, len(chosen), columns)]
    return np.concatenate([band(paths, label, columns) for paths in bands for label in labels])


def band(paths: list[Path], label: str, columns: int) -> np.ndarray:
    """one label of up to `columns` views in a row, black where there is no view left."""
    from models.examples.published import read_label
    from models.tasks import DOMAINS

    domain = DOMAINS[label]
    files = [
        path.parents[1] / label / path.name.replace("_rgb.png", f"_{domain.suffix}.png")
        for path in paths
    ]
    tiles = [shown(read_label(file, domain), label) for file in files]
    return np.concatenate(tiles + [np.zeros_like(tiles[0])] * (columns - len(tiles)), 1)


def shown(value: np.ndarray, label: str) -> np.ndarray:
    """uint8 [H, W, 3]: ids in fixed colours, 16-bit maps between their 2nd and 98th percentile, the
    rest as it is.
    """
    if label.startswith("segment"):
        return COLOURS[value.astype("uint8")]
    if value.dtype == np.uint16:
        seen = value < 65535 if label.startswith("depth") else np.ones(value.shape, bool)
        low, high = np.percentile(value[seen], [2, 98]) if seen.any() else (0, 1)
        value = (np.clip((value - low) / max(high - low, 1), 0, 1) * 255 * seen).astype("uint8")
    return value if value.ndim == 3 else np.repeat(value[..., None], 3, -1)
