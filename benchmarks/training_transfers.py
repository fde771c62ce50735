"""Rates of measuring transfers, side by side on a finished run's networks: from pixels, from the store, stacked, and in closed form.

    python benchmarks/training_transfers.py --run runs/demo [--target reshading] [--members 8] [--epochs 4]

The three ways by gradient are counted to equal epochs, building and tracing included; "converged" scales stacked training to the epochs that it takes until
validation stops improving. The closed form measures every first- and second-order transfer into the target. Seconds of wall time on this machine, now.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def newest(run: Path, pattern: str) -> Path:
    found = sorted(run.glob(pattern), key=lambda path: path.stat().st_mtime)
    if not found:
        raise SystemExit(f"error: {run} holds no {pattern}; give the folder of a finished run (make demo makes runs/demo)")
    return found[-1]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--run", default="runs/demo", type=Path)
    options.add_argument("--target", default="reshading")
    options.add_argument("--members", type=int, default=8, help="first-order transfers that are trained by gradient")
    options.add_argument("--epochs", type=int, default=4)
    chosen = options.parse_args()
    from tfx_pipeline import quiet

    quiet.before_imports()
    import keras

    from models.examples.label_store import LabelStore
    from models.networks import NetworkConfig, RepresentationStore, load_task_network
    from models.networks.candidates import first_wave
    from models.networks.closed_form import global_transfers, local_transfers
    from models.networks.gradient import Samples, Schedule, build_stack, learn
    from models.networks.inputs import encoder_input
    from models.networks.transfers import Bench
    from models.tasks import TASKS

    store = LabelStore(newest(chosen.run, "artifacts/DecodeLabels/labels/*/store"))
    representations = RepresentationStore(newest(chosen.run, "artifacts/EncodeViews/representations/*/store"))
    bank = newest(chosen.run, "artifacts/TrainTasks/networks/*")
    config = NetworkConfig(**json.loads((bank / chosen.target / "network.json").read_text())["config"])
    scratch = tempfile.TemporaryDirectory()
    bench = Bench(store, representations, bank, scratch.name, config, [chosen.target])
    slots, schedule = np.arange(chosen.members)[:, None], Schedule(epochs=chosen.epochs, patience=chosen.epochs + 1)
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
        order, images = np.random.default_rng(0).permutation(len(samples) - len(samples) // 5), store.images(config.transfer_split)
        for _ in range(chosen.epochs):
            for start in range(0, len(order), schedule.batch):
                picked = order[start : start + schedule.batch]
                codes, target, mask = samples.take(picked)
                image01 = keras.ops.convert_to_tensor(images[samples.data.views[picked][:, 0]].astype("float32") / 255)
                codes = np.asarray(network.encoder(encoder_input(network.task, image01), training=False))[:, None]
                stack.train_on_batch((codes, target, mask), np.zeros(len(picked), "float32"))

    few = min(2, chosen.members)
    timed("one at a time, from pixels", few, lambda: [from_pixels(index) for index in range(few)])
    timed("one at a time, from the store", few, lambda: [learn(store, bench.maps, chosen.target, slots[i : i + 1], [1], config, schedule) for i in range(few)])
    timed("stacked", chosen.members, lambda: learn(store, bench.maps, chosen.target, slots, [1] * chosen.members, config, schedule))
    found = learn(store, bench.maps, chosen.target, slots, [1] * chosen.members, config)
    rows.append(("stacked, until converged", chosen.members, found.seconds))
    subsets = first_wave(len(bench.sources), 2, "all_pairs")
    measure = local_transfers if TASKS[chosen.target].output.dense else global_transfers
    timed("closed form, orders 1 and 2", len(subsets), lambda: measure(bench, bench.regimes[-1], {chosen.target: subsets}))
    base = rows[0][2] / rows[0][1]
    print(f"\ntransfers into {chosen.target}; {chosen.epochs} epochs where gradients are used (until converged: {int(np.median(found.best))} at best)")
    print("learner                          transfers  seconds  transfers/s  times the first")
    for name, count, seconds in rows:
        print(f"{name:32s} {count:9d}  {seconds:7.1f}  {count / seconds:11.3f}  {base * count / seconds:15.1f}")


if __name__ == "__main__":
    main()
