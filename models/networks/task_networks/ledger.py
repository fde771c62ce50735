"""The ledger of task networks: one folder a task, kept as long as its address is the same."""

from __future__ import annotations

import concurrent.futures
import json
import multiprocessing
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.task_networks.train import address, train_task
from models.networks.training.averages import labelled
from models.networks.training.workers import begin_worker, machine_shared_by
from models.provenance.seals import whole
from models.tasks import TASKS, Task

# network.json of a network: what it is of, what it cost, how good it is.
Record = dict[str, Any]


def train_tasks(
    store: LabelStore,
    directory: str | Path,
    names: Iterable[str],
    config: NetworkConfig,
    out: TextIO = sys.stderr,
) -> dict[str, Record]:
    """train every task of `names` that the ledger at `directory` lacks; name -> record
    (network.json).

    Raises LookupError before any training for a task without labels in the train or test split,
    Interrupted for a loss that is no number. A val split without labels is no error: nothing is
    then pulled towards the average.
    """
    wanted = list(names)
    directory = Path(directory)
    for name in wanted:
        check_labels(store, TASKS[name])
    records = {name: kept(store, directory / name, TASKS[name], config) for name in wanted}
    missing = [name for name, record in records.items() if record is None]
    since = time.time()
    for count, record in enumerate(as_trained(store, directory, missing, config, out), 1):
        records[record["task"]] = record
        left = (time.time() - since) / count * (len(missing) - count)
        print(
            f"  network {len(wanted) - len(missing) + count}/{len(wanted)} {record['task']}: "
            f"{record['seconds']:.1f} s, "
            f"beats the average on {record['win_average']:.0%} of test samples, about {left:.0f} s "
            "left",
            file=out,
            flush=True,
        )
    return {name: record for name, record in records.items() if record is not None}


def kept(store: LabelStore, folder: Path, entry: Task, config: NetworkConfig) -> Record | None:
    """the record in the ledger, if it is of this very network, as it was written."""
    described = folder / "network.json"
    if not whole(folder):
        return None
    record: Record = json.loads(described.read_text())
    return record if record.get("address") == address(entry, config, store) else None


def as_trained(
    store: LabelStore, directory: Path, names: list[str], config: NetworkConfig, out: TextIO
) -> Iterator[Record]:
    """the records of `names` as they are finished, by as many processes as `config.trainers`, the
    longest networks first.
    """
    if config.trainers == 1 or len(names) < 2:
        for name in names:
            yield train_task(store, directory / name, TASKS[name], config, out)
        return
    longest_first = sorted(names, key=lambda name: not TASKS[name].output.dense)
    spawn = multiprocessing.get_context("spawn")
    with (
        machine_shared_by(config.trainers),
        concurrent.futures.ProcessPoolExecutor(config.trainers, spawn, begin_worker) as pool,
    ):
        waiting = [
            pool.submit(train_task, store, directory / name, TASKS[name], config)
            for name in longest_first
        ]
        try:
            for future in concurrent.futures.as_completed(waiting):
                yield future.result()
        finally:
            # After an error: what runs ends, what waits does not begin.
            pool.shutdown(wait=False, cancel_futures=True)


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
        if not labelled(store, task, split):
            raise LookupError(
                f"{task.name} has no {split} sample that counts: the {split} buildings hold "
                f"no {what} for it, or all are masked. "
                "Leave the task out, add views, or move buildings between splits (train, val "
                "and test need a building each)"
            )


def task_records(directory: str | Path) -> list[Record]:
    """network.json of every task network below `directory`, in the order of the dictionary."""
    paths = [Path(directory) / name / "network.json" for name in TASKS]
    return [json.loads(path.read_text()) for path in paths if path.exists()]
