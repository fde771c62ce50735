"""Does ingest's memory grow with the number of views? Peak resident memory of the whole job at 500,
5,000 and 50,000 small views.

    .venv/bin/python benchmarks/ingest_memory.py [--views 500 5000 50000]

Expected: the last no more than a tenth above the first. Views are hard links of one, at 32 pixels;
each job runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "fixtures" / "data")]
BUILDINGS = 20

CHILD = """
import json, resource, sys
from beam_jobs.ingest.job import ingest
data, out = sys.argv[1:3]
counts = ingest(data, out, size=32, shards=4)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"counts": counts, "peak": peak}))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--views", type=int, nargs="+", default=[500, 5000, 50000])
    parser.add_argument(
        "--folders",
        nargs="+",
        default=["rgb", "normal", "depth_zbuffer", "point_info"],
        help="labels a view",
    )
    options = parser.parse_args()
    rows = []
    print(f"{'views':>8s} {'peak MiB':>9s} {'s':>7s} {'views/s':>8s}")
    for views in options.views:
        rows.append(peak(views, options.folders))
        print(
            f"{views:8d} {rows[-1]['peak']:9.0f} {rows[-1]['wall']:7.1f} "
            f"{views / rows[-1]['wall']:8.0f}",
            flush=True,
        )
    grown = rows[-1]["peak"] / rows[0]["peak"] - 1
    print(f"{options.views[-1] / options.views[0]:.0f} times the views: {grown:+.1%} memory")
    return int(grown > 0.1)


def peak(views: int, folders: list[str]) -> dict:
    from published_set import write_view

    from models.examples.published import file_name, label_path
    from models.tasks import DOMAINS, ViewKey

    with tempfile.TemporaryDirectory(prefix="ingest-") as place:
        model, data, first = Path(place) / "model", Path(place) / "data", ViewKey("one", 0, 0)
        write_view(model, first)
        for folder in folders:
            source = label_path(model, first, DOMAINS[folder])
            for number in range(views):
                link = (
                    data
                    / f"building{number % BUILDINGS:02d}"
                    / folder
                    / file_name(DOMAINS[folder], number // 5, number % 5)
                )
                if number < BUILDINGS:
                    link.parent.mkdir(parents=True, exist_ok=True)
                os.link(source, link)
                if number % 30000 == 29999:  # a file has at most 65,000 names on ext4
                    fresh = source.with_name(f"{source.name}.{number}")
                    fresh.write_bytes(source.read_bytes())
                    source = fresh
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(data), str(Path(place) / "out")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])
        found = json.loads(done.stdout.splitlines()[-1])
        assert found["counts"] == {"read": views, "written": views, "quarantined": 0}, found[
            "counts"
        ]
        return {"peak": found["peak"], "wall": time.perf_counter() - began}


if __name__ == "__main__":
    sys.exit(main())
