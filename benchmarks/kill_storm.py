"""A storm of SIGKILLs over the small pipeline, against a run that nobody disturbs.

    python benchmarks/kill_storm.py --folder DIR [--kills 100] [--mean 5] [--seed 0]

Both runs are of one data set (made below --folder unless it is there: four procedural buildings
with rgb, normal and reshading labels) and one small configuration (order 1, 3 steps a
network, two trainers). Every attempt is a fork of this process, which imports TFX once, in a
process group of its own, and the whole group is killed after a random time: half of the attempts
after a uniform time up to twice --mean seconds, half at a random line of what they print. Where the
run comes to its end before all kills are spent, artifacts of a random node and what follows are
forgotten (the ledgers are not), so that later nodes are killed too.

Prints where the kills fell and what was trained twice, and holds taxonomies.json, policy.json and
every file of weights against the undisturbed run's: exit code 1 if one differs. The same seed gives
the same times, not the same places: those depend on the machine.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

LABELS = ("rgb", "normal", "reshading")
SETTINGS = (
    "orders=[1]",
    "default_order=1",
    "transfer_order=1",
    "budgets=[1,2]",
    "default_budget=2",
    "resamples=5",
    "random_policies=20",
)
# Node, output, files that must be the same to the byte.
RESULTS = (
    ("SolveTaxonomy", "taxonomies", "taxonomies.json"),
    ("TrainPolicy", "transfers", "policy.json"),
    ("MeasureAffinities", "affinities", "affinities.json"),
    ("TrainTasks", "networks", "*/*.h5"),
    ("TrainTasks", "networks", "*/test_losses.npy"),
    ("TrainPolicy", "transfers", "*/*.npz"),
    ("TrainPolicy", "transfers", "*/*.h5"),
)
# From words to an exit code.
Work = Callable[[list[str]], int]
NODE = re.compile(r"^\[ *\d+/\d+\] (\S+) \.\.\.")
TRAINED = re.compile(r"network \d+/\d+ (\w+):")
# About as many lines as an attempt prints in all.
LINES = 45
NOT_YET = "before the first node"


def make_data(folder: Path) -> Path:
    """four buildings, of the labels that cost least."""
    data = folder / "data"
    if data.exists():
        return data
    scratch = folder / "data.being_made"
    numbers = ("--buildings=4", "--held-out=1", "--views=20", "--size=64", "--processes=2")
    words = [sys.executable, "-m", "beam_jobs", "annotate", "--out", str(scratch), *numbers]
    subprocess.run(words, cwd=ROOT, check=True)
    for place in scratch.glob("*/*"):
        if place.is_dir() and place.name not in LABELS:
            shutil.rmtree(place)
    scratch.rename(data)
    return data


def preload() -> None:
    """what every attempt needs, once."""
    from tfx_pipeline import quiet

    quiet.before_imports()
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner  # noqa: F401

    from tfx_pipeline import local, pipeline
    from tfx_pipeline.history.code import code_addresses

    assert local.run_pipeline and pipeline.make_pipeline
    code_addresses()


def pipeline(words: list[str]) -> int:
    """what is killed: the pipeline's own command."""
    from tfx_pipeline.__main__ import main as command

    return command(words)


def attempt(words: list[str], work: Work) -> tuple[int, int]:
    """a fork that does the work: (its number, a pipe with all that it says)."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.setpgid(process, process)  # here too: the kill may come before the fork's first step
        os.close(writing)
        return process, reading
    code = 1
    try:
        os.setpgid(0, 0)
        os.close(reading)
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        code = work(words)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def lines_until(pipe: int, until: float) -> Iterator[str]:
    """lines as they come, "" when it is time; ends with the writer."""
    rest = b""
    while True:
        left = until - time.monotonic()
        ready = select.select([pipe], [], [], max(0.0, left))[0] if left > 0 else []
        if not ready:
            yield ""
            return
        more = os.read(pipe, 1 << 16)
        if not more:
            return
        *whole, rest = (rest + more).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole if line)


def run_once(
    words: list[str], after: float, line: int, work: Work = pipeline
) -> tuple[str, int | None, list[str]]:
    """(the node that it was in, exit code or None if it was killed, networks that it trained).

    after: seconds, line: number of a line, at which the whole group is killed, whichever comes
    first.
    """
    process, pipe = attempt(words, work)
    node, killed, trained, said = NOT_YET, False, [], []
    try:
        for count, text in enumerate(lines_until(pipe, time.monotonic() + after), 1):
            said.append(text)
            if match := NODE.match(text):
                node = match[1]
            trained += TRAINED.findall(text)
            if not text or count >= line:
                os.killpg(process, signal.SIGKILL)
                killed = True
                break
    except BaseException:
        # whoever ends the storm ends its attempt, which is in a group of its own
        os.killpg(process, signal.SIGKILL)
        raise
    os.close(pipe)
    _, status = os.waitpid(process, 0)
    # it may have ended by itself just before
    killed = killed and os.WIFSIGNALED(status)
    code = None if killed else os.waitstatus_to_exitcode(status)
    if code:
        raise SystemExit("error: an attempt that nobody killed failed:\n" + "\n".join(said[-20:]))
    return node, code, trained


def forget(run: Path, chance: random.Random) -> str:
    """remove the artifacts of a node: it runs again, and so does what is not as it was."""
    node = chance.choice(sorted(path.name for path in (run / "artifacts").iterdir()))
    for place in (run / "artifacts" / node).glob("*/*"):
        if place.name.isdigit():
            shutil.rmtree(place)
    return node


def storm(
    words: list[str], run: Path, kills: int, mean: float, seed: int, work: Work = pipeline
) -> dict[str, int]:
    """node -> kills that fell in it."""
    chance = random.Random(seed)
    fell: collections.Counter[str] = collections.Counter()
    trained: collections.Counter[str] = collections.Counter()
    forgotten: list[str] = []
    while fell.total() < kills:
        by_time = chance.random() < 0.5
        after = chance.uniform(0, 2 * mean)
        line = chance.randint(1, LINES)
        node, code, names = run_once(
            words, after if by_time else 3600.0, 10**9 if by_time else line, work
        )
        trained.update(names)
        if code is None:
            fell[node] += 1
            print(f"kill {fell.total():3d}: {node}", flush=True)
        else:
            forgotten.append(forget(run, chance))
    _, _, names = run_once(words, 3600.0, 10**9, work)
    trained.update(names)
    twice = sorted(name for name, count in trained.items() if count > 1)
    print(f"{len(trained)} networks finished; finished twice: {', '.join(twice) or 'none'}")
    print(
        f"ends in between: {len(forgotten)}, artifacts forgotten of {', '.join(forgotten) or '-'}"
    )
    return dict(fell)


def newest(run: Path, node: str, output: str) -> Path:
    return max((run / "artifacts" / node / output).glob("*"), key=lambda path: int(path.name))


def digests(run: Path) -> dict[str, str]:
    """result -> SHA-256, of the newest artifacts."""
    found = {}
    for node, output, pattern in RESULTS:
        place = newest(run, node, output)
        for path in sorted(place.glob(pattern)):
            name = f"{node}/{path.relative_to(place)}"
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def stop(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--folder", type=Path, required=True)
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--mean", type=float, default=5.0, help="seconds of an attempt")
    options.add_argument("--seed", type=int, default=0)
    asked = options.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, stop)
    since, cpu = time.monotonic(), os.times()
    data = make_data(asked.folder)
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    words = ["run", "--config", "smoke", "--data", str(data), *settings, "--run"]
    calm, stormy = asked.folder / "calm", asked.folder / "storm"
    preload()
    run_once([*words, str(calm)], 3600.0, 10**9)
    print(f"undisturbed: {time.monotonic() - since:.0f} s", flush=True)
    shutil.rmtree(stormy, ignore_errors=True)
    fell = storm([*words, str(stormy)], stormy, asked.kills, asked.mean, asked.seed)
    for node, count in sorted(fell.items(), key=lambda row: -row[1]):
        print(f"{count:4d} {node}")
    now = os.times()
    used = now.user + now.system + now.children_user + now.children_system
    used -= cpu.user + cpu.system + cpu.children_user + cpu.children_system
    print(f"{sum(fell.values())} kills, {time.monotonic() - since:.0f} s, {used:.0f} s of CPU")
    expected, found = digests(calm), digests(stormy)
    other = sorted(name for name in expected | found if expected.get(name) != found.get(name))
    print(f"{len(expected) - len(other)} of {len(expected)} files are the same to the byte")
    for name in other:
        print(f"differs: {name}")
    return int(bool(other))


if __name__ == "__main__":
    sys.exit(main())
