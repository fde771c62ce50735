"""Transfers into maps in closed form: all wanted sets of sources into all targets, from one pass
over the teaching images.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from models.networks.architecture.readout_features import (
    local_kernel,
    local_parts,
    neighbourhoods,
)
from models.networks.losses.block_losses import Judge, block_channels
from models.networks.transfers.closed_form.map_outputs import (
    block_width,
    class_shifts,
    known_cells,
    map_outputs,
    on_diagonal,
)
from models.networks.transfers.closed_form.ridge import Moments, predict
from models.networks.transfers.closed_form.sweep import part_by_part, some_at_a_time
from models.networks.transfers.equal_labels import first_with_equal_labels
from models.networks.transfers.learners import BenchView, Losses, SetsByTarget, SourceSet
from models.networks.transfers.regimes import Regime
from models.tasks import TASKS
from models.tasks.arrays import Floats, Integers

CHUNK = 256  # teaching views whose features are in memory at once
ALL_VIEWS = slice(None)


class LocalFeatures:
    """Features of sources' maps; random ones with one kernel for every source of equal width."""

    def __init__(self, bench: BenchView) -> None:
        self.bench = bench
        self.kernels: dict[int, tuple[Floats, Floats]] = {}

    def kernel(self, channels: int) -> tuple[Floats, Floats]:
        """Returns the weights [9 channels, f] and biases [f] of `local_kernel` for sources of so
        many channels.
        """
        if channels not in self.kernels:
            config = self.bench.config
            self.kernels[channels] = local_kernel(channels, config.random_features, config.seed)
        return self.kernels[channels]

    def __call__(self, index: int, split: str, views: Integers | slice = ALL_VIEWS) -> Floats:
        """Features of a source, numbered as `Bench.maps` does: [views cells, d + 1] float32, of
        which the last column is the constant 1.
        """
        maps = self.bench.maps(index, split)[views]
        return local_features(maps, *self.kernel(maps.shape[-1]))


def local_features(maps: Floats, kernel: Floats, bias: Floats) -> Floats:
    """[n, h, w, c] -> [n h w, 9 c + features + 1] float32; the last column is the constant 1."""
    near = neighbourhoods(np.asarray(maps, "float32"), np)
    near = near.reshape(-1, near.shape[-1])
    ones = np.ones((len(near), 1), "float32")
    return np.concatenate([*local_parts(near, kernel, bias, np), ones], axis=1)


def local_moments(
    bench: BenchView,
    regime: Regime,
    subsets: Iterable[SourceSet],
    names: Sequence[str],
    features: LocalFeatures,
) -> tuple[Moments, dict[str, slice]]:
    """(sums over the teaching cells of a regime that have a label, target -> columns of its
    outputs). names: targets whose labels lack in the same cells.

    Raises LookupError if no cell has a label.
    """
    split = bench.config.transfer_split
    shifts = {name: class_shifts(bench.store, name, split, regime.views) for name in names}
    moments = Moments(subsets)
    for held_out in (False, True):
        views = regime.views[regime.held_out == held_out]
        for i in range(0, len(views), CHUNK):
            chunk = views[i : i + CHUNK]
            # all names share their cells (`map_transfers`)
            labelled = known_cells(bench.store, names[0], split, chunk, bench.grid)
            outputs = [shifted_outputs(bench, name, chunk, shifts[name]) for name in names]
            rows = {source: features(source, split, chunk)[labelled] for source in moments.sources}
            moments.add(rows, np.concatenate(outputs, 1)[labelled], held_out)
    if not any(moments.rows):
        raise LookupError(
            f"all labels of {', '.join(names)} are masked or missing in the "
            f"{len(regime.views)} teaching views of {split}; leave the target out"
        )
    columns = columns_of(bench, names)
    judged = [
        on_diagonal(part.stop - part.start, block_channels(TASKS[name]))
        for name, part in columns.items()
    ]
    moments.judged = np.concatenate(judged)
    return moments, columns


def shifted_outputs(bench: BenchView, name: str, views: Integers, shift: Floats) -> Floats:
    """Returns `map_outputs` of teaching views [n], shifted by `class_shifts` [channels] on every
    pixel.
    """
    split = bench.config.transfer_split
    outputs = map_outputs(bench.store, name, split, views, bench.grid, bench.config)
    # a block is its pixels one behind the other, each with all channels
    outputs += np.tile(shift, outputs.shape[1] // len(shift))
    return outputs


def columns_of(bench: BenchView, names: Iterable[str]) -> dict[str, slice]:
    """Returns target -> its columns, of outputs side by side."""
    columns = {}
    start = 0
    for name in names:
        width = block_width(
            bench.store,
            name,
            bench.config.transfer_split,
            bench.grid,
            bench.config.output_stride,
        )
        columns[name] = slice(start, start + width)
        start += width
    return columns


def map_transfers(
    bench: BenchView, regime: Regime, source_sets: SetsByTarget
) -> Iterator[tuple[str, Losses]]:
    """Yields (target, losses) of map targets. Targets whose labels lack in the same cells (all of
    them, in data without holes) share their sums.
    """
    split = bench.config.transfer_split
    sharing: dict[bytes, list[str]] = {}
    for name in source_sets:
        cells = known_cells(bench.store, name, split, regime.views, bench.grid)
        # the pattern itself is the key: equal holes, equal sums of features
        sharing.setdefault(cells.tobytes(), []).append(name)
    for names in sharing.values():
        yield from transfers_with_equal_cells(
            bench, regime, {name: source_sets[name] for name in names}
        )


def transfers_with_equal_cells(
    bench: BenchView, regime: Regime, source_sets: SetsByTarget
) -> Iterator[tuple[str, Losses]]:
    """Yields (target, losses) of targets that lack the same cells: Gram blocks between sources, one
    factor a subset and ridge, all targets side by side. Targets with equal labels are solved once.
    """
    targets: dict[SourceSet, list[str]] = {}
    for name, subsets in source_sets.items():
        for subset in subsets:
            targets.setdefault(subset, []).append(name)
    if not targets:
        return
    first = first_with_equal_labels(bench.store, source_sets, bench.config.transfer_split)
    solved = {
        subset: list(dict.fromkeys(first[name] for name in names))
        for subset, names in targets.items()
    }
    readouts = MapReadouts(bench, regime, solved, list(dict.fromkeys(first.values())))
    parts = [functools.partial(JudgedViews, readouts, window) for window in readouts.parts()]
    into = f"{len(source_sets)} map targets"
    for representative, losses in part_by_part(bench, list(targets), readouts.weights, parts, into):
        for name in (name for name in source_sets if first[name] == representative):
            own = {subset: losses[subset] for subset in losses if name in targets[subset]}
            if own:
                yield name, own


class MapReadouts:
    """Readouts of sets of sources into map targets that lack the same cells. Several threads may
    ask at a time.

    solved: set of sources -> targets to solve; names: all of these targets.
    """

    def __init__(
        self,
        bench: BenchView,
        regime: Regime,
        solved: Mapping[SourceSet, Sequence[str]],
        names: Sequence[str],
    ) -> None:
        self.bench = bench
        self.features = LocalFeatures(bench)
        self.solved = solved
        self.names = names
        self.ridges = bench.config.ridges
        self.cells = bench.grid**2
        self.moments, self.columns = local_moments(bench, regime, solved, names, self.features)

    def columns_of(self, subset: SourceSet) -> dict[str, slice]:
        """Returns target -> its columns of all outputs, of the targets that these sources are
        solved for.
        """
        return {name: self.columns[name] for name in self.solved[subset]}

    def weights(self, subset: SourceSet) -> Floats:
        """Returns weights [d + 1, outputs], as `Moments.solve` does."""
        return self.moments.solve(subset, self.ridges, self.columns_of(subset))[0]

    def widths(self) -> tuple[int, int, int]:
        """(features of all sources, of the widest set of sources, outputs of all targets): numbers
        a cell.
        """
        width = {source: gram_width(self.moments, source) for source in self.moments.sources}
        widest = max(sum(width[source] for source in subset) for subset in self.solved)
        return sum(width.values()), widest, max(part.stop for part in self.columns.values())

    def parts(self) -> list[range]:
        """Returns the test views that are held at a time: their features, the room of every thread,
        and labels as `Judge` lays them out.
        """
        features, widest, outputs = self.widths()
        threads = self.bench.config.trainers
        cells = 4 * self.cells * (features + threads * (widest + outputs))
        labels = sum(Judge.bytes_a_view(self.bench.store, name) for name in self.names)
        return some_at_a_time(len(self.bench.maps(0, "test")), cells + labels)


def gram_width(moments: Moments, source: int) -> int:
    """Returns the number of features of one source, the constant included."""
    # one of the two groups of rows may be empty
    return next(gram[source, source].shape[0] for gram in moments.gram if (source, source) in gram)


class JudgedViews:
    """Some test views, `window`, on which the weights of `MapReadouts` are judged. Several threads
    may ask at a time.
    """

    def __init__(self, readouts: MapReadouts, window: range) -> None:
        bench = readouts.bench
        views = slice(window.start, window.stop)
        self.readouts = readouts
        self.unseen = {
            source: readouts.features(source, "test", views) for source in readouts.moments.sources
        }
        self.judges = {
            name: Judge(bench.store, name, bench.grid, bench.config.output_stride, window)
            for name in readouts.names
        }
        self.room = threading.local()

    def __call__(self, subset: SourceSet, weights: Floats) -> dict[str, Floats]:
        """Returns target -> losses [sample] float32 of the readout of these sources."""
        columns = self.readouts.columns_of(subset)
        matrix, answers = self.space(*weights.shape)
        predict([self.unseen[source] for source in subset], weights, matrix, answers)
        blocks = answers.reshape(-1, self.readouts.cells, weights.shape[1])
        # weights hold the columns of these targets alone, side by side in this order
        starts = np.cumsum([0, *(part.stop - part.start for part in columns.values())])
        return {name: self.judges[name](blocks, start) for name, start in zip(columns, starts)}

    def space(self, features: int, outputs: int) -> tuple[Floats, Floats]:
        """Returns this thread's room for features [test cells, features] and answers [test cells,
        outputs].

        Kept: fresh memory for the answers costs as much as computing them.
        """
        rows = len(next(iter(self.unseen.values())))
        if not hasattr(self.room, "answers"):
            # as much as any set needs: whatever is asked next fits
            _, widest, most = self.readouts.widths()
            self.room.matrix = np.empty(rows * widest, "float32")
            self.room.answers = np.empty(rows * most, "float32")
        matrix = self.room.matrix[: rows * features].reshape(rows, features)
        answers = self.room.answers[: rows * outputs].reshape(rows, outputs)
        return matrix, answers
