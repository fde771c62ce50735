"""From losses to affinities: the vectorised win matrix beside the naive double loop, AHP, the
bootstrap, and a store of 3,000 transfers x 20,000 images.

    python benchmarks/taxonomy_tournament.py [--store] [--largest [SAMPLES] [--resamples N]]

Measured in one process, side by side; seconds of wall time, peak memory of the process. `--store`
adds the large store (240 MB on disk, a minute). The physical limit of a win matrix is one
comparison a pair and image: transfers^2 / 2 x images.

`--largest`: instead, one tournament of `paper()`'s size, 3,000 transfers of orders 1 to 4 on
432,000 test samples (5.2 GB of losses on disk), in a process whose address space is limited to
4 GB: the table, then the bootstrap (of N resamples, 1,000 if not said); seconds and peak memory.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models.taxonomy import LossStore, Transfer, TransferLosses, measure  # noqa: E402
from models.taxonomy.tournament.ahp import affinities  # noqa: E402
from models.taxonomy.tournament.measurement import Tournament  # noqa: E402
from models.taxonomy.tournament.resampling import bootstrap, resample  # noqa: E402
from models.taxonomy.tournament.tournament import win_matrix  # noqa: E402


def losses_of(transfers: int, images: int, seed: int = 0) -> np.ndarray:
    """[transfer, image] float32, later transfers a little worse."""
    rng = np.random.default_rng(seed)
    return (
        rng.random((transfers, images), dtype="float32")
        + np.linspace(0, 0.4, transfers, dtype="float32")[:, None]
    ).astype("float32")


def naive(losses: np.ndarray) -> np.ndarray:
    """the double loop over pairs."""
    wins = np.empty((len(losses), len(losses)))
    for i, row in enumerate(losses):
        for j, other in enumerate(losses):
            wins[i, j] = np.mean(row < other) + np.mean(row == other) / 2
    return wins


def timed(work, *arguments) -> tuple[float, object]:
    since = time.perf_counter()
    found = work(*arguments)
    return time.perf_counter() - since, found


def memory() -> int:
    """MB, the most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--store",
        action="store_true",
        help="also 26 targets, 3,000 transfers in all x 20,000 images through the store",
    )
    options.add_argument("--largest", type=int, nargs="?", const=432_000, metavar="SAMPLES")
    options.add_argument("--resamples", type=int, default=1000)
    chosen = options.parse_args()
    if chosen.largest:
        largest(chosen.largest, chosen.resamples)
        return
    print(
        "transfers  images   win matrix s  naive s  ratio  comparisons/s   AHP s   1,000 "
        "resamples s   peak MB"
    )
    for transfers, images in ((27, 2_000), (140, 2_000), (140, 20_000), (350, 2_000)):
        losses = losses_of(transfers, images)
        fast, wins = timed(win_matrix, losses)
        slow, wanted = timed(naive, losses)
        np.testing.assert_allclose(wins, wanted, atol=1e-12)
        ahp, _ = timed(affinities, wins)
        players = tuple(Transfer((f"s{i}",), "t") for i in range(transfers - 1)) + (
            Transfer((), "t", control="supervised"),
        )
        tournament = Tournament(
            TransferLosses(players, tuple(map(str, range(images))), losses), tuple(range(transfers))
        )
        again, _ = timed(resample, tournament, 1000, 0)
        rate = transfers**2 / 2 * images / fast
        print(
            f"{transfers:9d}  {images:6d}  {fast:13.3f}  {slow:7.2f}  {slow / fast:5.1f}  "
            f"{rate:13.2e}  {ahp:6.3f}  {again:18.2f}  {memory():8d}"
        )
    if chosen.store:
        store_of_3000()


def store_of_3000() -> None:
    """writes and measures 3,000 transfers x 20,000 images in 26 targets, then one tournament of
    3,000.
    """
    with tempfile.TemporaryDirectory() as folder:
        store, images, since = (
            LossStore(folder),
            [str(i) for i in range(20_000)],
            time.perf_counter(),
        )
        for number in range(26):
            target = f"t{number:02d}"
            losses = losses_of(116, 20_000, number)
            store.set_images(target, images)
            rows = {Transfer((f"s{i}",), target): row for i, row in enumerate(losses[1:])}
            store.extend(
                {**rows, Transfer((), target, control="supervised"): losses[0]}, address="benchmark"
            )
        written = time.perf_counter() - since
        taken, table = timed(measure, store)
        print(
            f"store of {len(table.rows)} transfers x 20,000 images: written in {written:.1f} "
            f"s, 26 tournaments and AHP {taken:.1f} s, peak {memory()} MB"
        )
        cached = measure_cached(store, Path(folder) / "cache")
        print(f"  a second time, with finished tournaments kept: {cached:.2f} s")
    taken, wins = timed(win_matrix, losses_of(3000, 20_000))
    ahp, _ = timed(affinities, wins)
    print(
        f"one tournament of 3,000 x 20,000: win matrix {taken:.1f} s, AHP {ahp:.1f} s, peak "
        f"{memory()} MB"
    )


LIMIT = 4_000_000_000  # bytes of address space
CHILD = """
import sys; sys.path.insert(0, {root!r})
from benchmarks import taxonomy_tournament
taxonomy_tournament.play({folder!r}, {resamples})
"""


def largest(samples: int, resamples: int) -> None:
    """writes the losses, and plays in a process of its own."""
    sources = [f"s{i:02d}" for i in range(26)]
    sets = [some for order in range(1, 5) for some in itertools.combinations(sources, order)]
    transfers = [Transfer(some, "t") for some in sets[:2999]]
    transfers.append(Transfer((), "t", control="supervised"))
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        store = LossStore(folder)
        store.set_images("t", [f"house{i % 70}_{i}" for i in range(samples)])
        for start in range(0, len(transfers), 50):
            part = transfers[start : start + 50]
            worse = np.linspace(0, 0.4, len(part), dtype="float32")
            rows = rng.random((len(part), samples), "float32") + worse[:, None]
            store.extend(dict(zip(part, rows)), address="benchmark")
        code = CHILD.format(
            root=str(Path(__file__).resolve().parents[1]), folder=folder, resamples=resamples
        )
        subprocess.run([sys.executable, "-c", code], check=True)


def play(folder: str, resamples: int) -> None:
    """one tournament of a store in `LIMIT` bytes, then its bootstrap."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    store = LossStore(folder)
    taken, table = timed(measure, store)
    cpu = sum(os.times()[:2])
    images = len(store.images("t"))
    print(
        f"{len(table.rows)} transfers x {images} samples in {LIMIT / 1e9:.0f} GB: table "
        f"{taken:.0f} s ({cpu:.0f} s of CPU), peak {memory()} MB",
        flush=True,
    )
    taken, _ = timed(functools.partial(bootstrap, resamples=resamples), store)
    cpu = sum(os.times()[:2]) - cpu
    print(
        f"  bootstrap of {resamples} resamples {taken:.0f} s ({cpu:.0f} s of CPU), peak "
        f"{memory()} MB",
        flush=True,
    )


def measure_cached(store: LossStore, cache: Path) -> float:
    """seconds of a second `measure` with the cache of the first."""
    measure(store, cache=cache)
    since = time.perf_counter()
    measure(store, cache=cache)
    return time.perf_counter() - since


if __name__ == "__main__":
    main()
