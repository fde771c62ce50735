"""Does anything after ingest grow with the number of views? Peak memory, seconds and bytes a
view of every stage over views, each in a process of its own.

    .venv/bin/python benchmarks/scale.py [--views 1000 10000 100000] [--size 64]

Views are copies of some hundred procedural ones with all their labels, under names of their own.
Peak: VmHWM, which counts pages of memory-mapped files too. Exit code 1 if a stage's peak grows by
more than a tenth between the last two sizes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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

CHILD = """
import json, sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from benchmarks import scale
began = time.perf_counter()
found = scale.{stage}(*map(Path, sys.argv[1:]))
status = Path("/proc/self/status").read_text()
peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
print(json.dumps({{"peak": peak, "seconds": time.perf_counter() - began, **(found or {{}})}}))
"""


def check(place: Path) -> None:
    """CheckLabels."""
    from models.examples.contract import check_contract

    found = check_contract(str(place / "examples"))
    assert not found, found[:3]


def labels(place: Path) -> None:
    """DecodeLabels, all tasks."""
    from models.examples.label_store import build_label_store
    from models.tasks import TASKS as EVERY

    limits = {} if not (place / "bound").exists() else {"cache_bytes": 0}
    build_label_store(
        str(place / "examples"),
        place / "store",
        seed=0,
        max_samples=12_000,
        tasks={name: entry for name, entry in EVERY.items() if entry.trained},
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


STAGES = (check, labels, feed, averages, encode)


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
    )


def originals(folder: Path, size: int) -> Path:
    """an Examples artifact of some hundred procedural views."""
    from beam_jobs.annotate.procedural import annotate_buildings
    from beam_jobs.ingest.job import ingest

    annotate_buildings(
        folder / "data", buildings=3, views=50, size=size, seed=0, processes=2, held_out=1
    )
    ingest(str(folder / "data"), str(folder / "originals"), size=size, shards=1)
    return folder / "originals"


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
        kept = sorted(records(str(model), split))
        examples = [tf.train.Example.FromString(record) for record in kept]
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
                        f"{split}{number // len(examples):07d}",
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
    child = CHILD.format(root=str(ROOT), stage=stage)
    done = subprocess.run(
        [sys.executable, "-c", child, str(place)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{stage}: {done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def in_process(call: str, *paths: object) -> None:
    """makes data elsewhere, so that this process stays small."""
    text = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from pathlib import Path; "
    text += f"from benchmarks import scale; scale.{call}"
    subprocess.run([sys.executable, "-c", text, *map(str, paths)], check=True, capture_output=True)


def bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--views", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--cache", action="store_true", help="let decoded labels be kept on disk")
    options = parser.parse_args()
    peaks: dict[str, list[float]] = {stage.__name__: [] for stage in STAGES}
    print(f"{'views':>8s} {'stage':10s} {'peak MiB':>9s} {'s':>8s} {'ms/view':>8s} {'B/view':>9s}")
    with tempfile.TemporaryDirectory(prefix="scale-") as scratch:
        folder = Path(scratch)
        in_process(f"originals(Path(sys.argv[1]), {options.size})", folder)
        for views in options.views:
            place = folder / str(views)
            place.mkdir()
            if not options.cache:
                (place / "bound").touch()
            call = f"multiply(Path(sys.argv[1]), Path(sys.argv[2]), {views})"
            in_process(call, folder / "originals", place / "examples")
            before = bytes_below(place)
            print(f"{views:8d} {'examples':10s} {'':9s} {'':8s} {'':8s} {before / views:9.0f}")
            for stage in STAGES:
                name = stage.__name__
                found = measured(name, place)
                size = bytes_below(place)
                peaks[name].append(found["peak"])
                print(
                    f"{views:8d} {name:10s} {found['peak']:9.0f} {found['seconds']:8.1f} "
                    f"{1000 * found['seconds'] / views:8.2f} {(size - before) / views:9.0f} "
                    f"{found.get('samples a second', '')}",
                    flush=True,
                )
                before = size
            shutil.rmtree(place)
    grown = {name: row[-1] / row[-2] - 1 for name, row in peaks.items() if len(row) > 1}
    for name, share in grown.items():
        print(f"{name}: {share:+.1%} memory between the last two sizes")
    return int(any(share > 0.1 for share in grown.values()))


if __name__ == "__main__":
    sys.exit(main())
