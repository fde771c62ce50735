"""Transfers into maps in closed form whose sources have codes of different widths, such as an
encoder from outside with 32 channels beside our networks' 8: the sums, solutions and losses of
`maps`, with each source's own number of features.

Apart from `maps`, so that transfers of sources of one width keep their addresses: one more source
measures none of them again.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from models.networks.architecture.readout_features import global_kernel
from models.networks.losses.block_layout import from_blocks
from models.networks.losses.block_losses import block_channels, sharpness
from models.networks.transfers.closed_form.kernel_ridge import sample_kernel
from models.networks.transfers.closed_form.map_outputs import known_cells
from models.networks.transfers.closed_form.maps import (
    JudgedViews,
    LocalFeatures,
    MapReadouts,
    local_moments,
)
from models.networks.transfers.closed_form.ridge import Moments
from models.networks.transfers.closed_form.sweep import part_by_part
from models.networks.transfers.closed_form.vectors import GlobalTarget
from models.networks.transfers.closed_form.view_kernels import (
    VectorBench,
    features_of,
    places_among,
    teaching_kernel,
    teaching_views,
    view_kernel,
)
from models.networks.transfers.equal_labels import first_with_equal_labels
from models.networks.transfers.learners import Bench, Losses, SourceSet, Wanted
from models.networks.transfers.regimes import Regime
from models.tasks import TASKS
from models.tasks.arrays import Array, Floats, Integers


class UnequalMoments(Moments):
    """`Moments` of sources with any number of features each, from the sums of others."""

    def __init__(self, summed: Moments) -> None:
        super().__init__(())
        vars(self).update(vars(summed))

    def of(self, subset: SourceSet, held_out: bool, columns: Integers) -> tuple[Floats, Floats]:
        """(Gram matrix [d + 1, d + 1] float64, cross moments [d + 1, columns] float32) of one group
        of rows, d the features of all sources of the set; the constant last.
        """
        gram = self.gram[held_out]
        cross = self.cross[held_out]
        starts = np.cumsum([0, *(gram[a, a].shape[0] - 1 for a in subset)])
        places = [slice(first, last) for first, last in zip(starts, starts[1:])]
        size = int(starts[-1]) + 1
        whole = np.empty((size, size))
        right = np.empty((size, len(columns)), "float32")
        for i, (a, rows) in enumerate(zip(subset, places)):
            for b, others in zip(subset[i:], places[i:]):
                whole[rows, others] = gram[a, b][:-1, :-1]
                whole[others, rows] = gram[a, b][:-1, :-1].T
            whole[rows, -1] = gram[a, a][:-1, -1]
            whole[-1, rows] = gram[a, a][:-1, -1]
            right[rows] = cross[a][:-1, columns]
        first = subset[0]
        whole[-1, -1] = gram[first, first][-1, -1]
        right[-1] = cross[first][-1, columns]
        return whole, right


class UnequalReadouts(MapReadouts):
    """`MapReadouts` of sets of sources of different widths."""

    def __init__(
        self,
        bench: Bench,
        regime: Regime,
        solved: Mapping[SourceSet, Sequence[str]],
        names: Sequence[str],
    ) -> None:
        super().__init__(bench, regime, solved, names)
        self.moments = UnequalMoments(self.moments)


def unequal_map_transfers(
    bench: Bench, regime: Regime, wanted: Wanted
) -> Iterator[tuple[str, Losses]]:
    """(target, losses) of map targets, as `maps.map_transfers` gives them for sources of one width.
    Targets that lack labels in the same cells share their sums; those with equal labels are solved
    once.
    """
    split = bench.config.transfer_split
    sharing: dict[bytes, list[str]] = {}
    for name, subsets in wanted.items():
        if subsets:
            cells = known_cells(bench.store, name, split, regime.views, bench.grid)
            sharing.setdefault(cells.tobytes(), []).append(name)
    for names in sharing.values():
        first = first_with_equal_labels(bench.store, names, split)
        solved: dict[SourceSet, list[str]] = {}
        for name in names:
            for subset in wanted[name]:
                if first[name] not in solved.setdefault(subset, []):
                    solved[subset].append(first[name])
        readouts = UnequalReadouts(bench, regime, solved, list(dict.fromkeys(first.values())))
        parts = [functools.partial(JudgedViews, readouts, seen) for seen in readouts.parts()]
        into = f"{len(names)} map targets, with sources of other widths"
        for asked, losses in part_by_part(bench, list(solved), readouts.weights, parts, into):
            for name in (name for name in names if first[name] == asked):
                own = {subset: losses[subset] for subset in wanted[name] if subset in losses}
                if own:
                    yield name, own


def unequal_map_answers(
    bench: Bench, regime: Regime, target: str, subset: SourceSet, views: Integers
) -> Floats:
    """[view, S, S, k] answers to `views` of the transfer split (`edge_readout.map_answers`)."""
    features = LocalFeatures(bench)
    weights = solved_weights(bench, regime, target, subset, features)
    seen = [features(source, bench.config.transfer_split, views) for source in subset]
    together = np.concatenate([*(part[:, :-1] for part in seen), seen[0][:, -1:]], 1)
    task = TASKS[target]
    blocks = together @ weights
    maps = from_blocks(blocks, bench.grid, block_channels(task), bench.config.output_stride)
    return maps * sharpness(task)


def solved_weights(
    bench: Bench, regime: Regime, target: str, subset: SourceSet, features: LocalFeatures
) -> Floats:
    """[d + 1, outputs] of one set of sources into one map target."""
    moments, parts = local_moments(bench, regime, [subset], [target], features)
    return UnequalMoments(moments).solve(subset, bench.config.ridges, parts)[0]


def unequal_arrays(
    bench: VectorBench, regime: Regime, target: str, subset: SourceSet
) -> dict[str, Array]:
    """what `readout_layers` take of one solved transfer beside the sources' scales and widths:
    random features under the width of the codes that they read, teaching features under the
    source's place.
    """
    shapes = [bench.maps(i, "test").shape[1:] for i in subset]
    config = bench.config
    if TASKS[target].output.dense:
        features = LocalFeatures(bench)
        local: dict[str, Array] = {
            "weights": solved_weights(bench, regime, target, subset, features)
        }
        for *_, width in shapes:
            local[f"kernel_{width}"], local[f"bias_{width}"] = features.kernel(width)
        return local
    solved = GlobalTarget(bench, target, regime)
    used = teaching_views(bench, len(subset), solved.views)
    places = places_among(solved.views, used)
    fit = solved.fit(sample_kernel(teaching_kernel(bench, subset, used), places, places))
    arrays: dict[str, Array] = {
        "scale": np.array([view_kernel(bench, i, used).scale for i in subset], "float32"),
        "views": places,
        "dual": fit.dual,
        "constant": fit.mean,
    }
    for place, (index, shape) in enumerate(zip(subset, shapes)):
        size = int(np.prod(shape))
        arrays[f"kernel_{shape[-1]}"] = global_kernel(size, config.random_features, config.seed)
        arrays[f"teach_{place}"] = features_of(bench, index, config.transfer_split, used)
    return arrays
