"""Which targets are calibrated, and their rows, each kept beside its target's losses."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TextIO

from models.examples.label_store import LabelStore
from models.networks.transfers.bench import Bench
from models.networks.transfers.calibration import CalibrationRow, calibrate
from models.networks.transfers.equal_labels import first_with_equal_labels
from models.networks.transfers.regimes import config_of_one_row
from models.provenance.address import address_of
from models.provenance.seals import read_sealed_json, write_sealed_json
from models.tasks import TASKS
from models.tasks.addressing import rows_of, settings_of

# Kinds of output that calibration takes first: the pair metric and 17 classes a pixel take several
# times as long.
CHEAP = ("pixels", "classes", "vector")


def calibration_sample(bench: Bench, targets: list[str]) -> list[str]:
    """Returns the targets that are trained by gradient beside the closed form; none where all
    transfers are trained by gradient.
    """
    config = bench.config
    if config.learner == "gradient":
        return []
    questions = distinct_targets(targets, bench.store, config.transfer_split)
    return alternating_kinds(questions, config.calibration_targets)


def distinct_targets(targets: list[str], store: LabelStore, split: str) -> list[str]:
    """Returns the targets without those that have the labels of an earlier one, and would only
    repeat it.
    """
    return list(dict.fromkeys(first_with_equal_labels(store, targets, split).values()))


def alternating_kinds(targets: Iterable[str], count: int) -> list[str]:
    """Returns `count` of the targets: pixels, classes and vectors in turn, then the kinds that cost
    most to train.
    """
    kinds: dict[str, list[str]] = {kind: [] for kind in CHEAP}
    for name in targets:
        kinds.setdefault(TASKS[name].output.kind, []).append(name)
    turns = itertools.zip_longest(*(kinds.pop(kind) for kind in CHEAP))
    cheap = [name for turn in turns for name in turn if name is not None]
    return [*cheap, *itertools.chain(*kinds.values())][:count]


def calibration_row(bench: Bench, name: str, rate: float | None, out: TextIO) -> CalibrationRow:
    """Returns the calibration of one target in the largest regime, from the target's ledger if it
    is there. rate: seconds that a transfer took in closed form, None if not measured now.
    """
    regime = bench.regimes[-1]
    # Sources from outside are left out: one more would have the same question trained again.
    every = [(index,) for index, source in enumerate(bench.sources) if source in TASKS]
    singles = [subset for subset in every if bench.key(subset, regime) in bench.ledgers[name]]
    task = TASKS[name]
    own = address_of(
        calibrate,
        inputs=[bench.key(subset, regime) for subset in singles],
        settings=(*settings_of(task), config_of_one_row(bench.config)),
        choices=rows_of(task),
    )
    path = bench.ledgers[name].folder / f"calibration-{own}.json"
    earlier: CalibrationRow | None = read_sealed_json(path)
    if earlier is not None:
        return earlier
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
    row["closed_seconds_a_transfer"] = rate
    write_sealed_json(path, row)
    return row
