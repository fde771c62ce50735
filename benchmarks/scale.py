"""Does anything after ingest grow with the number of views? Peak memory, seconds and bytes a
view of every stage over views, each in a process of its own.

    .venv/bin/python benchmarks/scale.py [--views 1000 10000 100000] [--size 64] [--project]
        [--examples DIR] [--stages check encode] [--tasks normal] [--many]

Views are copies of some hundred procedural ones with all their labels, under names of their own.
own MiB: most memory of a stage and its processes that is no page of a file, looked at every 50 ms;
peak MiB: VmHWM of the stage's first process, which counts pages of memory-mapped files too. CPU
seconds are of the stage and its processes. Exit code 1 if a stage's own memory grows by more than a
tenth between the last two sizes.

--many: CheckLabels and DecodeLabels go the way of many views, a process a core, at every size.
--stages, --tasks: these alone, of STAGES and of the tasks whose labels are made (labels before what
reads them).

--by-view COUNT --examples DIR: no stage is run; CPU time of what stages do with one view, and core
hours of 4.3 million by it. What a stage holds and leaves is not in it.

--project: what 4.3 million views at 256 pixels would take by the growth between the last two sizes
(so run it with --size 256), and by counts whose assumptions are named.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]
# One task of every kind, and what limits its feeding.
TASKS = (
    "normal",
    "segment_semantic",
    "segment_unsup2d",
    "class_object",
    "room_layout",
    "egomotion",
    "jigsaw",
)
BATCHES = 30
SHARD = 4000  # views
ORIGINALS = 150  # views a split that are copied

CHILD = """
import json, os, sys, time
from pathlib import Path
if __name__ == "__main__":
    sys.path.insert(0, {root!r})
    from benchmarks import scale
    began = time.perf_counter()
    with scale.watched_memory() as own:
        found = scale.{stage}(*map(Path, sys.argv[1:]))
    status = Path("/proc/self/status").read_text()
    times = os.times()
    facts = {{
        "peak": int(status.split("VmHWM:")[1].split()[0]) / 1024,
        "own": max(own) / 1024,
        "seconds": time.perf_counter() - began,
        "cpu": sum(times[:4]),
    }}
    print(json.dumps({{**facts, **(found or {{}})}}))
"""


@contextlib.contextmanager
def watched_memory() -> Iterator[list[int]]:
    """KiB that this process and its children hold beside pages of files, every 50 ms."""
    seen = [0]
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.05):
            children = Path(f"/proc/self/task/{os.getpid()}/children")
            processes = [str(os.getpid()), *children.read_text().split()]
            seen.append(sum(anonymous(process) for process in processes))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def anonymous(process: str) -> int:
    """KiB of a process that are no pages of files; 0 once it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
        return int(status.split("RssAnon:")[1].split()[0])
    except (OSError, IndexError):
        return 0


def check(place: Path) -> None:
    """CheckLabels."""
    from models.examples.check import check_contract

    processes = os.cpu_count() if (place / "many").exists() else None
    found = check_contract(str(place / "examples"), processes)
    assert not found, found[:3]


def labels(place: Path) -> None:
    """DecodeLabels, all tasks."""
    from models.examples import label_store
    from models.examples.label_store import build_label_store
    from models.tasks import TASKS as EVERY

    if (place / "many").exists():
        label_store.MANY = 0
    asked = json.loads((place / "tasks.json").read_text())

    limits = {} if not (place / "bound").exists() else {"cache_bytes": 0}
    build_label_store(
        str(place / "examples"),
        place / "store",
        seed=0,
        max_samples=12_000,
        tasks={name: EVERY[name] for name in asked or EVERY if EVERY[name].trained},
        **limits,
    )


def feed(place: Path) -> dict[str, dict[str, float]]:
    """some batches of one task of each kind."""
    from models.examples.label_store import LabelStore
    from models.networks.training.batches import Batches
    from models.tasks import TASKS as EVERY

    store = LabelStore(place / "store")
    rates = {}
    for name in TASKS:
        feeding = Batches(store, EVERY[name], config())
        began = time.perf_counter()
        for i in range(BATCHES):
            feeding[i]
        feeding.close()
        rates[name] = round(BATCHES * feeding.size / (time.perf_counter() - began))
    return {"samples a second": rates}


def averages(place: Path) -> None:
    """the best constant answer of maps, and its losses on test."""
    from models.examples.label_store import LabelStore
    from models.networks.training.averages import average_losses
    from models.tasks import TASKS as EVERY

    average_losses(EVERY["normal"], LabelStore(place / "store"))


def encode(place: Path) -> None:
    """EncodeViews, one source."""
    from models.examples.label_store import LabelStore
    from models.networks.task_networks.build import build_task_network
    from models.networks.task_networks.representations import encode_views
    from models.provenance.atomic import write_json
    from models.tasks import TASKS as EVERY

    store = LabelStore(place / "store")
    network = place / "networks" / "normal"
    network.mkdir(parents=True, exist_ok=True)
    built = build_task_network(EVERY["normal"], config(), store.size)
    built.encoder.save_weights(network / "encoder.weights.h5")
    described = {"task": "normal", "config": vars(config()), "size": store.size, "address": "0"}
    write_json(network / "network.json", described)
    encode_views(place / "networks", store, place / "representations", ["normal"], config())


def losses(place: Path) -> None:
    """the end of TrainTasks: what a network answers about val and test."""
    import numpy as np

    from models.examples.label_store import LabelStore
    from models.networks.task_networks.answers import answers_in_parts, test_losses
    from models.networks.task_networks.build import build_task_network
    from models.networks.task_networks.train import shrink
    from models.tasks import TASKS as EVERY

    store = LabelStore(place / "store")
    for name in ("normal", "class_scene"):
        network = build_task_network(EVERY[name], config(), store.size)
        test_losses(network, store, config())
    parts = answers_in_parts(network, store, "val", config())
    shrink(network, np.zeros(EVERY["class_scene"].output.channels, "float32"), parts)


def transfers(place: Path) -> None:
    """TrainTransfers by gradient, as `paper()` does: two stacked transfers of 512 teaching views,
    one epoch, judged on all test views; before it what cheap predictors look at.
    """
    import numpy as np

    from models.examples.label_store import LabelStore
    from models.networks.task_networks.representations import RepresentationStore
    from models.networks.transfers.bench import Bench
    from models.networks.transfers.gradient.learner import learn
    from models.networks.transfers.gradient.schedule import Schedule
    from models.networks.transfers.proxy_inputs import proxy_inputs
    from models.networks.transfers.regimes import teaching_rows

    store, chosen = LabelStore(place / "store"), config()
    representations = RepresentationStore(place / "representations")
    proxy_inputs(store, representations, "normal", ["normal"], split=chosen.transfer_split)
    bench = Bench(store, representations, place / "networks", chosen)
    rows = teaching_rows(store, bench.regimes[-1], "normal", chosen)
    schedule = Schedule(batch=32, epochs=1, patience=1)
    learn(store, bench.maps, "normal", np.array([[0], [0]]), [1, 2], chosen, schedule, rows=rows)


STAGES = (check, labels, feed, averages, encode, losses, transfers)


def config():
    from models.networks.config import NetworkConfig

    return NetworkConfig(
        encoder="lean",
        encoder_widths=(8, 8, 8, 8),
        decoder_widths=(8, 8, 8),
        head_width=8,
        steps=1,
        batch=32,
        learning_rate=1e-3,
        tile_size=32,
        random_features=4,
        output_stride=4,
        ridges=(0.1,),
        transfer_images=512,
        regimes=(),
        learner="gradient",
    )


def originals(folder: Path, size: int, views: int = 150) -> Path:
    """an Examples artifact of some hundred procedural views of three buildings."""
    from beam_jobs.annotate.procedural import annotate_buildings
    from beam_jobs.ingest.job import ingest

    annotate_buildings(
        folder / "data", buildings=3, views=views // 3, size=size, seed=0, processes=2, held_out=1
    )
    ingest(str(folder / "data"), str(folder / "originals"), size=size, shards=1)
    return folder / "originals"


def key_of(example: Any) -> Any:
    """the ViewKey of a tf.train.Example."""
    from models.tasks import ViewKey

    return ViewKey.parse(example.features.feature["key"].bytes_list.value[0].decode())


def multiply(model: Path, goal: Path, views: int) -> None:
    """an Examples artifact of `views` views: copies of each split's, building by building, three
    quarters in train, an eighth each in val and test.
    """
    import tensorflow as tf

    from models.examples import records
    from models.examples.index import FOLDER, Entry, shard_file, write_index
    from models.examples.shards import shard_writer
    from models.tasks import ViewKey

    shares = {"train": views - 2 * (views // 8), "val": views // 8, "test": views // 8}
    shards = -(-views // SHARD)
    entries = []
    (goal / "manifest").mkdir(parents=True)
    for split, count in shares.items():
        kept = [tf.train.Example.FromString(record) for record in records(str(model), split)]
        examples = sorted(kept, key=key_of)[:ORIGINALS]
        buildings = [key_of(example).building for example in examples]
        (goal / f"Split-{split}").mkdir()
        for shard in range(shards):
            numbers = range(shard * count // shards, (shard + 1) * count // shards)
            with (
                shard_writer(goal / shard_file(split, shard, shards)) as writer,
                (goal / "manifest" / f"{split}-{shard:05d}.jsonl").open("w") as lines,
            ):
                for number in numbers:
                    example = examples[number % len(examples)]
                    feature = example.features.feature
                    key = ViewKey(
                        f"{split}{number // len(examples):07d}{buildings[number % len(examples)]}",
                        feature["point"].int64_list.value[0],
                        feature["view"].int64_list.value[0],
                    )
                    feature["key"].bytes_list.value[0] = str(key).encode()
                    feature["building"].bytes_list.value[0] = key.building.encode()
                    record = example.SerializeToString(deterministic=True)
                    place = writer.write(record)
                    digest = hashlib.sha256(record).hexdigest()
                    row = {"key": str(key), "split": split, "shard": shard, "sha256": digest}
                    lines.write(json.dumps(row) + "\n")
                    entries.append(Entry(key, split, shard, place))
    entries.sort(key=lambda entry: entry.key)
    size = json.loads((model / "manifest.json").read_text())["size"]
    facts = {"hash": f"{views:016d}", "size": size, "shards": shards}
    write_index(goal / FOLDER, entries, facts)
    (goal / "manifest.json").write_text(json.dumps(facts))
    shutil.copy(model / "contract.json", goal)


def measured(stage: str, place: Path) -> dict:
    """what a stage says of itself, from a process of its own."""
    script = place / "stage.py"  # spawned processes read it again
    script.write_text(CHILD.format(root=str(ROOT), stage=stage))
    done = subprocess.run(
        [sys.executable, str(script), str(place)], capture_output=True, text=True, check=False
    )
    script.unlink()
    if done.returncode:
        raise SystemExit(f"{stage}: {done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def in_process(call: str, *paths: object) -> None:
    """makes data elsewhere, so that this process stays small."""
    text = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from pathlib import Path; "
    text += f"from benchmarks import scale; scale.{call}"
    done = subprocess.run(
        [sys.executable, "-c", text, *map(str, paths)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{call}: {done.stderr[-3000:]}")


def bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@dataclass(frozen=True)
class Row:
    """One stage at one size. added: bytes that it left on disk, of `views` views."""

    views: int
    stage: str
    own: float
    peak: float
    seconds: float
    cpu: float
    added: int
    more: object = ""

    def __str__(self) -> str:
        rates = (
            f"{1000 * self.seconds / self.views:8.2f} {1000 * self.cpu / self.views:8.2f} "
            f"{self.added / self.views:9.0f}"
        )
        times = f"{self.seconds:8.1f} {self.cpu:8.1f}"
        return (
            f"{self.views:8d} {self.stage:10s} {self.own:8.0f} {self.peak:8.0f} {times} {rates} "
            f"{self.more}"
        )


def rows_at(folder: Path, views: int, options: argparse.Namespace) -> Iterator[Row]:
    """the rows of all stages, one after the other."""
    place = folder / str(views)
    place.mkdir()
    if not options.cache:
        (place / "bound").touch()
    if options.many:
        (place / "many").touch()
    (place / "tasks.json").write_text(json.dumps(options.tasks))
    call = f"multiply(Path(sys.argv[1]), Path(sys.argv[2]), {views})"
    in_process(call, folder / "originals", place / "examples")
    before = bytes_below(place)
    yield Row(views, "examples", 0, 0, 0, 0, before)
    for stage in options.stages:
        try:
            found = measured(stage, place)
        except SystemExit as failed:  # what was measured before is not lost
            print(failed, file=sys.stderr)
            continue
        size = bytes_below(place)
        numbers = (found[name] for name in ("own", "peak", "seconds", "cpu"))
        rates = found.get("samples a second", "")
        yield Row(views, stage, *numbers, size - before, rates)
        before = size
    shutil.rmtree(place)


# The published data set and schedule: views (data/README), views of validation and test that
# encoders see (docs/TRAINING.md), networks.
PUBLISHED = 4_300_000
ENCODED = 177_166
NETWORKS = 26
# FLOP of the whole schedule by counting (docs/TRAINING.md), and what a GPU does of them a second:
# assumed, 40 % of an H100's dense bf16.
FLOP = {"26 networks": 8.63e18, "encoders": 7.0e16, "transfers": 1.97e19}
GPU = 0.4 * 989e12
# Bytes of a view's codes: 16 x 16 x 8 float16.
CODES = 16 * 16 * 8 * 2


def projection(rows: list[Row], size: int) -> Iterator[str]:
    """lines of a table for `PUBLISHED` views, from the growth between the last two sizes."""
    first, second = sorted({row.views for row in rows})[-2:]
    by = {(row.views, row.stage): row for row in rows}
    yield (
        f"projected: {PUBLISHED:,} views of {size} pixels, by growth from {first} to {second}; "
        f"codes of {ENCODED:,} views by {NETWORKS} encoders"
    )
    for stage in dict.fromkeys(row.stage for row in rows if row.stage != "feed"):  # fixed work
        if (first, stage) not in by or (second, stage) not in by:
            continue
        low, high = by[first, stage], by[second, stage]
        step = second - first
        cpu = (high.cpu - low.cpu) / step * PUBLISHED / 3600
        disk = (high.added - low.added) / step * PUBLISHED / 1e9
        yield f"{stage:10s} {cpu:9.1f} core hours {disk:9.1f} GB"
    yield f"{'codes':10s} {'':20s} {ENCODED * NETWORKS * CODES / 1e9:9.1f} GB"
    for part, flop in FLOP.items():
        yield f"{part:12s} {flop / GPU / 3600:7.1f} GPU hours (assumed: {GPU / 1e12:.0f} TF/s)"


LIMIT = 12_000  # samples a task about several views and split (`paper()`)


def by_view(examples: Path, count: int) -> Iterator[str]:
    """lines of a table for `PUBLISHED` views, from CPU seconds of the functions that the stages
    call, in this process, on `count` train views one by one: what a worker of a Beam job does.
    """
    import itertools

    import numpy as np

    from models.examples.check import Findings, check_place, check_record, manifest_lines, places_of
    from models.examples.index import FOLDER, Index, shard_file
    from models.examples.shards import records_of
    from models.examples.task_samples import candidates, labelled
    from models.examples.views import Memory, Views
    from models.tasks import TASKS as EVERY

    index = Index(examples / FOLDER)
    views = Views(str(examples), index, "train", Memory(0))
    size = np.mean([len(views.record(i)) for i in range(count)])
    yield f"{PUBLISHED:,} views of {index.size} pixels, by {count} views one by one"
    yield f"{'examples':26s} {'':8s}          {'':12s} {size * PUBLISHED / 1e9:9.1f} GB"

    def line(name: str, work: Any, of: int, places: range) -> str:
        work(places[0])  # imports, compiled kernels
        began = time.process_time()
        for place in places:
            work(place)
        spent = (time.process_time() - began) / len(places)
        return f"{name:26s} {1000 * spent:8.2f} ms x {of:12,} {spent * of / 3600:9.1f} core hours"

    path = str(examples / shard_file("train", 0, index.facts["shards"]))
    triples = zip(
        records_of(path), manifest_lines(str(examples), "train", 0), places_of(index, "train", 0)
    )
    rows = list(itertools.islice(triples, count))
    found = Findings()

    def checked(i: int) -> None:
        record, listed, place = rows[i]
        check_record(found, record, listed, "", index.size)
        check_place(found, record, path, place, "")

    yield line("check", checked, PUBLISHED, range(len(rows)))
    assert not found.lines, found.lines
    yield line("encode: reading a picture", views.image, ENCODED * NETWORKS, range(count))
    for entry in EVERY.values():
        if not entry.trained:
            continue
        every = candidates(entry, views, 0, count)[:count]

        def labels(i: int, entry: Any = entry, every: Any = every) -> None:
            list(labelled(entry, views, every[i : i + 1], 0))

        of = PUBLISHED if entry.images == 1 else 3 * LIMIT
        yield line(f"labels: {entry.name}", labels, of, range(len(every)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--views", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--originals", type=int, default=150, help="different views")
    parser.add_argument("--examples", help="an Examples artifact to copy instead, of that size")
    parser.add_argument("--cache", action="store_true", help="let decoded labels be kept on disk")
    parser.add_argument("--project", action="store_true", help="a table of 4.3 million views")
    names = [stage.__name__ for stage in STAGES]
    parser.add_argument("--stages", nargs="+", choices=names, default=names)
    parser.add_argument("--tasks", nargs="+", default=[], help="labels of these alone")
    parser.add_argument("--many", action="store_true", help="the way of many views at every size")
    parser.add_argument("--by-view", type=int, metavar="COUNT", help="of --examples, see `by_view`")
    options = parser.parse_args()
    if options.by_view:
        for text in by_view(Path(options.examples), options.by_view):
            print(text, flush=True)
        return 0
    rows: list[Row] = []
    print(
        f"{'views':>8s} {'stage':10s} {'own MiB':>8s} {'peak MiB':>8s} {'s':>8s} {'CPU s':>8s} "
        f"{'ms/view':>8s} {'CPU ms':>8s} {'B/view':>9s}"
    )
    with tempfile.TemporaryDirectory(prefix="scale-") as scratch:
        folder = Path(scratch)
        if options.examples:
            (folder / "originals").symlink_to(Path(options.examples).absolute())
        else:
            call = f"originals(Path(sys.argv[1]), {options.size}, {options.originals})"
            in_process(call, folder)
        for views in options.views:
            for row in rows_at(folder, views, options):
                rows.append(row)
                print(row, flush=True)
    if options.project:
        print(*projection(rows, options.size), sep="\n")
    by_stage = {stage: [row.own for row in rows if row.stage == stage] for stage in options.stages}
    grown = {name: own[-1] / own[-2] - 1 for name, own in by_stage.items() if len(own) > 1}
    for name, share in grown.items():
        print(f"{name}: {share:+.1%} own memory between the last two sizes")
    return int(any(share > 0.1 for share in grown.values()))


if __name__ == "__main__":
    sys.exit(main())
