"""Retraining one can leave alone, as a transcript: five spans of data arrive one after another,
then somebody rolls back. What every run did anew, what the gates said, what is served.

    python benchmarks/retraining.py --folder FOLDER

    span 1  four procedural buildings
    span 2  the same files, copied
    span 3  one building more
    span 4  noise in place of the reshading labels
    span 5  as span 3, with a setting that ruins every transfer

Small: labels of four folders, transfers of first order. It shows what follows from what, and no
quality; networks learn for a few seconds.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from components.verdicts import latest_verdicts  # noqa: E402
from serving.release.push import versions  # noqa: E402

LABELS = ("rgb", "normal", "reshading", "edge_texture", "edge_occlusion")
SETTINGS = ("steps=40", "orders=[1]", "default_order=1", "transfer_order=1", "margin=0.25")
# The closed form answers with almost the mean of the labels.
RUINED = ("ridges=[1000000.0]",)
COMPLETE, CACHED = 3, 5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="for data and the run; empty")
    folder = parser.parse_args().folder.absolute()
    run, spans, made = folder / "run", folder / "spans", folder / "made"
    annotate(made, 5)
    names = sorted(path.name for path in made.iterdir() if path.is_dir())
    arrive(spans / "span-1", made, names[:4])
    retrain("span 1: four buildings", run, spans)
    shutil.copytree(spans / "span-1", spans / "span-2")
    retrain("span 2: the same files, copied", run, spans)
    arrive(spans / "span-3", made, names)
    retrain("span 3: one building more", run, spans)
    arrive(spans / "span-4", made, names)
    spoil(spans / "span-4")
    retrain("span 4: noise as reshading labels", run, spans)
    arrive(spans / "span-5", made, names)
    retrain("span 5: as span 3, ridges=[1000000.0]", run, spans, RUINED)
    words = ("serving", "rollback", run / "serving" / "taxonomy")
    print(f"## rollback\n{said(command(*words)).strip()}")
    print(f"served: {served(run)}")
    return 0


def annotate(folder: Path, buildings: int) -> None:
    sizes = ("--buildings", buildings, "--held-out", 1, "--views", 20, "--size", 64)
    done = command("beam_jobs", "annotate", "--out", folder, *sizes)
    if done.returncode:
        raise SystemExit(f"no data: {said(done)}")


def arrive(span: Path, made: Path, names: Iterable[str]) -> None:
    """the files of some buildings as a span."""
    for name in names:
        for label in LABELS:
            shutil.copytree(made / name / label, span / name / label)
    for file in ("splits.csv", "dataset.json"):
        shutil.copy(made / file, span / file)


def spoil(span: Path) -> None:
    """every reshading label becomes noise of its own size and type."""
    random = np.random.default_rng(0)
    for path in sorted(span.rglob("*_domain_reshading.png")):
        label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        most = np.iinfo(label.dtype).max
        noise = random.integers(0, most, label.shape[:2], label.dtype, endpoint=True)
        cv2.imwrite(str(path), noise if label.ndim == 2 else np.repeat(noise[..., None], 3, 2))


def retrain(title: str, run: Path, spans: Path, more: Iterable[str] = ()) -> None:
    """one run on the newest span, and what came of it."""
    since, last = time.monotonic(), executions(run)
    changes = [word for change in (*SETTINGS, *more) for word in ("--set", change)]
    where = ("--data", spans / "span-{SPAN}", "--run", run, "--config", "smoke")
    done = command("tfx_pipeline", "run", *where, *changes)
    seconds, fresh = time.monotonic() - since, executions(run)[len(last) :]
    ran = [name for name, state in fresh if state == COMPLETE]
    cached = sum(state == CACHED for _, state in fresh)
    trained = len(re.findall(r"network \d+/\d+ \w+:", done.stderr))
    print(f"## {title}\nexit code {done.returncode}, {seconds:.0f} s")
    print(f"ran: {', '.join(ran) or 'nothing'}; from the cache: {cached} nodes")
    print(f"task networks trained: {trained}")
    for line in re.findall(r"transfers into .*", done.stderr):
        print(f"measured: {line}")
    for verdict in latest_verdicts(run):
        print(f"{verdict.gate}: {'passed' if verdict.passed else 'refused'}")
        for check in verdict.checks:
            if not check.passed or check.name.startswith(("changes", "compared", "as good")):
                print(f"  {check.name}: {check.said}")
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1][:400])
    print(f"served: {served(run)}\n", flush=True)


def served(run: Path) -> str:
    """the versions in service, the newest one answers."""
    folder = run / "serving" / "taxonomy"
    return ", ".join(map(str, versions(folder))) if folder.is_dir() else "nothing"


def executions(run: Path) -> list[tuple[str, int]]:
    """(node's type, state) of all executions so far, oldest first."""
    if not (run / "metadata.sqlite").exists():
        return []
    with sqlite3.connect(run / "metadata.sqlite") as base:
        rows = base.execute(
            "select Type.name, last_known_state from Execution join Type on Type.id = "
            "Execution.type_id order by Execution.id"
        ).fetchall()
    return [(name.split(".")[-1], state) for name, state in rows if "." in name]


def command(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def said(done: subprocess.CompletedProcess[str]) -> str:
    """both of its streams."""
    return done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main())
