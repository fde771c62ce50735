"""Does any node of the whole pipeline grow with the views? Memory and seconds of every node of
`run --config smoke`, at growing numbers of views.

    .venv/bin/python benchmarks/scale_run.py [--views 1000 10000] [--data DIR]

Views are hard links of a procedural data set (--data: one that is there), in buildings of other
names: each is ingested, checked, counted and decoded, and all of the test split are judged. No
decoded label is kept (`cache_bytes=0`); 256 views teach transfers, as `transfer_images` bounds them
in `paper()`. own MiB: most memory of the pipeline and its processes that is no page of a file,
looked at every 100 ms. Exit code 1 if a node's own memory grows by more than a tenth, and by more
than 20 MiB, between the last two numbers.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.scale import ROOT, anonymous

OPTIONS = (
    *("--set", "cache_bytes=0"),
    *("--set", "max_samples=12000"),
    *("--set", "transfer_images=256"),
    # a gate asks whether labels belong to their pictures: another's label is here often a copy
    *("--force", "views are copies of some hundred"),
)
# what the pipeline says when a node begins and ends
BEGINS = re.compile(r"\[ ?\d+/\d+\] (\w+) \.\.\.")
ENDS = re.compile(r"\[ ?\d+/\d+\] (\w+): ([\d.]+) s")
# Before the first node: imports, and the data's fingerprint.
BEFORE = "(start)"
NOISE = 20  # MiB


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--views", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--data", type=Path, help="a procedural data set to link from")
    options = parser.parse_args()
    tables = []
    with tempfile.TemporaryDirectory(prefix="scale-run-") as name:
        folder = Path(name)
        model = options.data or made(folder / "model")
        for views in options.views:
            place = folder / str(views)
            count = multiply(model, place / "data", views)
            tables.append(nodes_of(place))
            print_table(count, tables[-1], bytes_by_node(place / "run" / "artifacts"))
            shutil.rmtree(place)
    return int(bool(len(tables) > 1 and [*growth(*tables[-2:])]))


def made(folder: Path) -> Path:
    """a data set of some two hundred views of 64 pixels."""
    words = ("annotate", "--out", folder, "--buildings", 12, "--views", 20, "--size", 64)
    command = [sys.executable, "-m", "beam_jobs", *map(str, words), "--held-out", "3"]
    subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    return folder


def multiply(model: Path, goal: Path, views: int) -> int:
    """links a data set's buildings again and again under names of their own; how many views."""
    goal.mkdir(parents=True)
    shutil.copy(model / "dataset.json", goal)
    with (model / "splits.csv").open() as file:
        splits = list(csv.DictReader(file))
    count = 0
    with (goal / "splits.csv").open("w", newline="") as file:
        lines = csv.DictWriter(file, splits[0])
        lines.writeheader()
        for turn in range(views):
            for line in splits:
                building = f"{line['id']}x{turn:05d}"
                shutil.copytree(model / line["id"], goal / building, copy_function=os.link)
                lines.writerow({**line, "id": building})
                count += len(list((goal / building / "rgb").iterdir()))
            if count >= views:
                return count
    return count


def nodes_of(place: Path) -> dict[str, tuple[float, float]]:
    """node -> (most own MiB, seconds) of a run of the pipeline."""
    words = ("run", "--config", "smoke", "--data", place / "data", "--run", place / "run")
    command = [sys.executable, "-m", "tfx_pipeline", *map(str, words), *OPTIONS]
    memory = {BEFORE: 0.0}
    seconds = {BEFORE: 0.0}
    began = time.monotonic()
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        ended = threading.Event()
        current = BEFORE

        def look() -> None:
            while not ended.wait(0.1):
                own = sum(map(anonymous, tree(str(process.pid)))) / 1024
                memory[current] = max(memory.get(current, 0.0), own)

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        said = []
        for line in process.stderr:
            said.append(line)
            if words_of := BEGINS.match(line):
                if current == BEFORE:
                    seconds[BEFORE] = time.monotonic() - began
                current = words_of[1]
            elif words_of := ENDS.match(line):
                seconds[words_of[1]] = float(words_of[2])
        ended.set()
        thread.join()
    if process.returncode:
        raise SystemExit("".join(said[-30:]))
    return {node: (memory.get(node, 0.0), spent) for node, spent in seconds.items()}


def tree(process: str) -> Iterator[str]:
    """a process and all below it."""
    yield process
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:  # it has ended
            continue
        for child in children:
            yield from tree(child)


def bytes_by_node(artifacts: Path) -> dict[str, int]:
    """node -> bytes of its artifacts."""
    return {
        folder.name: sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
        for folder in artifacts.iterdir()
    }


def print_table(views: int, nodes: dict[str, tuple[float, float]], sizes: dict[str, int]) -> None:
    print(f"{views:,} views\n{'node':20s} {'own MiB':>8s} {'s':>8s} {'ms/view':>8s} {'B/view':>9s}")
    for node, (own, spent) in nodes.items():
        size = sizes.get(node, 0) / views
        print(f"{node:20s} {own:8.0f} {spent:8.1f} {1000 * spent / views:8.2f} {size:9.0f}")
    print(flush=True)


def growth(
    before: dict[str, tuple[float, float]], after: dict[str, tuple[float, float]]
) -> Iterator[str]:
    """prints how own memory of each node grew; yields those that grew too much."""
    for node, (own, _) in after.items():
        first = before[node][0]
        much = own > 1.1 * first and own > first + NOISE
        print(f"{node:20s} {first:8.0f} {own:8.0f}" + (f" {own / first - 1:+.1%}" if much else ""))
        if much:
            yield node


if __name__ == "__main__":
    sys.exit(main())
