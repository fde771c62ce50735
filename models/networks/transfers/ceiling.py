"""The ceiling of a grid: what the best code of h x w cells and c channels would be worth as a
source, by the readout that measures all sources.

No code can tell a readout more of a target than the target's own label, so the code of this source
is the label itself, as far as the grid holds it. Of a map, y_v [h w, r r k] being the label of view
v in blocks of a cell (what the readout regresses), with the mean m and the c first principal
components P [r r k, c] of the blocks of the teaching views:

    code_v = (y_v - m) P

Of a vector or a class, y [K] being the label of a sample: (y - m) P with at most h w c components,
repeated until all h w c numbers are filled; of a sample of several views each view has the code of
its sample. Codes are standardised and rounded as those of all sources, and read by the closed form
(first order). "Best" is meant for readouts that are linear up to random features, and for squared
errors: another code of that size may please a class's or a segment's own loss a little more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TextIO, TypedDict

import numpy as np

from models.examples.label_store import LabelStore
from models.examples.task_samples import TaskSamples
from models.networks.config import NetworkConfig
from models.networks.sources.reduction import principal_components
from models.networks.task_networks.code_blocks import LIMIT, SMALLEST_DEVIATION
from models.networks.transfers.bench import Bench
from models.networks.transfers.closed_form.map_outputs import map_outputs
from models.networks.transfers.closed_form.maps import map_transfers
from models.networks.transfers.closed_form.vectors import vector_transfers
from models.networks.transfers.closed_form.view_kernels import GlobalKernel
from models.networks.transfers.regimes import Regime
from models.provenance.address import address_of
from models.provenance.seals import read_sealed_json, write_sealed_json
from models.tasks import TASKS
from models.tasks.addressing import rows_of, settings_of
from models.tasks.arrays import Array, Floats


class CeilingRow(TypedDict):
    """What the label's own code is worth as a source."""

    target: str
    channels: int
    # Mean test loss of the label's own code.
    loss: float
    # Share of test samples on which it beats the target's own network; ties count half.
    quality: float


@dataclass
class LabelBench:
    """A bench (`learners.BenchView`) whose sources are codes made of labels."""

    store: Any
    config: NetworkConfig
    grid: int
    out: TextIO
    # A source a target: split -> [view, grid, grid, c].
    codes: Mapping[str, Mapping[str, Floats]]

    def __post_init__(self) -> None:
        self.sources = list(self.codes)
        self.kernels: dict[int, GlobalKernel] = {}

    def maps(self, index: int, split: str) -> Floats:
        """Returns the codes [view, grid, grid, c] of source `index`, made of its labels."""
        return self.codes[self.sources[index]][split]

    def key(self, subset: tuple[int, ...], regime: Regime) -> str:
        return str([self.sources[i] for i in subset])


class SampleViews:
    """A label store that gives each sample of one target views of its own."""

    def __init__(self, store: LabelStore, target: str) -> None:
        self.store = store
        self.target = target

    def samples(self, name: str, split: str) -> TaskSamples:
        data = self.store.samples(name, split)
        rows = np.arange(len(data), dtype="int32")
        own = np.repeat(rows[:, None], data.views.shape[1], 1)
        return TaskSamples(own, data.target, data.mask)

    def views(self, split: str) -> list[str]:
        """Returns the key of each sample's first view."""
        keys = self.store.views(split)
        first = np.asarray(self.store.samples(self.target, split).views)[:, 0]
        return [keys[view] for view in first]


def ceilings(bench: Bench, targets: Iterable[str], channels: int) -> list[CeilingRow]:
    """Returns the ceiling of every target for codes of so many channels, with the largest amount of
    data; losses are kept beside the targets' ledgers.
    """
    regime = bench.regimes[-1]
    paths = {}
    ledger: dict[str, dict[str, Any] | None] = {}
    for name in targets:
        task = TASKS[name]
        own = address_of(
            (map_ceilings if task.output.dense else vector_ceiling),
            inputs=[
                bench.store.address(name),
                bench.store.views_address,
                [len(regime.views), regime.limit],
                bench.grid,
                channels,
            ],
            settings=(*settings_of(task), bench.config),
            choices=rows_of(task),
        )
        paths[name] = bench.ledgers[name].folder / f"ceiling-{channels}-{own}.json"
        ledger[name] = read_sealed_json(paths[name])
    lacking = [name for name in paths if ledger[name] is None]
    maps = [name for name in lacking if TASKS[name].output.dense]
    losses = map_ceilings(bench, regime, maps, channels) if maps else {}
    for name in lacking:
        if not TASKS[name].output.dense:
            losses[name] = vector_ceiling(bench, regime, name, channels)
    for name, values in losses.items():
        write_sealed_json(paths[name], {"losses": np.asarray(values, "float64").tolist()})
        ledger[name] = {"losses": values}
    rows: list[CeilingRow] = []
    for name, entry in ledger.items():
        values = np.asarray((entry or {})["losses"], "float32")
        wins = np.sign(bench.supervised(name) - values)
        quality = float((wins.mean() + 1) / 2)
        loss = float(values.mean())
        rows.append({"target": name, "channels": channels, "loss": loss, "quality": quality})
    return rows


def map_ceilings(
    bench: Bench, regime: Regime, names: Iterable[str], channels: int
) -> dict[str, Floats]:
    """Returns target -> losses [sample] of the readout of its own label's code."""
    codes = {name: map_codes(bench, name, channels) for name in names}
    labels = LabelBench(bench.store, bench.config, bench.grid, bench.out, codes)
    source_sets = {name: [(place,)] for place, name in enumerate(codes)}
    return {
        name: next(iter(losses.values()))
        for name, losses in map_transfers(labels, regime, source_sets)
    }


def map_codes(bench: Bench, name: str, channels: int) -> dict[str, Floats]:
    """Returns a map label's own code: split -> [view, grid, grid, channels]."""
    blocks = {}
    for split in dict.fromkeys((bench.config.transfer_split, "test")):
        count = len(bench.maps(0, split))
        flat = map_outputs(bench.store, name, split, np.arange(count), bench.grid, bench.config)
        blocks[split] = flat.reshape(count, bench.grid, bench.grid, -1)
    return label_codes(blocks, channels)


def vector_ceiling(bench: Bench, regime: Regime, name: str, channels: int) -> Floats:
    """Returns losses [sample] of the readout of a vector's or a class's own code."""
    store = SampleViews(bench.store, name)
    split = bench.config.transfer_split
    size = bench.grid**2 * channels
    labels: dict[str, Floats] = {}
    for part in dict.fromkeys((split, "test")):
        data = bench.store.samples(name, part)
        target, mask = (np.asarray(value, "float32") for value in data.labels(slice(None)))
        labels[part] = target * mask.reshape(len(mask), -1)[:, :1]
    width = min(size, labels[split].shape[-1])
    codes = {
        part: np.stack([np.resize(code, size) for code in value]).reshape(
            len(value), bench.grid, bench.grid, channels
        )
        for part, value in filled_codes(label_codes(labels, width)).items()
    }
    data = bench.store.samples(name, split)
    rows = regime.samples(data, bench.config.seed)
    alone = replace(regime, views=rows, held_out=regime.holds_out(data, rows))
    own = LabelBench(store, bench.config, bench.grid, bench.out, {name: codes})
    [(_, losses)] = vector_transfers(own, alone, {name: [(0,)]})
    return losses[0,]


def filled_codes(codes: Mapping[str, Floats]) -> Mapping[str, Floats]:
    """Returns the codes [view, grid, grid, c] by split, or ones for those of a label that never
    changes, since a kernel of zeros alone has no scale.
    """
    if any(value.any() for value in codes.values()):
        return codes
    return {split: np.ones_like(value) for split, value in codes.items()}


def label_codes(labels: Mapping[str, Array], channels: int) -> dict[str, Floats]:
    """Returns split -> [..., channels] principal components of labels [..., k], fitted on the first
    split, standardised by it and rounded as the representation store does.
    """
    first = next(iter(labels.values()))
    mean, components, _ = principal_components([first], channels)
    codes = {split: (value - mean) @ components for split, value in labels.items()}
    flat = next(iter(codes.values())).reshape(-1, channels)
    deviation = np.maximum(flat.std(0), SMALLEST_DEVIATION)
    return {
        split: np.clip(value / deviation, -LIMIT, LIMIT).astype("float16")
        for split, value in codes.items()
    }
