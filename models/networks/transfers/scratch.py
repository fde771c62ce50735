"""Training from scratch, the control that a transfer must beat: the target's own network, encoder
and head, from pixels, on exactly the samples that teach a transfer in the same regime.

It starts from the constant that those samples give, is trained by the recipe of task networks for
`scratch_steps` steps, and keeps the weights that the regime's held-out buildings liked best; of
vectors and classes they also choose how far answers are pulled towards the constant. Where
transfers are measured in closed form, a readout of pixels (`scratch_readout.py`) takes the
network's place if these buildings like it better. No sample of the training split, and no test
sample, takes part.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import keras
import numpy as np

from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.task_networks.answers import test_losses
from models.networks.task_networks.build import TaskNetwork
from models.networks.task_networks.records import ScratchRecord, read_back, read_record
from models.networks.task_networks.train import config_of_one_task, network_record
from models.networks.training.workers import results_of_processes
from models.networks.transfers.regimes import Regime, teaching_rows
from models.networks.transfers.scratch_feed import held_out_batch
from models.networks.transfers.scratch_program import (
    Program,
    mean_loss,
    program_key,
    train_on_rows,
)
from models.networks.transfers.scratch_readout import pixels_solved
from models.networks.weights import save_weights
from models.provenance.address import address_of
from models.provenance.atomic import write_json
from models.provenance.seals import sealed_folder, whole
from models.tasks import TASKS, Task
from models.tasks.addressing import rows_of, settings_of


def scratch_folder(ledger: str | Path, target: str, regime: Regime) -> Path:
    """Returns the folder of a network from scratch, which `load_task_network` reads."""
    name = f"{target}-{regime.name}" if regime.name else target
    return Path(ledger) / "scratch" / name


def train_from_scratch(
    store: LabelStore,
    ledger: str | Path,
    wanted: Mapping[str, Sequence[Regime]],
    config: NetworkConfig,
    out: TextIO = sys.stderr,
) -> list[ScratchRecord]:
    """Returns the records of the networks from scratch of some targets in some regimes. Those that
    the ledger lacks are trained, by as many processes as `config.trainers`.

    wanted: target -> regimes.
    """
    records: list[ScratchRecord] = []
    lacking: dict[str, list[Regime]] = {}
    for name, regimes in wanted.items():
        for regime in regimes:
            record = kept_record(store, ledger, TASKS[name], regime, config)
            if record is None:
                lacking.setdefault(name, []).append(regime)
            else:
                records.append(record)
    fresh: list[ScratchRecord] = []
    count = sum(map(len, lacking.values()))
    since = time.time()
    for record in train_groups(store, ledger, lacking, config):
        fresh.append(record)
        spent = time.time() - since
        left = spent / len(fresh) * (count - len(fresh))
        print(
            f"  from scratch {len(fresh)}/{count} {record['task']}: {record['seconds']:.1f} s, "
            + (f"about {left:.0f} s left" if left else f"{spent:.1f} s in all"),
            file=out,
            flush=True,
        )
    return [*records, *fresh]


def kept_record(
    store: LabelStore, ledger: str | Path, task: Task, regime: Regime, config: NetworkConfig
) -> ScratchRecord | None:
    """Returns the record in the ledger, if it has this very network, whole."""
    folder = scratch_folder(ledger, task.name, regime)
    if not whole(folder):
        return None
    record: ScratchRecord = read_record(folder)
    same = record["address"] == scratch_address(task, regime, store, config)
    return record if same else None


def scratch_address(task: Task, regime: Regime, store: LabelStore, config: NetworkConfig) -> str:
    """Returns 16 hex digits of everything that a network from scratch depends on."""
    own = config_of_one_task(without_readout(scratch_config(config)), task)
    return address_of(
        train_group,
        inputs=[
            store.size,
            [store.views_address, store.address(task.name)],
            [regime.name, len(regime.views), regime.limit],
        ],
        settings=(*settings_of(task), own),
        choices=rows_of(task),
    )


def without_readout(config: NetworkConfig) -> NetworkConfig:
    """Resets fields that only the pixel readout reads, so that they do not change the address;
    where there is a readout, the configuration stays as it is.
    """
    if config.learner == "closed_form":
        return config
    return replace(config, ridges=(1.0,), random_features=1)


def scratch_config(config: NetworkConfig) -> NetworkConfig:
    """Returns the configuration of networks from scratch: their own steps, batch and width, the
    task's loss alone, as transfers have it, and no reduced precision (which serves large
    schedules).
    """
    share = config.scratch_width
    return replace(
        config,
        steps=config.scratch_steps,
        batch=config.scratch_batch,
        shares=(),
        adversarial=False,
        precision="float32",
        encoder_widths=tuple(max(1, round(share * width)) for width in config.encoder_widths),
        decoder_widths=tuple(max(1, round(share * width)) for width in config.decoder_widths),
        head_width=max(1, round(share * config.head_width)),
    )


def train_groups(
    store: LabelStore,
    ledger: str | Path,
    lacking: Mapping[str, Sequence[Regime]],
    config: NetworkConfig,
) -> Iterator[ScratchRecord]:
    """Trains groups of targets that share one compiled program, the largest group first; yields
    the records of a group as it is finished.
    """
    groups: dict[tuple[object, ...], dict[str, Sequence[Regime]]] = {}
    for name, regimes in lacking.items():
        groups.setdefault(program_key(TASKS[name], scratch_config(config)), {})[name] = regimes
    largest_first = sorted(groups.values(), key=lambda group: -len(group))
    if config.trainers == 1 or len(groups) < 2:
        for group in largest_first:
            yield from train_group(store, ledger, group, config)
        return
    calls = [
        functools.partial(train_group, store, ledger, group, config) for group in largest_first
    ]
    for records in results_of_processes(calls, config.trainers):
        yield from records


def train_group(
    store: LabelStore,
    ledger: str | Path,
    targets: Mapping[str, Sequence[Regime]],
    config: NetworkConfig,
) -> list[ScratchRecord]:
    """Trains the networks from scratch of targets that share a program; returns their records.
    targets: target -> regimes.
    """
    keras.backend.clear_session()
    program: Program | None = None
    records = []
    for name, regimes in targets.items():
        program = program or Program(TASKS[name], scratch_config(config), store.size)
        for regime in regimes:
            records.append(train_scratch_network(store, ledger, name, regime, config, program))
    return records


def train_scratch_network(
    store: LabelStore,
    ledger: str | Path,
    name: str,
    regime: Regime,
    config: NetworkConfig,
    program: Program,
) -> ScratchRecord:
    """Trains one network from scratch, judges it on the test split, and writes it whole; returns
    its record.
    """
    since = time.time()
    task = TASKS[name]
    rows = teaching_rows(store, regime, name, program.config)
    judging = held_out_batch(store, task, program.config, rows[1])
    network, curve, shrinkage = train_on_rows(store, task, program, rows, judging)
    chosen: TaskNetwork = network
    arrays, grid = None, None
    held_out = {"network": mean_loss(network, judging)}
    if program.config.learner == "closed_form" and len(rows[0]) > 1:
        solved = pixels_solved(store, program.network.encoder, regime, name, program.config, rows)
        held_out["readout"] = mean_loss(solved.taught(), judging)
        if held_out["readout"] < held_out["network"]:
            arrays, grid = solved.arrays(), solved.grid
            chosen = solved.network(arrays)
    losses = test_losses(chosen, store, program.config)
    record: ScratchRecord = {
        **network_record(
            chosen,
            scratch_address(task, regime, store, config),
            steps=program.config.steps,
            seconds=time.time() - since,
            loss=float(losses.mean()),
            curve=curve,
            shrinkage=shrinkage,
        ),
        "regime": regime.name,
        "images": sum(len(part) for part in rows),
        "held_out": held_out,
        "grid": grid,
    }
    with sealed_folder(scratch_folder(ledger, name, regime)) as folder:
        if arrays is None:
            save_weights(network.encoder, folder / "encoder.weights.h5")
            save_weights(network.head, folder / "head.weights.h5")
        else:
            np.savez(folder / "arrays.npz", **arrays)
        np.save(folder / "test_losses.npy", losses)
        write_json(folder / "network.json", record)
    return read_back(record)
