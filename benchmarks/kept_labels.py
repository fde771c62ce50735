"""Does training wait for labels that are kept on disk? Steps of a network of the laptop, fed with
the same batches from arrays in memory, from the label store's files, and from the examples' records
(`cache_bytes=0`).

    .venv/bin/python benchmarks/kept_labels.py --examples DIR [--steps 40] [--rounds 3] [TASK ...]

DIR: an Examples artifact (RUN/artifacts/ExampleGen/examples/N). For each task one compiled model,
the three in turn; milliseconds of the clock and of CPU a step, the least of the rounds. Goal: kept
at most 1.05 times arrays in memory. Batches are compared first: exit code 1 where a byte differs.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.scale import TASKS as KINDS
from models.examples.label_store import LabelStore, build_label_store
from models.examples.task_samples import TaskSamples
from models.networks.config import NetworkConfig
from models.networks.task_networks.train import trainer
from models.networks.training.batches import Batches
from models.networks.training.fit import fit
from models.tasks import TASKS
from tfx_pipeline.config import laptop

WAYS = ("in memory", "kept", "from records")
COMPARED = 5  # batches


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("tasks", nargs="*", default=KINDS)
    options = parser.parse_args()
    print(f"{'ms a step':18s}" + "".join(f"{way + ' CPU':>18s}{'clock':>8s}" for way in WAYS))
    same = True
    with tempfile.TemporaryDirectory(prefix="kept-") as name:
        folder = Path(name)
        on_disk, at_use = (
            built(options.examples, folder / name, options.tasks, limit)
            for name, limit in (("kept", 1 << 40), ("unkept", 0))
        )
        for task in options.tasks:
            config = laptop().network
            with contextlib.ExitStack() as opened:
                ways = [
                    opened.enter_context(batches)
                    for batches in (in_memory(on_disk, task, config), at(on_disk, task, config))
                ]
                ways.append(opened.enter_context(at(at_use, task, config)))
                same &= alike(task, ways)
                times = measured(task, ways, config, on_disk.size, options, folder)
            print(
                f"{task:18s}"
                + "".join(f"{1000 * cpu:18.1f}{1000 * clock:8.1f}" for cpu, clock in times)
                + f"   kept / in memory {times[1][0] / times[0][0]:.2f} (CPU), "
                f"{times[1][1] / times[0][1]:.2f}",
                flush=True,
            )
    return int(not same)


def built(examples: Path, folder: Path, tasks: list[str], limit: int) -> LabelStore:
    chosen = {name: TASKS[name] for name in tasks}
    return build_label_store(
        str(examples), folder, seed=0, max_samples=12_000, tasks=chosen, cache_bytes=limit
    )


@contextlib.contextmanager
def at(store: LabelStore, task: str, config: NetworkConfig) -> Iterator[Batches]:
    """batches as the store gives them."""
    batches = Batches(store, TASKS[task], config)
    try:
        yield batches
    finally:
        batches.close()


@contextlib.contextmanager
def in_memory(store: LabelStore, task: str, config: NetworkConfig) -> Iterator[Batches]:
    """the same, of arrays that are read once."""
    with at(store, task, config) as batches:
        data = batches.maker.data
        arrays = (np.array(part[:]) for part in (data.views, data.target, data.mask))
        batches.maker.data = TaskSamples(*arrays)
        batches.maker.pictures = np.array(batches.maker.pictures[:])
        yield batches


def alike(task: str, ways: list[Batches]) -> bool:
    for step in range(COMPARED):
        first, *others = ([part.tobytes() for part in way.batch(step)] for way in ways)
        if any(other != first for other in others):
            print(f"{task}: batch {step} is not the same", file=sys.stderr)
            return False
    return True


def measured(
    task: str,
    ways: list[Batches],
    config: NetworkConfig,
    size: int,
    options: argparse.Namespace,
    folder: Path,
) -> list[tuple[float, float]]:
    """(CPU, clock) seconds a step, the least of the rounds, of each way."""
    _, model = trainer(TASKS[task], config, size)
    spent(model, ways[0], 4, folder)  # traced and compiled
    rounds = [
        [spent(model, way, options.steps, folder) for way in ways] for _ in range(options.rounds)
    ]
    return [
        (min(row[way][0] for row in rounds), min(row[way][1] for row in rounds))
        for way in range(len(ways))
    ]


def spent(model: Any, batches: Batches, steps: int, folder: Path) -> tuple[float, float]:
    """(CPU, clock) seconds a step of a training."""
    cpu, clock = sum(os.times()[:4]), time.perf_counter()
    nowhere = folder / "checkpoint.npz"
    fit(model, batches, steps, "", saved=nowhere, address="", every=1e9, out=io.StringIO())
    return (sum(os.times()[:4]) - cpu) / steps, (time.perf_counter() - clock) / steps


if __name__ == "__main__":
    sys.exit(main())
