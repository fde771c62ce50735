"""How fast is ingest, against the least that any ingest must do: unpack every PNG's pixel data once
(inflate, which no decoder can avoid), decode them, encode them once at the training size?

    .venv/bin/python benchmarks/ingest.py [--views 120] [--size 256] [--frames FOLDER] [--cpu]

Expected: at least 70 % of the bare rate of as many processes. With few views the start, which is
subtracted, is most of the time of several processes: their ratio then says little. Ratios are from
one run on one machine; each row is the best of its repetitions, the cost of starting stands apart.
Without released frames (../shared) procedural ones are taken.

--cpu ends with the whole job beside itself with OpenCV's codec in the place of ours, in turn in one
process: what the codec gained, whatever else the machine does. --earlier FOLDER ends with the job
of another checkout beside this one's, a process each in turn; of the job before the codec, of which
16.8 views/s were measured on a quiet machine:

    git worktree add --detach FOLDER 37936c4^
    .venv/bin/python benchmarks/ingest.py --cpu --only earlier --earlier FOLDER
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]
IMAGES = 4_000_000  # of the published data set
BEFORE = 16.8  # views/s a core of the job before the codec, on the quiet machine of docs/DATA.md
FEW = 6  # views of the job whose cost is that of starting
clock = time.perf_counter  # seconds
TITLES = {
    "inflate": "inflate alone (the limit)",
    "opencv": "OpenCV's decode + encode",
    "decode": "bare decode",
    "bare": "bare decode + encode",
    "bare_all": "bare decode + encode, all processes",
    "single": "ingest, one process",
    "turn_opencv": "ingest with OpenCV's codec, in turn",
    "turn": "ingest, in turn",
    "earlier": "ingest of the other checkout, in turn",
    "now": "ingest, in turn with it",
    "several": "ingest, all processes",
    "portable": "ingest, portable runner",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--views", type=int, default=120)
    parser.add_argument("--size", type=int, default=256, help="training images")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--frames", type=Path, default=ROOT.parent / "shared" / "real_frames")
    parser.add_argument("--only", help=f"one row: {', '.join(TITLES)}")
    parser.add_argument(
        "--cpu",
        action="store_true",
        help="processor time instead of the clock's, for a machine that does other work; rows of "
        "one process only",
    )
    parser.add_argument("--earlier", type=Path, help="another checkout of this repository")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.cpu:
        global clock
        clock = time.process_time
    with tempfile.TemporaryDirectory(prefix="ingest-", dir=os.environ.get("TMPDIR")) as folder:
        data = Path(folder) / "data"
        files = lay_out(data, options.frames, options.views)
        lay_out(data.with_name("few"), options.frames, FEW)
        size = sum(path.stat().st_size for path in files)
        rows = {}
        for name, measure in (
            ("inflate", lambda: inflate(files)),
            ("opencv", lambda: opencv(files, options.size)),
            ("decode", lambda: bare(files, None)),
            ("bare", lambda: bare(files, options.size)),
            ("bare_all", lambda: bare_all(files, options.size, options.processes)),
            ("single", lambda: ingested(data, Path(folder) / "single", options.size, 1, [])),
            (
                "several",
                lambda: ingested(
                    data,
                    Path(folder) / "several",
                    options.size,
                    options.processes,
                    several(options.processes),
                ),
            ),
            (
                "portable",
                lambda: portable(data, Path(folder) / "portable", options.size, options.processes),
            ),
        ):
            of_one_process = name not in ("bare_all", "several", "portable")
            if options.only in (None, name) and (of_one_process or not options.cpu):
                rows[name] = min(
                    (measure() for _ in range(options.repeat)), key=lambda row: row["wall"]
                )
        if options.cpu and options.only in (None, "turn"):
            rows |= in_turn(data, Path(folder) / "turn", options)
        if options.earlier:
            rows |= beside(data, Path(folder) / "beside", options)
    report(rows, options, size)
    return 0


def lay_out(data: Path, frames: Path, views: int) -> list[Path]:
    """a data set of `views` views whose files are hard links of a few complete frames; the PNG
    files among them.
    """
    from models.tasks import DOMAINS

    source = data.with_name("frames")
    if source.exists():
        pass
    elif frames.exists():
        for frame in ("point_47_view_25", "point_202_view_5"):
            for path in frames.glob(f"{frame}_domain_*"):
                folder = {"fixatedpose": "point_info"}.get(
                    path.stem.split("_domain_")[1], path.stem.split("_domain_")[1]
                )
                if folder in DOMAINS:
                    (source / frame).mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, source / frame / folder)
    else:
        from beam_jobs.annotate.procedural import annotate_buildings

        annotate_buildings(
            data.with_name("made"), buildings=3, views=4, size=512, seed=0, processes=1
        )
        for path in data.with_name("made").glob("*/*/point_*_view_*_domain_*"):
            frame = path.name.split("_domain_")[0]
            if path.parent.name in DOMAINS and "all" not in frame:
                (source / frame).mkdir(parents=True, exist_ok=True)
                shutil.copy(path, source / frame / path.parent.name)
    links = []
    kinds = sorted(source.iterdir())
    for number in range(views):
        building = data / f"b{number % 6}"
        for path in kinds[
            number % 6 % len(kinds)
        ].iterdir():  # a building has one kind of frame: the two have not quite the same labels
            domain = DOMAINS[path.name]
            link = (
                building / path.name / f"point_{number}_view_0_domain_{domain.suffix}.{domain.file}"
            )
            link.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, link)
            links.append(link)
    (data / "splits.csv").write_text(
        "id,train,val,test\nb0,1,0,0\nb1,1,0,0\nb2,1,0,0\nb3,1,0,0\nb4,0,1,0\nb5,0,0,1\n"
    )
    return [link for link in links if link.suffix == ".png"]


def inflate(files: list[Path]) -> dict:
    """unpack the pixel data of each PNG with libdeflate, the quickest that we know, and no more."""
    import deflate

    packed = [(pixel_data(path), raw_size(path)) for path in files]
    began = clock()
    for data, size in packed:
        deflate.zlib_decompress(data, size)
    return row(began, files)


def pixel_data(path: Path) -> bytes:
    """the joined IDAT chunks of a PNG."""
    data, place, parts = path.read_bytes(), 8, []
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        if data[place + 4 : place + 8] == b"IDAT":
            parts.append(data[place + 8 : place + 8 + length])
        place += 12 + length
    return b"".join(parts)


def raw_size(path: Path) -> int:
    """bytes of a PNG's filtered rows."""
    from models.examples.png_codec import CHANNELS, read_header

    header = read_header(path.read_bytes())
    return header.height * (1 + header.width * CHANNELS[header.colour] * header.depth // 8)


def opencv(files: list[Path], size: int) -> dict:
    """OpenCV alone, one thread, no check, no file written: what ingest rested on before."""
    import cv2
    import numpy as np

    cv2.setNumThreads(1)
    began = clock()
    for path in files:
        pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), "uint8"), cv2.IMREAD_UNCHANGED)
        cv2.imencode(".png", small(pixels, path, size))
    return row(began, files)


def bare(files: list[Path], size: int | None) -> dict:
    """decode each PNG and, if `size` is given, encode it at that size with the codec, one thread,
    no file written.
    """
    import cv2

    from models.examples import png_codec

    cv2.setNumThreads(1)
    began = clock()
    for path in files:
        pixels = png_codec.decode(path.read_bytes())
        if size is not None:
            png_codec.encode(small(pixels, path, size))
    return row(began, files)


def small(pixels, path: Path, size: int):
    """a picture as ingest brings it to the training size."""
    import cv2
    import numpy as np

    way = cv2.INTER_AREA if "rgb" in path.name else cv2.INTER_NEAREST
    made = cv2.resize(pixels, (size, size), interpolation=way)
    if "reshading" in path.name and made.ndim == 3:
        made = np.ascontiguousarray(made[..., 0])
    return made


def row(began: float, files: list[Path]) -> dict:
    return {"wall": clock() - began, "views": bare_views(files), "processes": 1}


def bare_all(files: list[Path], size: int, processes: int) -> dict:
    """`bare` in as many processes as the job has workers: what all cores together could do at this
    moment.
    """
    began = time.perf_counter()
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        rows = pool.starmap(bare, [(files[place::processes], size) for place in range(processes)])
    return {"wall": time.perf_counter() - began, "views": bare_views(files), "processes": len(rows)}


def bare_views(files: list[Path]) -> int:
    return len({(path.parent.parent, path.name.split("_domain_")[0]) for path in files})


def several(processes: int) -> list[str]:
    return ["--direct_running_mode=multi_processing", f"--direct_num_workers={processes}"]


CHILD = """
import json, sys, time
from beam_jobs.ingest.job import ingest
import apache_beam, tensorflow
data, out, size, shards, beam, clock = json.loads(sys.argv[1])
clock = getattr(time, clock)
began = clock()
counts = ingest(data, out, size=size, shards=shards, beam_args=beam)
print(json.dumps({"wall": clock() - began, "counts": counts}))
"""


def ingested(data: Path, out: Path, size: int, processes: int, beam: list[str]) -> dict:
    """the whole job in a process of its own; what it costs over six views (Beam's start, workers'
    imports) stands apart as `start`.
    """
    small, whole = (
        job(place, out, size, processes, beam) for place in (data.with_name("few"), data)
    )
    return {
        "wall": whole["wall"] - small["wall"],
        "views": whole["views"] - small["views"],
        "start": small["wall"],
        "processes": processes,
    }


def job(data: Path, out: Path, size: int, processes: int, beam: list[str]) -> dict:
    shutil.rmtree(out, ignore_errors=True)
    call = [
        sys.executable,
        "-c",
        CHILD,
        json.dumps([str(data), str(out), size, 8 * processes, beam, clock.__name__]),
    ]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["counts"]["quarantined"] == 0, found["counts"]
    return {"wall": found["wall"], "views": found["counts"]["written"]}


TURNS = """
import json, sys, time
import cv2, numpy as np
from beam_jobs.ingest.job import ingest
from models.examples import png_codec
import apache_beam, tensorflow
few, data, out, size, rounds = json.loads(sys.argv[1])

def decode(data):
    png_codec.check_chunks(data)
    pixels = cv2.imdecode(np.frombuffer(data, "uint8"), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if pixels.ndim == 3 else pixels

def encode(pixels):
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", pixels)[1].tobytes()

def seconds(data, codec, place):
    png_codec.decode, png_codec.encode = codec
    began = time.process_time()
    counts = ingest(data, f"{out}{place}", size=size, shards=8)
    assert counts["quarantined"] == 0, counts
    return time.process_time() - began

codecs = {"turn": (png_codec.decode, png_codec.encode), "turn_opencv": (decode, encode)}
for codec in codecs.values():
    seconds(few, codec, f"warm{id(codec)}")
found = []
for number in range(rounds):
    for name, codec in codecs.items():
        start = seconds(few, codec, f"few{name}{number}")
        found.append([name, seconds(data, codec, f"{name}{number}") - start, start])
print(json.dumps(found))
"""


def in_turn(data: Path, out: Path, options: argparse.Namespace) -> dict[str, dict]:
    """the job with our codec and with OpenCV's, in turn in one process: the mean processor time of
    all rounds.
    """
    call = [str(data.with_name("few")), str(data), str(out), options.size, options.repeat]
    found = said_by(TURNS, call, ROOT)
    return mean_of_rounds(found, ("turn_opencv", "turn"), options.views)


def said_by(code: str, call: list, root: Path) -> Any:
    """what a process of the checkout at `root` prints last, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(call)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])


def mean_of_rounds(found: list, names: tuple[str, ...], views: int) -> dict[str, dict]:
    """rows of jobs that were run in turn. found: (name, seconds less the start, start) of each."""
    rounds = {
        name: [(wall, start) for other, wall, start in found if other == name] for name in names
    }
    return {
        name: {
            "wall": sum(wall for wall, _ in times) / len(times),
            "start": min(start for _, start in times),
            "views": views - FEW,
            "processes": 1,
            "rounds": [wall for wall, _ in times],
        }
        for name, times in rounds.items()
    }


ALONE = """
import json, sys, time
from beam_jobs.ingest.job import ingest
import apache_beam, tensorflow
few, data, out, size = json.loads(sys.argv[1])

def seconds(data, place):
    began = time.process_time()
    counts = ingest(data, f"{out}{place}", size=size, shards=8)
    assert counts["quarantined"] == 0, counts
    return time.process_time() - began

seconds(few, "warm")
start = seconds(few, "few")
print(json.dumps([seconds(data, "all") - start, start]))
"""


def beside(data: Path, out: Path, options: argparse.Namespace) -> dict[str, dict]:
    """the whole job of another checkout and of this one, a process each in turn: the mean processor
    time of all rounds.
    """
    found = []
    for number in range(options.repeat):
        for name, root in (("earlier", options.earlier.resolve()), ("now", ROOT)):
            place = f"{out}{number}{name}"
            call = [str(data.with_name("few")), str(data), place, options.size]
            found.append([name, *said_by(ALONE, call, root)])
    return mean_of_rounds(found, ("earlier", "now"), options.views)


def portable(data: Path, out: Path, size: int, processes: int) -> dict:
    from beam_jobs.ingest.portable import worker_pool

    with worker_pool(processes) as beam:
        return ingested(data, out, size, processes, beam)


def report(rows: dict, options, size: int) -> None:
    if options.json:
        print(
            json.dumps({"views": options.views, "bytes": size, "size": options.size, "rows": rows})
        )
        return
    print(
        f"{options.views} views, {size / options.views / 1e6:.2f} MB a view, to "
        f"{options.size} x {options.size}; start: the same job over {FEW} views"
    )
    print(f"{'':42s} start s  views/s   MB/s  views/s/core  of bare   core-hours of 4 million")
    for name, row in rows.items():
        rate = row["views"] / row["wall"]
        core = rate / row["processes"]
        limit = rows.get("bare_all" if row["processes"] > 1 else "bare")
        share = f"{rate * limit['wall'] / limit['views']:7.0%}" if limit else "      -"
        volume, hours = rate * size / options.views / 1e6, IMAGES / core / 3600
        print(
            f"{TITLES[name]:42s} {row.get('start', 0):7.1f}  {rate:7.1f} {volume:6.1f} "
            f"{core:13.1f}  {share} {hours:14.1f}"
        )
    if "turn" in rows:
        ours, theirs = (
            [1e3 * wall / rows[name]["views"] for wall in rows[name]["rounds"]]
            for name in ("turn", "turn_opencv")
        )
        print(
            f"in turn, ms a view: OpenCV's codec {', '.join(f'{ms:.1f}' for ms in theirs)}; "
            f"ours {', '.join(f'{ms:.1f}' for ms in ours)}; "
            f"{sum(theirs) / sum(ours):.2f} times as fast"
        )
    if "now" in rows:
        ours, theirs = (
            [rows[name]["views"] / wall for wall in rows[name]["rounds"]]
            for name in ("now", "earlier")
        )
        ratio = rows["earlier"]["wall"] / rows["now"]["wall"]
        print(
            f"views a second of a core: before {', '.join(f'{rate:.1f}' for rate in theirs)}; "
            f"now {', '.join(f'{rate:.1f}' for rate in ours)}; {ratio:.2f} times as many "
            f"({BEFORE:g} x {ratio:.2f} = {BEFORE * ratio:.1f})"
        )


if __name__ == "__main__":
    sys.exit(main())
