"""Every transfer and control measured from stored representations, image by image, with the target
task's own loss.

Transfers learn from `config.transfer_split` (the paper: the validation buildings) and are judged on
the test buildings. Controls in the same tournament: supervised (the task network itself), and of
each regime scratch (the same network trained on exactly the regime's data, `scratch.py`), pixels
(the transfers' learner on pixels averaged to the representation's grid) and average (the best
constant of the regime's labels). The random encoder is a source as any other (random_projection).
Networks that shares of a task's labels taught (`label_shares.py`) stand outside the tournament.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.task_networks.label_shares import train_shares
from models.networks.task_networks.records import ScratchRecord, ShareRecord
from models.networks.task_networks.representations import RepresentationStore
from models.networks.transfers.bench import Bench, PixelMaps, SourceNamesByTarget
from models.networks.transfers.calibration_rows import calibration_row, calibration_sample
from models.networks.transfers.candidates import first_wave, second_wave
from models.networks.transfers.ceiling import ceilings
from models.networks.transfers.closed_form.maps import map_transfers
from models.networks.transfers.closed_form.vectors import vector_transfers
from models.networks.transfers.controls import (
    record_controls,
    record_shares,
    regimes_with_scratch,
)
from models.networks.transfers.gradient.learner import transfers_by_gradient
from models.networks.transfers.learners import Losses, SetsByTarget, SourceSet
from models.networks.transfers.ledger import TransferLedger
from models.networks.transfers.regimes import Regime, config_of_one_row, regimes_of
from models.networks.transfers.results import (
    MeasuredTransfer,
    RecordLosses,
    ScratchCost,
    ShareCost,
    TransferSummary,
)
from models.networks.transfers.scratch import train_from_scratch
from models.provenance.address import address_of
from models.tasks import TASKS, Task
from models.tasks.addressing import rows_of, settings_of

# Gives a target and some of its losses as soon as it has them, so that what is measured before a
# stop is kept.
Learner = Callable[[Bench, Regime, SetsByTarget], Iterator[tuple[str, Losses]]]
# Learners see the bench as a protocol: what gives it maps and samples is named here.
BENCH_ROOTS = (regimes_of, PixelMaps, LabelStore, RepresentationStore)


def measure_transfers(
    store: LabelStore,
    representations: RepresentationStore,
    networks: str | Path,
    ledger: str | Path,
    config: NetworkConfig,
    *,
    record: RecordLosses,
    targets: Iterable[str],
    wanted: SourceNamesByTarget | None = None,
    everywhere: Iterable[str] | None = None,
    out: TextIO = sys.stderr,
) -> TransferSummary:
    """Measures every transfer into `targets`, calls `record` once for each, and for each control,
    and returns what was done. What `ledger` holds is not measured again.

    wanted: target -> sets of sources that are worth measuring; all if None, and all of a target
    that it does not name. Controls and the higher orders that follow from what was measured are
    always measured. everywhere: the targets of all shards of the stage, of which the same ones are
    calibrated for any number of shards (default: `targets`).
    """
    since = time.time()
    asked = list(targets)
    present = [name for name in asked if store.has(name)]
    ledgers = {name: ledger_of(name, store, config, ledger) for name in present}
    bench = Bench(store, representations, networks, config, ledgers, wanted, out=out)
    print_left_out(bench, asked, out)
    rows: dict[str, list[tuple[SourceSet, Regime]]] = {name: [] for name in present}
    for regime in bench.regimes:
        for name, subsets in measure_regime(bench, regime, present, out).items():
            rows[name] += [(subset, regime) for subset in subsets]
    taught = {name: regimes_of_rows(bench, rows[name]) for name in present}
    alone = {name: regimes_with_scratch(config, regimes) for name, regimes in taught.items()}
    records = train_from_scratch(store, ledger, alone, config, out)
    for name in present:
        record_transfers(bench, name, rows[name], record)
        record_controls(bench, name, taught[name], Path(ledger), record)
    recorded = itertools.chain.from_iterable(rows.values())
    count = sum(subset != bench.pixels for subset, _ in recorded)
    seconds = time.time() - since
    print(
        f"  {count} transfers into {len(present)} targets ({count - bench.fresh} from the "
        f"ledger): {seconds:.1f} s",
        file=out,
        flush=True,
    )
    shares = train_shares(store, ledger, present, config, out)
    record_shares(store, Path(ledger), shares, record)
    # None where all losses came from the ledger.
    rate = seconds / bench.fresh if bench.fresh else None
    among = present if everywhere is None else [name for name in everywhere if store.has(name)]
    sample = [name for name in calibration_sample(bench, among) if name in present]
    widths = {
        source: bench.width(index)
        for index, source in enumerate(bench.sources)
        if source not in TASKS
    }
    return TransferSummary(
        transfers=count,
        fresh=bench.fresh,
        seconds=seconds,
        calibration=[calibration_row(bench, name, rate, out) for name in sample],
        scratch=[scratch_cost(record) for record in records],
        shares=[share_cost(record) for record in shares],
        widths=widths,
        ceilings=[
            row for width in sorted(set(widths.values())) for row in ceilings(bench, present, width)
        ],
        ledgers={name: ledgers[name].folder.name for name in present},
        addresses={
            name: bench.address(
                name,
                rows[name],
                [each["address"] for each in (*records, *shares) if each["task"] == name],
            )
            for name in present
        },
    )


def scratch_cost(record: ScratchRecord) -> ScratchCost:
    """Returns what training a network from scratch has cost."""
    return {
        "task": record["task"],
        "regime": record["regime"],
        "images": record["images"],
        "steps": record["steps"],
        "seconds": record["seconds"],
    }


def share_cost(record: ShareRecord) -> ShareCost:
    """Returns what training a network of a share of the labels has cost."""
    return {
        "task": record["task"],
        "share": record["share"],
        "views": record["views"],
        "samples": record["samples"],
        "steps": record["steps"],
        "seconds": record["seconds"],
    }


def ledger_of(
    target: str, store: LabelStore, config: NetworkConfig, folder: str | Path
) -> TransferLedger:
    """Returns the ledger of one target's losses, in a folder named after target and address."""
    return TransferLedger(Path(folder) / f"{target}-{target_address(target, store, config)}")


def target_address(target: str, store: LabelStore, config: NetworkConfig) -> str:
    """Returns 16 hex digits of what all transfers into a target depend on beside their sources and
    the amount of data: the target's labels, the learner's code, and the settings that it reads.
    """
    task = TASKS[target]
    return address_of(
        (learner_of(task, config), *BENCH_ROOTS),
        inputs=[store.views_address, store.address(target)],
        # how many views teach a row stands in its key (`bench.amount_of`)
        settings=(*settings_of(task), replace(config_of_one_row(config), transfer_images=1)),
        choices=rows_of(task),
    )


def learner_of(task: Task, config: NetworkConfig) -> Learner:
    """Returns the function that measures transfers into a task."""
    if config.learner == "gradient":
        return transfers_by_gradient
    return map_transfers if task.output.dense else vector_transfers


def print_left_out(bench: Bench, asked: Sequence[str], out: TextIO) -> None:
    """Prints which targets lack labels in some split, and which amounts of data the split lacks."""
    absent = [name for name in asked if not bench.store.has(name)]
    if absent:
        print(
            f"  left out, since not every split holds labels of them: {', '.join(absent)}",
            file=out,
            flush=True,
        )
    config = bench.config
    there = {regime.name for regime in bench.regimes}
    lacking = [amount for amount in config.regimes if str(amount) not in there]
    if lacking:
        print(
            f"  not measured with {lacking} images apart: the {config.transfer_split} split "
            "holds no more than that",
            file=out,
            flush=True,
        )


def measure_regime(
    bench: Bench, regime: Regime, targets: Sequence[str], out: TextIO
) -> dict[str, list[SourceSet]]:
    """Measures the transfers of one regime; returns target -> the sets of sources that were
    measured, that of the pixels included.
    """
    # In the regime that decides, lack of labels is an error, not a gap.
    taught = [name for name in targets if not regime.name or bench.teaches(regime, name)]
    if len(taught) < len(targets):
        print(
            f"  left out with {regime.name} images, of which fewer than 2 are labelled: "
            f"{', '.join(sorted({*targets} - {*taught}))}",
            file=out,
            flush=True,
        )
    rule = bench.config.higher_orders
    first = first_wave(len(bench.sources), regime.order, rule)
    todo = {
        name: [*(subset for subset in first if bench.wants(name, subset)), bench.pixels]
        for name in taught
    }
    measure_lacking(bench, regime, todo)
    controls = [
        i for i, name in enumerate(bench.sources) if name in TASKS and not TASKS[name].trained
    ]
    more = {
        name: second_wave(bench.ranked(name, todo[name], regime), regime.order, rule, controls)
        for name in taught
    }
    measure_lacking(bench, regime, more)
    return {name: [*todo[name], *more[name]] for name in taught}


def measure_lacking(bench: Bench, regime: Regime, todo: SetsByTarget) -> None:
    """Measures the transfers of `todo` that the ledgers lack, with the learner of each target."""
    wanted: dict[Learner, dict[str, list[SourceSet]]] = {}
    for name, subsets in todo.items():
        lacking = bench.lacking(name, subsets, regime)
        if lacking:
            wanted.setdefault(learner_of(TASKS[name], bench.config), {})[name] = lacking
    for learner, targets in wanted.items():
        for name, losses in learner(bench, regime, targets):
            bench.keep(name, losses, regime)


def regimes_of_rows(bench: Bench, rows: Sequence[tuple[SourceSet, Regime]]) -> list[Regime]:
    """Returns the regimes in which some transfers were measured, the one that decides first."""
    names = {regime.name for _, regime in rows}
    return [regime for regime in reversed(bench.regimes) if regime.name in names]


def record_transfers(
    bench: Bench, name: str, rows: Sequence[tuple[SourceSet, Regime]], record: RecordLosses
) -> None:
    """Calls `record` for all transfers into one target, and for its readouts of pixels."""
    samples = bench.store.sample_names(name, "test")
    for subset, regime in rows:
        pixels = subset == bench.pixels
        transfer: MeasuredTransfer = {
            "sources": [] if pixels else list(bench.names(subset)),
            "target": name,
            "regime": regime.name,
            "control": "pixels" if pixels else None,
        }
        record(transfer, samples, bench.losses(name, subset, regime))
