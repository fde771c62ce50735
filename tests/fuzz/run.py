"""python tests/fuzz/run.py --minutes N [--target NAME]: coverage-guided fuzzing of what strangers'
bytes reach first (atheris, on libFuzzer), from the corpus beside this file.

An input that crashes, hangs for more than a second or takes too much memory is written to
runs/fuzz/TARGET and ends the run with 1: fix it, and move the file into the corpus, which
tests/fuzz/test_corpus.py replays. What is new and sound grows runs/fuzz/TARGET/found, which is not
kept in the repository. runs/fuzz/spent.csv adds up what all runs here took and tried.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FOUND = ROOT / "runs" / "fuzz"
SPENT = FOUND / "spent.csv"
COLUMNS = ("target", "cpu_seconds", "inputs", "peak_mib", "exit_code")
NAMES = ("json", "chunks", "request_line", "tensor", "grpc", "repeated", "config")
LONGEST_INPUT = 4096  # bytes
HANG = 1.0  # seconds of a core
STUCK = 20  # seconds by the clock, beside other work
LARGEST_MEMORY = 1024  # MiB
# Seconds of a process: under atheris memory grows with the inputs (of tensors 250 bytes an input;
# the same inputs without it leave nothing behind), so that some minutes end at the limit.
SLICE = 60


def main() -> int:
    """all targets one after another, each in a process of its own; 1 if one was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="of all targets together")
    parser.add_argument("--target", choices=NAMES, action="append")
    parser.add_argument("--child", choices=NAMES, help=argparse.SUPPRESS)
    options, rest = parser.parse_known_args()
    if options.child:
        return fuzz(options.child, rest)
    names = options.target or list(NAMES)
    seconds = max(int(options.minutes * 60 / len(names)), 1)
    broken = [name for name in names if run(name, seconds)]
    print(f"broken: {', '.join(broken)}" if broken else "nothing was broken")
    print("all runs here: " + total(SPENT.read_text(encoding="utf-8")))
    return 1 if broken else 0


def run(name: str, seconds: int) -> int:
    """try a target for so long, in processes of a SLICE each; the exit code of the last one."""
    print(f"== {name}, {seconds} s", flush=True)
    while seconds > 0:
        if code := run_once(name, min(seconds, SLICE)):
            return code
        seconds -= SLICE
    return 0


def run_once(name: str, seconds: int) -> int:
    """the exit code of a target's process; what it took is added to SPENT."""
    folder = FOUND / name / "found"
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, __file__, "--child", name),
        str(folder),
        str(HERE / "corpus" / name),
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST_INPUT}",
        f"-timeout={STUCK}",
        f"-rss_limit_mb={LARGEST_MEMORY}",
        f"-artifact_prefix={FOUND / name}/",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        statistics = {}
        for line in child.stderr:
            sys.stderr.write(line)
            if words := re.match(r"stat::(\w+):\s+(\d+)", line):
                statistics[words[1]] = words[2]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds_of_cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # A process that was ended from outside prints no statistics: its inputs are not counted.
    inputs = statistics.get("number_of_executed_units", "0")
    peak = statistics.get("peak_rss_mb", "")
    fresh = not SPENT.exists()
    with SPENT.open("a", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        if fresh:
            lines.writerow(COLUMNS)
        lines.writerow((name, f"{seconds_of_cpu:.1f}", inputs, peak, child.returncode))
    return child.returncode


def total(text: str) -> str:
    """SPENT's sums, in words."""
    rows = list(csv.DictReader(text.splitlines()))
    minutes = sum(float(row["cpu_seconds"]) for row in rows) / 60
    counts = {
        name: sum(int(row["inputs"]) for row in rows if row["target"] == name) for name in NAMES
    }
    each = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    broken = sum(row["exit_code"] != "0" for row in rows)
    return f"{minutes:.1f} CPU minutes, {sum(counts.values()):,} inputs ({each}), {broken} broken"


def fuzz(name: str, arguments: list[str]) -> int:
    """of the child: never comes back from libFuzzer."""
    import atheris  # the development group's: the rest of the tests does without

    sys.path[:0] = [str(ROOT), str(HERE.parent)]
    with atheris.instrument_imports(include=["serving", "http.server", "json"]):
        from fuzz.targets import TARGETS

    def kept(data: bytes) -> None:
        """libFuzzer keeps what hangs; what raises is kept here."""
        since = time.process_time()
        try:
            TARGETS[name](data)
            spent = time.process_time() - since
            if spent > HANG:
                raise TimeoutError(f"{spent:.1f} s of a core for {len(data)} bytes")
        except Exception:
            path = FOUND / name / f"crash-{hashlib.sha256(data).hexdigest()[:16]}"
            path.write_bytes(data)
            print(f"broken by {path}: {data[:200]!r}", flush=True)
            raise

    atheris.Setup([sys.argv[0], *arguments], kept)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
