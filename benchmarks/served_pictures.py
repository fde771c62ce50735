"""Do served maps look better than what is measured? A sheet of a finished run's edges on pictures
that no run has seen:

    python benchmarks/served_pictures.py --run runs/demo --out sheet.png FRAMES/*_rgb.png

For every map that the policy reaches by transfer, and each picture: the picture, the published
label where a file beside it is one (point_P_view_V_domain_NORMAL.png; not decoded, 16 bits are
stretched), the answer of the target's own network, of the closed form by which transfers are
measured, and of the network that is served. Magnitudes are on the scale of the own network's
answer.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from components.ledger import gather
from components.report_pictures import map_panels
from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.task_networks.build import load_task_network
from models.networks.task_networks.representations import RepresentationStore
from models.networks.transfers.edge import train_transfer
from models.tasks import TASKS
from models.tasks.arrays import Array, Bytes
from serving.bundle.heads import Heads, taken_by
from serving.client.drawing import beside, enlarged, titled
from serving.client.figures import SIDE, photo_of

GAP = 12  # pixels between rows
FARTHEST = 65535  # code of a depth that is not known


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=Path, required=True, help="a finished run")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("pictures", type=Path, nargs="+")
    options = parser.parse_args()
    artifacts = options.run / "artifacts"
    served = newest(artifacts / "TrainPolicy" / "transfers")
    policy = json.loads((served / "policy.json").read_text())
    maps = [
        edge for edge in policy["edges"] if edge["sources"] and TASKS[edge["target"]].output.dense
    ]
    store = LabelStore(newest(artifacts / "DecodeLabels" / "labels") / "store")
    photos = {path: photo_of(path.read_bytes()) for path in options.pictures}
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        shards = [str(newest(folder / "networks")) for folder in artifacts.glob("TrainTasks*")]
        networks = gather(shards, scratch)
        alone = {**policy, "edges": maps}
        with tempfile.TemporaryDirectory() as folder:
            measured = closed_form(artifacts, store, networks, maps, Path(folder))
            before = Heads.load(alone, networks, measured, store.size, {})
            after = Heads.load(alone, networks, served, store.size, {})
            for edge in maps:
                own = load_task_network(Path(networks) / edge["target"])
                for path, photo in photos.items():
                    batch = (enlarged(photo, store.size)[None] / 255).astype("float32")
                    answers = (
                        np.asarray(own.head(own.encoder(taken_by(own, batch))))[0],
                        answer(before, edge["target"], batch),
                        answer(after, edge["target"], batch),
                    )
                    rows.append(beside([*panels(edge, path, photo, answers)]))
    Image.fromarray(stacked(rows)).save(options.out)
    print(f"{len(rows)} rows of {len(maps)} targets in {options.out}")
    return 0


def newest(folder: Path) -> Path:
    """the folder of an artifact's last version."""
    return max(folder.iterdir(), key=lambda path: int(path.name))


def closed_form(
    artifacts: Path, store: LabelStore, networks: str, edges: list[Any], folder: Path
) -> Path:
    """the folder of the edges' networks as they are measured: in closed form, not smoothed."""
    lineage = newest(artifacts / "WriteReport" / "report") / "lineage.json"
    settings = NetworkConfig(**json.loads(lineage.read_text())["config"]["network"])
    settings = dataclasses.replace(settings, learner="closed_form", policy_epochs=0)
    codes = RepresentationStore(newest(artifacts / "EncodeViews" / "representations") / "store")
    for edge in edges:
        sources, target = tuple(edge["sources"]), edge["target"]
        train_transfer(sources, target, store, codes, networks, folder / target, settings)
    return folder


def answer(heads: Heads, target: str, batch: Array) -> Array:
    """[S, S, C] of one picture."""
    head = heads.only(target)
    return np.asarray(head.answers(head.encode(batch, 1), 1)[target])[0]


def panels(edge: Any, path: Path, photo: Bytes, answers: tuple[Array, ...]) -> Iterator[Bytes]:
    entry = TASKS[edge["target"]]
    yield titled(photo, path.stem[:30])
    label = path.with_name(path.name.replace("_rgb.", f"_{entry.name}."))
    if label != path and label.exists():
        yield titled(label_panel(label), f"label: {entry.name}")
    else:
        yield titled(np.full_like(photo, 255), f"no label: {entry.name}")
    names = ("its own network", "as measured", "as served, from " + ", ".join(edge["sources"]))
    for name, value in zip(names, answers):
        drawn = map_panels(entry, value, photo, answers[0].copy())
        yield titled(beside(drawn), name)


def label_panel(path: Path) -> Bytes:
    """a published label as it is; 16 bits stretched between their 2nd and 98th percentile."""
    codes = np.asarray(Image.open(path))
    if codes.dtype == np.uint8 or codes.ndim > 2:
        return photo_of(path.read_bytes())
    low, high = np.percentile(codes[codes < FARTHEST], (2, 98))
    grey = 255 * np.clip((codes - low) / max(high - low, 1), 0, 1)
    return enlarged(np.repeat(grey[..., None], 3, -1).astype("uint8"), SIDE)


def stacked(rows: list[Bytes]) -> Bytes:
    width = max(row.shape[1] for row in rows)
    lines = []
    for row in rows:
        line = np.full((row.shape[0] + GAP, width, 3), 255, "uint8")
        line[: row.shape[0], : row.shape[1]] = row
        lines.append(line)
    return np.concatenate(lines)


if __name__ == "__main__":
    sys.exit(main())
