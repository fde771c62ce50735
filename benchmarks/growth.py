"""What growth costs through the whole pipeline: which nodes run again, how many networks are
trained and transfers measured, when a task comes, a target function is edited, a component, a
template, when views come and a task goes.

    .venv/bin/python benchmarks/growth.py [--run FOLDER] [--only WORD ...]

--run: a finished `demo --config smoke`, which is copied for each change; without it one is made
first. --only: changes whose name has one of these words. Each change is made in a copy of the
sources.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "tests" / "fixtures"))

from runs.small_run import ROOT, SMOKE, edited_copy, executions

# what is added to the dictionary of tasks
ONE_MORE = """
import dataclasses
TASKS["gloss"] = dataclasses.replace(TASKS["reshading"], name="gloss", published="")
"""
EDITS = {
    "the same again": {},
    "a function of labels (depth)": {"models/tasks/targets.py": ("np.log(65536)", "np.log(65537)")},
    "a component (TrainTasks)": {"components/train_tasks.py": ("len(wanted))", "len(wanted) + 0)")},
    "a template of the report": {"models/reports/templates/header.html": ("<", "<!-- edited --><")},
}
COMES = "a 27th task"
GOES = "that task taken out"
MORE = "a fifth building"
NETWORK = re.compile(r"network (\d+)/\d+ \w+:")
TRANSFERS = re.compile(r"([\d,]+) transfers into \d+ targets(?: \(([\d,]+) from the ledger\))?")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=Path, help="a finished demo --config smoke")
    parser.add_argument(
        "--only", nargs="+", default=[""], metavar="WORD", help="of a change's name"
    )
    options = parser.parse_args()
    titles = ("networks", "transfers", "of", "nodes", "of")
    print(f"{'change':34s}" + "".join(f"{title:>10s}" for title in titles) + "  which")
    with tempfile.TemporaryDirectory(prefix="growth-") as name:
        folder = Path(name)
        base = options.run or folder / "base"
        if not options.run:
            row("all for the first time", base, 0, said("demo", base, ROOT))
        for number, (change, edits) in enumerate(EDITS.items()):
            if meant(change, options.only):
                run = Path(shutil.copytree(base, folder / f"run{number}", symlinks=True))
                again(change, run, edited_copy(folder / f"sources{number}", edits))
                shutil.rmtree(run)
        if meant(f"{COMES}, {GOES}", options.only):
            come_and_go(base, folder)
        if meant(MORE, options.only):
            run = Path(shutil.copytree(base, folder / "more", symlinks=True))
            row(MORE, run, newest(run), said("demo", run, ROOT, "--set", "buildings=5"))
    return 0


def meant(change: str, words: list[str]) -> bool:
    return any(word in change for word in words)


def come_and_go(base: Path, folder: Path) -> None:
    """the rows of a task that comes and goes again."""
    run = Path(shutil.copytree(base, folder / "grown", symlinks=True))
    sources = edited_copy(folder / "sources", {})
    with open(sources / "models" / "tasks" / "dictionary.py", "a", encoding="utf-8") as file:
        file.write(ONE_MORE)
    again(COMES, run, sources)
    why = ("--force", "a task is taken out on purpose")  # the gate asks where labels have gone
    again(GOES, run, edited_copy(folder / "before", {}), *why)
    shutil.rmtree(run)


def newest(run: Path) -> int:
    """the number of the last execution."""
    return max(number for number, _, _ in executions(run))


def again(change: str, run: Path, sources: Path, *more: str) -> None:
    """the pipeline once more by other sources, as a row."""
    last = newest(run)
    row(change, run, last, said("run", run, sources, "--data", str(run / "data"), *more))


def said(verb: str, run: Path, sources: Path, *more: str) -> str:
    """what a command of the pipeline says."""
    words = [sys.executable, "-m", "tfx_pipeline", verb, *SMOKE, "--run", str(run), *more]
    done = subprocess.run(words, cwd=sources, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return done.stderr


def row(change: str, run: Path, last: int, words: str) -> None:
    """prints what ran since the execution `last`."""
    fresh = [(name, state) for number, name, state in executions(run) if number > last]
    ran = [name.split(".")[-1] for name, state in fresh if state == 3]
    networks = len(NETWORK.findall(words))
    everything, known = 0, 0
    if found := TRANSFERS.findall(words):
        everything, known = (int(number.replace(",", "") or 0) for number in found[-1])
    which = "all" if len(ran) == len(fresh) else ", ".join(ran)
    numbers = (networks, everything - known, everything, len(ran), len(fresh))
    print(
        f"{change:34s}" + "".join(f"{number:10,d}" for number in numbers) + f"  {which}", flush=True
    )


if __name__ == "__main__":
    sys.exit(main())
