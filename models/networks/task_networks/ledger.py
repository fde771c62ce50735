"""The ledger of task networks: one folder a task, kept as long as its address is the same. Another
address takes its place: going back to an older configuration trains its networks again.
"""

from __future__ import annotations

import functools
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.task_networks.build import build_task_network
from models.networks.task_networks.records import TaskRecord, read_record
from models.networks.task_networks.train import network_address, train_task
from models.networks.task_networks.warm import Start, same_shapes
from models.networks.training.averages import has_labels
from models.networks.training.recipes import recipe
from models.networks.training.workers import results_of_processes
from models.provenance.atomic import atomic_folder
from models.provenance.seals import damage_of, whole
from models.tasks import TASKS, Task


def train_tasks(
    store: LabelStore,
    directory: str | Path,
    names: Iterable[str],
    config: NetworkConfig,
    out: TextIO = sys.stderr,
    blessed: Mapping[str, str | Path] | None = None,
) -> dict[str, TaskRecord]:
    """Trains every task of `names` that the ledger at `directory` lacks; returns name -> record.

    blessed: task -> folder of the network that its own begins from (a warm start), where shapes
    agree; None: all start cold.
    Raises LookupError before any training for a task without labels in the train or test split,
    Interrupted for a loss that is no number. A val split without labels is no error: nothing is
    then pulled towards the average.
    """
    task_names = list(names)
    directory = Path(directory)
    for name in task_names:
        check_labels(store, TASKS[name])
    starts: dict[str, Start] = {}
    if blessed is not None:
        starts = starts_of(store, directory, task_names, config, blessed, out)
    records = {
        name: kept_record(store, directory / name, TASKS[name], config, starts.get(name))
        for name in task_names
    }
    missing = [name for name, record in records.items() if record is None]
    since = time.time()
    fresh = train_missing(store, directory, missing, config, out, starts)
    for count, record in enumerate(fresh, 1):
        records[record["task"]] = record
        seconds_left = (time.time() - since) / count * (len(missing) - count)
        print(
            f"  network {len(task_names) - len(missing) + count}/{len(task_names)} "
            f"{record['task']}: "
            f"{record['seconds']:.1f} s, "
            f"beats the average on {record['win_average']:.0%} of test samples, "
            f"about {seconds_left:.0f} s left",
            file=out,
            flush=True,
        )
    return {name: record for name, record in records.items() if record is not None}


def kept_record(
    store: LabelStore,
    folder: Path,
    entry: Task,
    config: NetworkConfig,
    start: Start | None = None,
) -> TaskRecord | None:
    """Returns the record in the ledger, if it has this very network, whole."""
    if not whole(folder):
        return None
    record: TaskRecord = read_record(folder)
    address = network_address(entry, store, config, start.address if start else "")
    return record if record.get("address") == address else None


def starts_of(
    store: LabelStore,
    directory: Path,
    names: Iterable[str],
    config: NetworkConfig,
    blessed: Mapping[str, str | Path],
    out: TextIO,
) -> dict[str, Start]:
    """Returns task -> the network that its own begins from, and prints which tasks start cold.

    A blessed network of these very labels, settings and code has nothing to learn: it is taken into
    the ledger, and its own start stays its start. So a second run trains nothing.
    """
    starts = {}
    for name in names:
        task = TASKS[name]
        if not task.trained:
            continue
        if name not in blessed:
            print(f"  {name}: no blessed network of it yet, a cold start", file=out, flush=True)
            continue
        folder = Path(blessed[name])
        trouble = trouble_with(folder, task, config, store.size)
        if trouble:
            print(f"  {name}: a cold start, {trouble}", file=out, flush=True)
            continue
        record: TaskRecord = read_record(folder)
        begun = record.get("start") or ""
        if record["address"] != network_address(task, store, config, begun):
            starts[name] = Start(folder, record["address"])
            print(f"  {name}: begins from {record['address']}", file=out, flush=True)
            continue
        if begun:
            starts[name] = Start(folder, begun)
        if kept_record(store, directory / name, task, config, starts.get(name)) is None:
            with atomic_folder(directory / name) as scratch:
                shutil.copytree(folder, scratch, dirs_exist_ok=True)
    return starts


def trouble_with(folder: Path, task: Task, config: NetworkConfig, size: int) -> str:
    """Returns why no network can begin from a blessed one; "" if one can."""
    damage = damage_of(folder)
    if damage:
        return f"the blessed network at {folder} is not whole: {damage[0]}"
    record: TaskRecord = read_record(folder)
    other = build_task_network(task, NetworkConfig(**record["config"]), record["size"])
    if not same_shapes(build_task_network(task, config, size), other):
        return f"the blessed network {record['address']} has other shapes"
    return ""


def train_missing(
    store: LabelStore,
    directory: Path,
    names: list[str],
    config: NetworkConfig,
    out: TextIO,
    starts: Mapping[str, Start],
) -> Iterator[TaskRecord]:
    """Trains `names` by as many processes as `config.trainers`, the longest networks first; yields
    the records as they are finished.
    """
    if config.trainers == 1 or len(names) < 2:
        for name in names:
            start = starts.get(name)
            yield train_task(store, directory / name, TASKS[name], config, out, start=start)
        return
    calls = [
        functools.partial(
            train_task, store, directory / name, TASKS[name], config, start=starts.get(name)
        )
        for name in longest_first(names, config)
    ]
    yield from results_of_processes(calls, config.trainers)


def longest_first(names: Sequence[str], config: NetworkConfig) -> list[str]:
    """Returns the names by how many samples their networks are trained on, the most first, maps
    before others of as many: the last processes end at about the same time.
    """

    def samples(name: str) -> int:
        own_recipe = recipe(TASKS[name], config)
        return own_recipe.steps * own_recipe.batch if TASKS[name].trained else 0

    return sorted(names, key=lambda name: (-samples(name), not TASKS[name].output.dense))


def check_labels(store: LabelStore, task: Task) -> None:
    """Raises LookupError for a task that cannot be trained, or judged, on this store."""
    if not task.trained:
        return
    what = {
        1: "labels",
        2: "pairs of views that see one point",
        3: "triples of views of one point",
    }[task.images]
    for split in ("train", "test"):
        if not has_labels(store, task, split):
            raise LookupError(
                f"{task.name} has no {split} sample that counts: the {split} buildings hold "
                f"no {what} for it, or all are masked. "
                "Leave the task out, add views, or move buildings between splits (train, val "
                "and test need a building each)"
            )


def task_records(directory: str | Path) -> list[TaskRecord]:
    """Returns the records of all task networks below `directory`, in the dictionary's order."""
    folders = [Path(directory) / name for name in TASKS]
    return [read_record(folder) for folder in folders if (folder / "network.json").exists()]
