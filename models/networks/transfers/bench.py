"""What all transfers share: sources, amounts of data, ledgers, and which of them are wanted."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TextIO, cast

import numpy as np

from models.examples.label_store import LabelStore
from models.examples.lazy_rows import LazyRows
from models.networks.architecture.pixel_readout import CHANNELS, UNIT
from models.networks.config import NetworkConfig
from models.networks.task_networks.records import read_record
from models.networks.task_networks.representations import RepresentationStore
from models.networks.training.averages import Known, average_losses
from models.networks.transfers.closed_form.view_kernels import GlobalKernel
from models.networks.transfers.gradient.programs import StackPrograms
from models.networks.transfers.learners import SourceSet
from models.networks.transfers.ledger import TransferLedger, key_of
from models.networks.transfers.regimes import Regime, labelled_rows, regimes_of, teaching_rows
from models.provenance.address import address_of
from models.tasks import TASKS
from models.tasks.addressing import rows_of, settings_of
from models.tasks.arrays import Array, Bytes, Floats

# Target -> sets of sources that are worth measuring, as names.
SourceNamesByTarget = Mapping[str, Collection[tuple[str, ...]]]
PIXELS = "pixels"
AVERAGE = "average"
# Pictures that are averaged at a time.
CHUNK = 256


class Bench:
    """The sources, the regimes, the ledger of each target, and which transfers are wanted.

    ledgers: target -> where its losses are kept; empty where one edge alone is asked for. programs:
    what the gradient learner compiled, kept from target to target.
    """

    def __init__(
        self,
        store: LabelStore,
        representations: RepresentationStore,
        networks: str | Path,
        config: NetworkConfig,
        ledgers: Mapping[str, TransferLedger] | None = None,
        candidates: SourceNamesByTarget | None = None,
        programs: StackPrograms | None = None,
        out: TextIO = sys.stderr,
    ) -> None:
        self.store = store
        self.representations = representations
        self.networks = Path(networks)
        self.config = config
        self.ledgers = dict(ledgers or {})
        self.wanted = {
            # in which order sources are named does not matter
            name: {tuple(sorted(sources)) for sources in sets}
            for name, sets in (candidates or {}).items()
        }
        self.sources = representations.sources
        self.regimes = regimes_of(store, config)
        self.grid = int(representations.read(self.sources[0], "test").shape[1])
        self.fresh = 0  # transfers measured now, not taken from a ledger
        # of the last teaching views (`view_kernels.VectorBench`)
        self.kernels: dict[int, GlobalKernel] = {}
        self.programs = programs or StackPrograms(config, store.size)
        self.out = out  # progress

    @property
    def pixels(self) -> SourceSet:
        """Returns the set that stands for raw pixels in place of a representation."""
        return (len(self.sources),)

    def maps(self, index: int, split: str) -> Floats:
        """Returns the standardised representation of source `index`, [view, grid, grid, c] float16
        from its file: whoever takes some views reads no others; one past the last is raw pixels,
        averaged to the grid when they are taken.
        """
        if index < len(self.sources):
            return self.representations.read(self.sources[index], split)
        return cast(Floats, PixelMaps(self.store.images(split), self.grid))

    def width(self, index: int) -> int:
        """Returns the channels of a source."""
        return int(self.maps(index, "test").shape[-1])

    def names(self, subset: SourceSet) -> tuple[str, ...]:
        """Returns the sources' names, in the same order."""
        return tuple(self.sources[i] for i in subset)

    def wants(self, target: str, subset: SourceSet) -> bool:
        """Returns whether a transfer is to be measured."""
        return target not in self.wanted or tuple(sorted(self.names(subset))) in self.wanted[target]

    def teaches(self, regime: Regime, target: str) -> bool:
        """Returns whether two samples of a regime or more have a label of the target that is not
        masked.
        """
        data = self.store.samples(target, self.config.transfer_split)
        return len(labelled_rows(data, regime.samples(data, self.config.seed))) > 1

    def key(self, subset: SourceSet, regime: Regime) -> str:
        """Returns the key of a row in the ledger: the sources' networks and the amount of data."""
        amount = amount_of(regime)
        if subset == self.pixels:
            return key_of([(PIXELS, str(self.grid))], regime.name, amount, control=PIXELS)
        sources = [(name, self.representations.address(name)) for name in self.names(subset)]
        return key_of(sources, regime.name, amount)

    def losses(self, target: str, subset: SourceSet, regime: Regime) -> Floats:
        """Returns the losses [test sample] of a transfer that was measured."""
        return self.ledgers[target][self.key(subset, regime)]

    def keep(self, target: str, rows: Mapping[SourceSet, Floats], regime: Regime) -> None:
        """Adds rows that were measured, losses [test sample] each, to the target's ledger."""
        keyed = {self.key(subset, regime): losses for subset, losses in rows.items()}
        self.ledgers[target].extend(keyed)
        self.fresh += sum(subset != self.pixels for subset in rows)

    def lacking(self, target: str, subsets: Sequence[SourceSet], regime: Regime) -> list[SourceSet]:
        """Returns those sets that the target's ledger lacks."""
        ledger = self.ledgers[target]
        return [subset for subset in subsets if self.key(subset, regime) not in ledger]

    def ranked(self, target: str, subsets: Sequence[SourceSet], regime: Regime) -> list[int]:
        """Returns sources by the mean loss of their first-order transfer, best first."""
        singles = [subset for subset in subsets if len(subset) == 1 and subset != self.pixels]
        means = {subset[0]: float(self.losses(target, subset, regime).mean()) for subset in singles}
        return sorted(means, key=means.__getitem__)

    def supervised(self, name: str) -> Floats:
        """Returns the losses [test sample] of the target's own network on the same test samples."""
        return np.asarray(np.load(self.networks / name / "test_losses.npy"))

    def average(self, name: str, regime: Regime) -> Floats:
        """Returns the losses [test sample] of the constant that a regime's labels give, on the same
        test samples; kept in the target's ledger, since a new source changes nothing about them.
        """
        task, ledger = TASKS[name], self.ledgers[name]
        own = address_of(
            (average_losses, teaching_rows),
            settings=(*settings_of(task), self.config),
            choices=rows_of(task),
        )
        key = key_of([], regime.name, amount_of(regime), control=AVERAGE, own=own)
        if key not in ledger:
            rows = np.concatenate(teaching_rows(self.store, regime, name, self.config))
            labels = Known(self.config.transfer_split, np.sort(rows))
            ledger.extend({key: average_losses(task, self.store, known=labels)})
        return ledger[key]

    def address(
        self, name: str, rows: Sequence[tuple[SourceSet, Regime]], controls: Sequence[str]
    ) -> str:
        """Returns the address of everything that is recorded about one target. controls: addresses
        of its networks from scratch.
        """
        network = read_record(self.networks / name)
        keys = sorted(self.key(subset, regime) for subset, regime in rows)
        content = [network["address"], self.ledgers[name].folder.name, keys, sorted(controls)]
        text = json.dumps(content)
        return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def amount_of(regime: Regime) -> str:
    """Returns how many views the split really gave, and how many were asked for, as text."""
    return json.dumps([len(regime.views), regime.limit])


class PixelMaps(LazyRows):
    """`pixel_map` of those pictures of a split that are taken."""

    def __init__(self, images: Bytes, grid: int) -> None:
        super().__init__(len(images), (grid, grid, CHANNELS), "float32", self.cells)
        self.images = images
        self.grid = grid

    def cells(self, i: int) -> Floats:
        """Returns the cells [grid, grid, 12] of one picture."""
        return pixel_map(self.images[i : i + 1], self.grid)[0]


def pixel_map(images: Bytes, grid: int) -> Floats:
    """Averages uint8 [n, S, S, 3] to float32 [n, grid, grid, 12]: each cell's four quarters' mean
    colours, about unit variance. Some hundred pictures are held at a time.
    """
    cells = np.empty((len(images), grid, grid, CHANNELS), "float32")
    for start in range(0, len(images), CHUNK):
        cells[start : start + CHUNK] = pixel_cells(images[start : start + CHUNK], grid)
    return cells


def pixel_cells(images: Array, grid: int) -> Floats:
    """Returns the `pixel_map` [n, grid, grid, 12] float32 of pictures [n, S, S, 3] that are held at
    once.
    """
    n, side = images.shape[:2]
    half = side // (2 * grid)
    cells = images.reshape(n, grid, 2, half, grid, 2, half, 3).astype("float32")
    quarters = cells.mean((3, 6)).transpose(0, 1, 3, 2, 4, 5)
    return np.asarray((quarters.reshape(n, grid, grid, CHANNELS) - 127.5) / UNIT, "float32")
