"""Every transfer and control measured from stored representations, image by image, with the target
task's own loss.

Transfers learn from `config.transfer_split` (the paper: the validation buildings) and are judged on
the test buildings. Controls in the same tournament: supervised (the task network itself), and of
each regime scratch (the same network trained on exactly the regime's data, `scratch.py`), pixels
(the transfers' learner on pixels averaged to the representation's grid) and average (the best
constant of the regime's labels). The random encoder is a source as any other (random_projection).
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.task_networks.representations import RepresentationStore
from models.networks.transfers.bench import Bench, PixelMaps, SourceNamesByTarget
from models.networks.transfers.calibration import calibrate
from models.networks.transfers.candidates import first_wave, second_wave
from models.networks.transfers.ceiling import ceilings
from models.networks.transfers.closed_form.maps import map_transfers
from models.networks.transfers.closed_form.vectors import vector_transfers
from models.networks.transfers.edge import write_transfer
from models.networks.transfers.equal_labels import first_with_equal_labels
from models.networks.transfers.gradient.learner import transfers_by_gradient
from models.networks.transfers.gradient.programs import StackPrograms
from models.networks.transfers.learners import Losses, SetsByTarget, SourceSet
from models.networks.transfers.ledger import TransferLedger
from models.networks.transfers.regimes import Regime, regimes_of
from models.networks.transfers.scratch import scratch_folder, train_from_scratch
from models.provenance.address import address_of
from models.provenance.seals import read_sealed_json, whole, write_sealed_json
from models.tasks import TASKS, Task
from models.tasks.addressing import rows_of, settings_of
from models.tasks.arrays import Floats

# record(transfer, sample names, losses [sample]): where what was measured is told.
RecordLosses = Callable[[dict[str, Any], Sequence[str], Floats], None]
# Gives a target and some of its losses as soon as it has them, so that what is measured before a
# stop is kept.
Learner = Callable[[Bench, Regime, SetsByTarget], Iterator[tuple[str, Losses]]]
# Learners see the bench as a protocol: what gives it maps and samples is named here.
BENCH_ROOTS = (regimes_of, PixelMaps, LabelStore, RepresentationStore)
# Kinds of output that calibration takes first: the pair metric and 17 classes a pixel take several
# times as long.
CHEAP = ("pixels", "classes", "vector")


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
) -> dict[str, Any]:
    """measure every transfer into `targets`; `record(transfer, sample names, losses)` is called
    once for each.

    transfer: {"sources", "target", "regime", "control"}. wanted: target -> sets of sources that are
    worth measuring; all if None, and all of a target that it does not name. Controls and the higher
    orders that follow from what was measured are always measured. everywhere: the targets of all
    shards of the stage, of which the same ones are calibrated for any number of shards (default:
    `targets`). What `ledger` holds is not measured again. Returns {"transfers", "fresh": how many
    of them were measured now, "seconds", "calibration": rows of `calibration.calibrate`,
    "scratch": records of the networks from scratch, "widths": source from outside -> channels,
    "ceilings": rows of `ceiling.ceilings` for each of these widths, "addresses": target -> content
    address of what was measured, "ledgers": target -> folder of `ledger` that holds its rows}.
    """
    since = time.time()
    asked = list(targets)
    present = [name for name in asked if store.has(name)]
    ledgers = {name: ledger_of(name, store, config, ledger) for name in present}
    bench = Bench(store, representations, networks, config, ledgers, wanted, out=out)
    say_what_is_left_out(bench, asked, out)
    rows: dict[str, list[tuple[SourceSet, Regime]]] = {name: [] for name in present}
    for regime in bench.regimes:
        for name, subsets in measured_in(bench, regime, present, out).items():
            rows[name] += [(subset, regime) for subset in subsets]
    taught = {name: regimes_in(bench, name, rows[name]) for name in present}
    alone = {name: with_scratch(config, regimes) for name, regimes in taught.items()}
    records = train_from_scratch(store, ledger, alone, config, out)
    for name in present:
        tell(bench, name, rows[name], record)
        tell_controls(bench, name, taught[name], Path(ledger), record)
    told = itertools.chain.from_iterable(rows.values())
    count = sum(subset != bench.pixels for subset, _ in told)
    seconds = time.time() - since
    print(
        f"  {count} transfers into {len(present)} targets ({count - bench.fresh} from the "
        f"ledger): {seconds:.1f} s",
        file=out,
        flush=True,
    )
    # None where all losses came from the ledger.
    rate = seconds / bench.fresh if bench.fresh else None
    among = present if everywhere is None else [name for name in everywhere if store.has(name)]
    sample = [name for name in calibration_sample(bench, among) if name in present]
    return {
        "transfers": count,
        "fresh": bench.fresh,
        "seconds": seconds,
        "calibration": [calibrated(bench, name, rate, out) for name in sample],
        "scratch": [
            {field: record[field] for field in ("task", "regime", "images", "steps", "seconds")}
            for record in records
        ],
        "widths": {
            source: bench.width(index)
            for index, source in enumerate(bench.sources)
            if source not in TASKS
        },
        "ceilings": [
            row for width in outside_widths(bench) for row in ceilings(bench, present, width)
        ],
        "ledgers": {name: ledgers[name].folder.name for name in present},
        "addresses": {
            name: bench.address(
                name,
                rows[name],
                [record["address"] for record in records if record["task"] == name],
            )
            for name in present
        },
    }


def outside_widths(bench: Bench) -> list[int]:
    """numbers of channels of the sources from outside."""
    every = [index for index, source in enumerate(bench.sources) if source not in TASKS]
    return sorted({bench.width(index) for index in every})


def ledger_of(
    target: str, store: LabelStore, config: NetworkConfig, folder: str | Path
) -> TransferLedger:
    """where the losses of one target are kept: a folder a target and address."""
    return TransferLedger(Path(folder) / f"{target}-{target_address(target, store, config)}")


def target_address(target: str, store: LabelStore, config: NetworkConfig) -> str:
    """what all transfers into a target depend on beside their sources and the amount of data, as 16
    hex digits: the target's labels, the learner's code, and the settings that it reads.
    """
    task = TASKS[target]
    return address_of(
        (learner_of(task, config), *BENCH_ROOTS),
        inputs=[store.views_address, store.address(target)],
        # how many views teach a row stands in its key (`bench.amount_of`)
        settings=(*settings_of(task), replace(of_one_amount(config), transfer_images=1)),
        choices=rows_of(task),
    )


def of_one_amount(config: NetworkConfig) -> NetworkConfig:
    """the configuration without what says which rows are measured beside a row: further amounts of
    data, and orders.
    """
    return replace(config, regimes=(), transfer_order=1, regime_order=1)


def learner_of(task: Task, config: NetworkConfig) -> Learner:
    """what measures transfers into a task."""
    if config.learner == "gradient":
        return transfers_by_gradient
    return map_transfers if task.output.dense else vector_transfers


def say_what_is_left_out(bench: Bench, asked: Sequence[str], out: TextIO) -> None:
    """targets without labels in some split, amounts of data that the split does not hold."""
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


def measured_in(
    bench: Bench, regime: Regime, targets: Sequence[str], out: TextIO
) -> dict[str, list[SourceSet]]:
    """target -> the sets of sources that were measured with one amount of data, the pixels' too."""
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
    measure(bench, regime, todo)
    more = {
        name: second_wave(bench.ranked(name, todo[name], regime), regime.order, rule)
        for name in taught
    }
    measure(bench, regime, more)
    return {name: [*todo[name], *more[name]] for name in taught}


def measure(bench: Bench, regime: Regime, todo: SetsByTarget) -> None:
    """measure what the ledgers lack, with the learner of each target."""
    wanted: dict[Learner, dict[str, list[SourceSet]]] = {}
    for name, subsets in todo.items():
        lacking = bench.lacking(name, subsets, regime)
        if lacking:
            wanted.setdefault(learner_of(TASKS[name], bench.config), {})[name] = lacking
    for learner, targets in wanted.items():
        for name, losses in learner(bench, regime, targets):
            bench.keep(name, losses, regime)


def regimes_in(bench: Bench, name: str, rows: Sequence[tuple[SourceSet, Regime]]) -> list[Regime]:
    """the regimes in which transfers into a target were measured, the one that decides first."""
    names = {regime.name for _, regime in rows}
    return [regime for regime in reversed(bench.regimes) if regime.name in names]


def with_scratch(config: NetworkConfig, regimes: Sequence[Regime]) -> list[Regime]:
    """those of the regimes in which networks are trained from scratch."""
    asked = [regime for regime in regimes if config.scratch_regimes or not regime.name]
    return asked if config.scratch_steps else []


def tell(
    bench: Bench, name: str, rows: Sequence[tuple[SourceSet, Regime]], record: RecordLosses
) -> None:
    """tell `record` all transfers into one target, and the readouts of pixels."""
    samples = bench.store.sample_names(name, "test")
    for subset, regime in rows:
        pixels = subset == bench.pixels
        transfer = {
            "sources": [] if pixels else list(bench.names(subset)),
            "target": name,
            "regime": regime.name,
            "control": "pixels" if pixels else None,
        }
        record(transfer, samples, bench.losses(name, subset, regime))


def tell_controls(
    bench: Bench, name: str, regimes: Sequence[Regime], ledger: Path, record: RecordLosses
) -> None:
    """tell `record` the other controls of one target: of each regime, and the supervised network's,
    which belongs to none.
    """
    losses = {("supervised", ""): bench.supervised(name)}
    for regime in with_scratch(bench.config, regimes):
        folder = scratch_folder(ledger, name, regime)
        losses["scratch", regime.name] = np.load(folder / "test_losses.npy")
    for regime in regimes:
        losses["average", regime.name] = bench.average(name, regime)
    samples = bench.store.sample_names(name, "test")
    for (control, regime_name), values in losses.items():
        transfer = {"sources": [], "target": name, "regime": regime_name, "control": control}
        record(transfer, samples, values)


def calibration_sample(bench: Bench, targets: list[str]) -> list[str]:
    """the targets that are trained by gradient beside the closed form, none where all are."""
    config = bench.config
    if config.learner == "gradient":
        return []
    questions = different_targets(targets, bench.store, config.transfer_split)
    return dealt(questions, config.calibration_targets)


def different_targets(targets: list[str], store: LabelStore, split: str) -> list[str]:
    """targets of which no two ask the same of a code: the second would only repeat the first."""
    return list(dict.fromkeys(first_with_equal_labels(store, targets, split).values()))


def dealt(targets: Iterable[str], count: int) -> list[str]:
    """`count` of the targets: pixels, classes and vectors in turn, then the kinds that cost most to
    train.
    """
    kinds: dict[str, list[str]] = {kind: [] for kind in CHEAP}
    for name in targets:
        kinds.setdefault(TASKS[name].output.kind, []).append(name)
    turns = itertools.zip_longest(*(kinds.pop(kind) for kind in CHEAP))
    cheap = [name for turn in turns for name in turn if name is not None]
    return [*cheap, *itertools.chain(*kinds.values())][:count]


def calibrated(bench: Bench, name: str, rate: float | None, out: TextIO) -> dict[str, Any]:
    """the calibration row of one target, in the largest regime, kept beside the target's losses in
    the ledger. rate: seconds a transfer in closed form.
    """
    regime = bench.regimes[-1]
    # Sources from outside are left out: one more would have the same question trained again.
    every = [(index,) for index, source in enumerate(bench.sources) if source in TASKS]
    singles = [subset for subset in every if bench.key(subset, regime) in bench.ledgers[name]]
    task = TASKS[name]
    own = address_of(
        calibrate,
        inputs=[bench.key(subset, regime) for subset in singles],
        settings=(*settings_of(task), of_one_amount(bench.config)),
        choices=rows_of(task),
    )
    path = bench.ledgers[name].folder / f"calibration-{own}.json"
    kept: dict[str, Any] | None = read_sealed_json(path)
    if kept is None:
        closed = {bench.names(subset): bench.losses(name, subset, regime) for subset in singles}
        row = calibrate(
            bench.store,
            bench.maps,
            bench.sources,
            name,
            closed,
            bench.config,
            out=out,
            programs=bench.programs,
        )
        write_sealed_json(path, {**row, "closed_seconds_a_transfer": rate})
        kept = read_sealed_json(path)
    return kept or {}


def train_transfer(
    sources: tuple[str, ...],
    target: str,
    store: LabelStore,
    representations: RepresentationStore,
    networks: str | Path,
    folder: str | Path,
    config: NetworkConfig,
    programs: StackPrograms | None = None,
) -> Path:
    """the network of one edge, written for `load_transfer_network`; a complete one is kept.
    programs: `StackPrograms` that several edges share.
    """
    bench = Bench(store, representations, networks, config, programs=programs)
    subset = tuple(bench.sources.index(source) for source in sources)
    task = TASKS[target]
    address = address_of(
        write_transfer,
        inputs=[
            store.views_address,
            store.address(target),
            bench.key(subset, bench.regimes[-1]),
        ],
        settings=(*settings_of(task), of_one_amount(config)),
        choices=rows_of(task),
    )
    described = Path(folder) / "transfer.json"
    if whole(folder) and json.loads(described.read_text())["address"] == address:
        return Path(folder)
    return write_transfer(bench, subset, target, Path(folder), address)
