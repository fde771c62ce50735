"""What does feeding cost without a decoded copy? Samples a second of one thread, of one task of
each kind: from arrays on disk, from records, and the bare decoding of the PNGs that the task reads.

    .venv/bin/python benchmarks/feeding.py [--size 64] [--views 4000] [--examples DIR] [--all]
        [--teaching] [--feeders 1 2 8] [--cold]

CPU seconds of this process, not the clock's: a busy machine changes them less. Ways take turns,
batch by batch. Files are warm, but for --cold.

--cold: records whose files the system was told to forget, each sample read once, as a feeder does
("ahead": while it makes a batch the next one's records are fetched) and without that ("alone"),
beside warm ones and the bare decoding of PNGs that lie in memory: samples a second by the clock;
shares of the decoding, by the clock and by CPU; the bytes that a sample has the disk read; and of
how many samples the disk reads the bytes in a second, a file from beginning to end. Tasks of COLD,
or --tasks.

--teaching: labels as transfers by gradient ask for them, in float32, for one batch after the other:
CPU milliseconds a batch, made of the records, and read again from where they are kept.

--feeders: batches as networks of `paper()` get them, augmented and in float32, by so many threads
and by so many processes: samples a second by the clock, so that nothing else may run.
"""

from __future__ import annotations

import argparse
import collections
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from benchmarks import scale  # noqa: E402
from models.examples.half_precision import to_single  # noqa: E402
from models.examples.index import FOLDER, Index  # noqa: E402
from models.examples.kept_labels import kept_samples  # noqa: E402
from models.examples.label_store import LabelStore, build_label_store  # noqa: E402
from models.examples.message import features_of  # noqa: E402
from models.examples.published import decode_png  # noqa: E402
from models.examples.views import DEPTHS, Memory, Views  # noqa: E402
from models.networks.training.batch_maker import BatchMaker  # noqa: E402
from models.networks.training.feeders import FeederProcesses, FeederThreads, Prefetching  # noqa: E402
from models.tasks import DOMAINS, TASKS, Task  # noqa: E402
from models.tasks.arrays import Floats  # noqa: E402
from tfx_pipeline.config import paper  # noqa: E402

BATCH = 32
# Tasks of which a cold store is measured.
COLD = ("normal", "segment_semantic", "class_object", "colorization", "egomotion", "jigsaw")
# Batches of a cold store, one after the other, before another way has its turn.
TURN = 6
# Bytes that are read from the disk at a time.
CHUNK = 1 << 20


def copies(folder: Path, size: int, views: int) -> str:
    """an Examples artifact of copies of procedural views: so many that a batch finds little of the
    last ones remembered.
    """
    scale.multiply(scale.originals(folder, size), folder / "examples", views)
    return str(folder / "examples")


def rows_of(count: int, number: int) -> list[int]:
    """ascending rows of a batch."""
    chosen = np.random.default_rng(number).integers(count, size=BATCH)
    return [int(row) for row in np.sort(chosen)]


def together(store: LabelStore, name: str) -> Callable[[list[int]], Any]:
    data = store.samples(name, "train")
    pictures = store.images("train")

    def take(rows: list[int]) -> Any:
        # as a feeder does, of other rows
        data.prefetch(rows, pictures)
        return data.take(rows, pictures, TASKS[name].shares)

    return take


def bare(store: LabelStore, examples: str, entry: Task) -> Callable[[list[int]], Any]:
    """the decoding alone: PNGs that lie in memory."""
    positions = store.samples(entry.name, "train").views
    views = Views(examples, Index(Path(examples) / FOLDER), "train", Memory(0))
    pngs = []
    for i in range(len(views)):
        features = features_of(views.record(i))
        folders = {"rgb", *entry.labels} | {
            folder
            for folder in [name for name in DEPTHS if name in features][:1]
            if entry.mask == "surface"
        }
        pngs.append(
            [
                (features[folder].bytes_list.value[0], DOMAINS[folder])
                for folder in folders
                if folder in features and DOMAINS[folder].file == "png"
            ]
        )
    return lambda rows: [
        decode_png(*png) for i in np.unique(np.asarray(positions)[rows]) for png in pngs[i]
    ]


def rates(
    ways: dict[str, Callable[[list[int]], Any]], count: int, batches: int
) -> dict[str, float]:
    """samples a CPU second of each way."""
    spent = dict.fromkeys(ways, 0.0)
    for number in range(-1, batches):  # the first warms files and imports
        for name, way in ways.items():
            began = time.process_time()
            way(rows_of(count, number + 1))
            if number >= 0:
                spent[name] += time.process_time() - began
    return {name: batches * BATCH / max(seconds, 1e-9) for name, seconds in spent.items()}


def feeder_rates(store: LabelStore, entry: Task, counts: Sequence[int], batches: int) -> str:
    """samples a second by the clock, by threads and by processes of each count."""
    maker = BatchMaker(store, entry, paper().network, BATCH)
    cells = [f"{entry.name:22s}"]
    for count in counts:
        for kind in (FeederThreads, FeederProcesses):
            feeders = kind(maker, count)
            coming = collections.deque()
            for step in range(-2 * count - 2, batches):  # until all have begun, and some are ahead
                if step == 0:
                    began = time.perf_counter()
                coming.append(feeders.begin(step + 2 * count + 2))
                if len(coming) > count + 1:
                    coming.popleft().result()
            spent = time.perf_counter() - began
            cells.append(f"{batches * BATCH / spent:10.0f}")
            feeders.close()
    return " ".join(cells)


def teaching_cost(store: LabelStore, entry: Task, batches: int) -> str:
    """CPU milliseconds a batch of labels, made and read again."""
    data = store.samples(entry.name, "train")
    kept = kept_samples(data)
    every = [np.asarray(rows_of(len(data), number)) for number in range(batches)]
    spent = []
    for labels in (data.labels, kept.labels, kept.labels):  # the second writes
        began = time.process_time()
        for rows in every:
            target, mask = labels(rows)
            to_single(target), to_single(mask)
        spent.append(1e3 * (time.process_time() - began) / batches)
    made, _, again = spent
    return f"{entry.name:22s} {made:9.1f} {again:9.1f} {again / made:11.2f}"


def files_of(examples: str) -> list[Path]:
    """the files of records."""
    return sorted(path for path in Path(examples).glob("Split-*/*") if path.is_file())


def forget(paths: Sequence[Path]) -> None:
    """Has the system drop the pages of files, which it does once they are on the disk."""
    for path in paths:
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
            os.posix_fadvise(number, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(number)


def resident(paths: Sequence[Path]) -> float:
    """share of the files' pages that are in memory, 0 to 1."""
    import ctypes

    system = ctypes.CDLL(None, use_errno=True)
    page = os.sysconf("SC_PAGE_SIZE")
    pages = present = 0
    for path in paths:
        content = np.memmap(path, "uint8", "r")
        flags = np.zeros(-(-len(content) // page), "uint8")
        place = ctypes.c_void_p(content.ctypes.data)
        if system.mincore(place, ctypes.c_size_t(len(content)), ctypes.c_void_p(flags.ctypes.data)):
            raise OSError(ctypes.get_errno(), f"mincore of {path}")
        pages += len(flags)
        present += int((flags & 1).sum())
    return present / max(pages, 1)


def disk_rate(paths: Sequence[Path]) -> float:
    """bytes a second by the clock that the files are read with from their beginning to their end,
    after the system has forgotten them.
    """
    forget(paths)
    count = 0
    began = time.perf_counter()
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while chunk := file.read(CHUNK):
                count += len(chunk)
    return count / (time.perf_counter() - began)


def fetched() -> int:
    """bytes that this process has had read from a disk."""
    return int(Path("/proc/self/io").read_text().split("read_bytes:")[1].split()[0])


def costs() -> Floats:
    """[3]: seconds by the clock and of the CPU, and bytes from the disk, until now."""
    return np.array([time.perf_counter(), time.process_time(), fetched()])


class Turn:
    """A `Maker` of batches in which each sample stands once; nothing is done with what is taken."""

    def __init__(self, store: LabelStore, entry: Task, number: int) -> None:
        self.entry = entry
        self.data = store.samples(entry.name, "train")
        self.pictures = store.images("train")
        order = np.random.default_rng(number).permutation(len(self.data))
        count = min(len(order) // BATCH, TURN)
        self.order = order[: count * BATCH].reshape(count, BATCH)

    def rows(self, number: int) -> list[int]:
        return sorted(self.order[number % len(self.order)].tolist())

    def batch(self, number: int) -> Any:
        return self.data.take(self.rows(number), self.pictures, self.entry.shares)

    def prefetch(self, number: int) -> None:
        self.data.prefetch(self.rows(number), self.pictures)


def costs_by_way(
    store: LabelStore, examples: str, entry: Task, paths: Sequence[Path], batches: int
) -> Floats:
    """[4, 3]: `costs` of a sample from a cold store as a feeder makes it, which reads ahead; from a
    cold store without that; from a warm one; and of the bare decoding, some batches of each in
    turn.
    """
    decode = bare(store, examples, entry)
    spent = np.zeros((4, 3))
    timed = 0
    while timed < batches:
        turn = Turn(store, entry, timed)
        ways: list[tuple[bool, Callable[[int], Any]]] = [
            (True, Prefetching(turn, 1).batch),
            (True, turn.batch),
            (False, Prefetching(turn, 1).batch),
            (False, lambda number, rows=turn.rows: decode(rows(number))),
        ]
        for (cold, way), total in zip(ways, spent):
            if cold:
                forget(paths)
            # not the first, which no batch before has fetched, nor the last, which fetches none
            for number in range(len(turn.order)):
                began = costs()
                way(number)
                if 0 < number < len(turn.order) - 1:
                    total += costs() - began
        timed += len(turn.order) - 2
    return spent / (timed * BATCH)


def cold_table(store: LabelStore, examples: str, tasks: Sequence[Task], batches: int) -> None:
    """Prints rates of a cold store beside a warm one, and what the disk gives."""
    paths = files_of(examples)
    forget(paths)
    print(f"pages left after they were forgotten: {resident(paths):.1%}")
    disk = disk_rate(paths)
    print(f"the disk, one file after the other: {disk / 1e6:.0f} MB/s")
    clock = ("ahead", "alone", "warm", "PNG")
    shares = ("ahead", "alone", "warm", "CPU ahead", "CPU alone", "CPU warm")
    print(f"{'':22s} {'samples a second':>31s} {'share of PNG':>59s} {'KB from disk':>23s}")
    print(
        f"{'':22s} "
        + " ".join(f"{head:>7s}" for head in clock)
        + " ".join(f"{head:>10s}" for head in ("", *shares))
        + " ".join(f"{head:>7s}" for head in ("", *clock[:3]))
        + f" {'disk alone':>10s}",
        flush=True,
    )
    for entry in tasks:
        if not store.has(entry.name):
            continue
        ways = costs_by_way(store, examples, entry, paths, batches)
        png = ways[3]
        print(
            f"{entry.name:22s} "
            + " ".join(f"{1 / way[0]:7.0f}" for way in ways)
            + "".join(f" {png[kind] / way[kind]:10.2f}" for kind in (0, 1) for way in ways[:3])
            + "".join(f" {way[2] / 1e3:7.0f}" for way in ways[:3])
            + f" {disk / max(ways[0][2], 1):10.0f}",
            flush=True,
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--views", type=int, default=4000)
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--examples", help="an Examples artifact; default: procedural views")
    parser.add_argument("--feeders", type=int, nargs="+", help="how many at a time")
    parser.add_argument("--teaching", action="store_true", help="labels that teach transfers")
    parser.add_argument("--all", action="store_true", help="every task, not one of each kind")
    parser.add_argument("--cold", action="store_true", help="a cold store beside a warm one")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, help="these alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="feeding-") as scratch:
        folder = Path(scratch)
        examples = options.examples or copies(folder, options.size, options.views)
        every = [name for name, entry in TASKS.items() if entry.trained]
        some = COLD if options.cold else scale.TASKS
        names = options.tasks or (every if options.all else some)
        tasks = {name: TASKS[name] for name in names}

        def store(way: str, most: int) -> LabelStore:
            return build_label_store(
                examples, folder / way, seed=0, max_samples=2000, tasks=tasks, cache_bytes=most
            )

        lazy = store("lazy", 0)
        if options.cold:
            cold_table(lazy, examples, list(tasks.values()), options.batches)
            return 0
        if options.teaching:
            print(f"{'CPU ms a batch':22s} {'records':>9s} {'kept':>9s} {'kept/records':>11s}")
            for name, entry in tasks.items():
                if lazy.has(name):
                    print(teaching_cost(lazy, entry, options.batches), flush=True)
            return 0
        if options.feeders:
            heads = [f"{n} {kind}" for n in options.feeders for kind in ("thr.", "proc.")]
            print(f"{'samples a second':22s} " + " ".join(f"{head:>10s}" for head in heads))
            for name, entry in tasks.items():
                if lazy.has(name):
                    row = feeder_rates(lazy, entry, options.feeders, options.batches)
                    print(row, flush=True)
            return 0
        kept = store("kept", 1 << 40)
        print(
            f"{'samples a CPU second':22s} {'kept':>9s} {'records':>9s} {'PNG alone':>9s} "
            f"{'records/PNG':>11s} {'records/kept':>12s}"
        )
        for name, entry in tasks.items():
            if not lazy.has(name):
                continue
            ways = {
                "kept": together(kept, name),
                "records": together(lazy, name),
                "bare": bare(lazy, examples, entry),
            }
            found = rates(ways, len(lazy.samples(name, "train")), options.batches)
            records = found["records"]
            print(
                f"{name:22s} {found['kept']:9.0f} {records:9.0f} {found['bare']:9.0f} "
                f"{records / found['bare']:11.2f} {records / found['kept']:12.2f}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
