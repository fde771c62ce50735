"""Rates of measuring transfers, side by side on a finished run's networks: from pixels, from the
store, stacked, and in closed form.

    python benchmarks/training_transfers.py --run runs/demo [--target reshading] [--members 25]
    [--epochs 4] [--every]

The ways by gradient are counted to equal epochs, building, tracing and prediction of the test
images included; a process each starts Python and imports on top, as the original did. "Until
converged" trains until validation stops improving. The closed form measures every first- and
second-order transfer into the target, then into all targets. --every trains until converged into
all targets too (ten minutes more). Seconds of wall time on this machine, now.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def newest(run: Path, pattern: str) -> Path:
    found = sorted(run.glob(pattern), key=lambda path: path.stat().st_mtime)
    if not found:
        raise SystemExit(
            f"error: {run} holds no {pattern}; give the folder of a finished run (make demo "
            "makes runs/demo)"
        )
    return found[-1]


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--run", default="runs/demo", type=Path)
    options.add_argument("--target", default="reshading")
    options.add_argument(
        "--members",
        type=int,
        default=25,
        help="first-order transfers that are trained by gradient as one",
    )
    options.add_argument("--epochs", type=int, default=4)
    options.add_argument(
        "--every",
        action="store_true",
        help="first-order transfers into every other target are trained until converged too",
    )
    options.add_argument(
        "--alone",
        type=int,
        help="train one transfer from the store, from this source's position, and end: what a "
        "process each does",
    )
    chosen = options.parse_args()
    from tfx_pipeline import quiet

    quiet.before_imports()
    import keras

    from models.examples.label_store import LabelStore
    from models.networks.config import NetworkConfig
    from models.networks.task_networks.build import load_task_network
    from models.networks.task_networks.representations import RepresentationStore
    from models.networks.training.inputs import encoder_input
    from models.networks.transfers.bench import Bench
    from models.networks.transfers.candidates import first_wave
    from models.networks.transfers.gradient.learner import build_stack, learn
    from models.networks.transfers.gradient.samples import Samples
    from models.networks.transfers.gradient.schedule import Schedule, schedule_of
    from models.networks.transfers.measure import ledger_of, measure_lacking
    from models.tasks import TASKS

    store = LabelStore(newest(chosen.run, "artifacts/DecodeLabels/labels/*/store"))
    representations = RepresentationStore(
        newest(chosen.run, "artifacts/EncodeViews/representations/*/store")
    )
    bank = newest(chosen.run, "artifacts/TrainTasks/networks/*")
    config = NetworkConfig(
        **json.loads((bank / chosen.target / "network.json").read_text())["config"]
    )
    config = replace(config, trainers=len(os.sched_getaffinity(0)))
    scratch = tempfile.TemporaryDirectory()
    targets = [name for name, task in TASKS.items() if task.target and store.has(name)]
    ledgers = {name: ledger_of(name, store, config, scratch.name) for name in targets}
    bench = Bench(store, representations, bank, config, ledgers)
    slots, schedule = (
        np.arange(chosen.members)[:, None],
        Schedule(epochs=chosen.epochs, patience=chosen.epochs + 1),
    )
    rows: list[tuple[str, int, float]] = []

    def timed(name: str, count: int, work) -> None:
        keras.backend.clear_session()
        since = time.perf_counter()
        work()
        rows.append((name, count, time.perf_counter() - since))
        print(f"  {name}: {rows[-1][2]:.1f} s for {count}", file=sys.stderr, flush=True)

    def from_pixels(index: int) -> None:
        network = load_task_network(bank / bench.sources[index])
        network.encoder.trainable = False
        samples = Samples(store, bench.maps, chosen.target, config.transfer_split, [index])
        stack = build_stack(store, chosen.target, samples, np.array([[0]]), [1], config, schedule)
        order, images = (
            np.random.default_rng(0).permutation(len(samples) - len(samples) // 5),
            store.images(config.transfer_split),
        )
        for _ in range(chosen.epochs):
            for start in range(0, len(order), schedule.batch):
                picked = order[start : start + schedule.batch]
                codes, target, mask = samples.take(picked)
                image01 = keras.ops.convert_to_tensor(
                    images[samples.data.views[picked][:, 0]].astype("float32") / 255
                )
                codes = np.asarray(
                    network.encoder(encoder_input(network.task, image01), training=False)
                )[:, None]
                stack.train_on_batch((codes, target, mask), np.zeros(len(picked), "float32"))

    if chosen.alone is not None:
        learn(store, bench.maps, chosen.target, np.array([[chosen.alone]]), [1], config, schedule)
        return
    few = min(2, chosen.members)
    same = [
        sys.executable,
        __file__,
        "--run",
        str(chosen.run),
        "--target",
        chosen.target,
        "--epochs",
        str(chosen.epochs),
    ]
    timed("one at a time, from pixels", few, lambda: [from_pixels(index) for index in range(few)])
    timed(
        "one at a time, from the store",
        few,
        lambda: [
            learn(store, bench.maps, chosen.target, slots[i : i + 1], [1], config, schedule)
            for i in range(few)
        ],
    )
    timed(
        "a process each, from the store",
        few,
        lambda: [
            subprocess.run([*same, "--alone", str(i)], check=True, capture_output=True)
            for i in range(few)
        ],
    )
    timed(
        "stacked",
        chosen.members,
        lambda: learn(
            store, bench.maps, chosen.target, slots, [1] * chosen.members, config, schedule
        ),
    )

    def converged(name):
        return learn(
            store,
            bench.maps,
            name,
            slots,
            [1] * chosen.members,
            config,
            schedule_of(config, name, config.calibration_epochs),
            programs=bench.programs,
        )

    found = converged(chosen.target)
    rows.append(("stacked, until converged", chosen.members, found.seconds))
    subsets = first_wave(len(bench.sources), 2, "all_pairs")
    timed(
        "closed form, orders 1 and 2",
        len(subsets),
        lambda: measure_lacking(bench, bench.regimes[-1], {chosen.target: subsets}),
    )
    wanted = {name: subsets for name in targets if name != chosen.target}
    timed(
        f"the same, {len(targets) - 1} other targets",
        (len(targets) - 1) * len(subsets),
        lambda: measure_lacking(bench, bench.regimes[-1], wanted),
    )
    if chosen.every:
        others = [name for name in targets if name != chosen.target]
        rows.append(
            (
                f"stacked, converged, {len(others)} others",
                chosen.members * len(others),
                sum(converged(name).seconds for name in others),
            )
        )
    base, alone, settled = (rows[i][2] / rows[i][1] for i in (0, 2, 4))
    print(
        f"\ntransfers into {chosen.target}; {chosen.epochs} epochs where gradients are used "
        f"(until converged: {int(np.median(found.best))} at best)"
    )
    print(
        "                                                                              times "
        "one at a time   times a process  times stacked,"
    )
    print(
        "learner                          transfers  seconds  transfers/s  in 90 s   from "
        "pixels           each             converged"
    )
    for name, count, seconds in rows:
        speed = count / seconds
        print(
            f"{name:32s} {count:9d}  {seconds:7.1f}  {speed:11.3f}  {speed * 90:7.0f}  "
            f"{base * speed:12.1f}  {alone * speed:20.1f}  {settled * speed:14.1f}"
        )
    if chosen.every:
        (_, solved, quick), (_, trained, slow) = rows[-2:]
        print(
            f"into the {len(others)} other targets: {solved / quick * slow / trained:.0f} "
            "times as many transfers a second in closed form as stacked"
        )


if __name__ == "__main__":
    main()
