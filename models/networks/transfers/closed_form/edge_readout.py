"""One edge by the learner that solves linear systems; sweeps stand in `maps` and `vectors`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.networks.architecture.readout_features import global_kernel
from models.networks.losses.block_layout import from_blocks
from models.networks.losses.block_losses import block_channels, sample_losses, sharpness
from models.networks.transfers.closed_form.kernel_ridge import sample_kernel
from models.networks.transfers.closed_form.maps import (
    LocalFeatures,
    local_moments,
)
from models.networks.transfers.closed_form.vectors import GlobalTarget
from models.networks.transfers.closed_form.view_kernels import (
    VectorBench,
    features_of,
    places_among,
    teaching_kernel,
    teaching_views,
    view_kernel,
)
from models.networks.transfers.learners import SourceSet
from models.networks.transfers.regimes import Regime, last_buildings
from models.tasks import TASKS
from models.tasks.arrays import Array, Floats, Integers


def held_out_loss(
    bench: VectorBench,
    regime: Regime,
    target: str,
    subset: SourceSet,
    rows: tuple[Integers, Integers],
) -> float:
    """Returns the mean loss of one transfer into vectors or classes on samples that it was not
    fitted to. rows: samples of the transfer split (that teach [n], that judge [m]).
    """
    teaching, judging = rows
    data = bench.store.samples(target, bench.config.transfer_split)
    labels, mask = (np.asarray(part, "float32") for part in data.labels(judging))
    views = np.asarray(data.views)[judging]
    loss = TASKS[target].loss
    answer = vector_answers(bench, regime, target, subset, teaching, views)
    return float(sample_losses(loss, labels, mask, answer).mean())


def teaching_regime(bench: VectorBench, regime: Regime) -> Regime:
    """Returns the views of a regime that teach, as a regime of their own, which holds out some of
    them.
    """
    keys = bench.store.views(bench.config.transfer_split)
    views = regime.views[~regime.held_out]
    return replace(regime, views=views, held_out=last_buildings([keys[i] for i in views]))


def map_answers(
    bench: VectorBench, regime: Regime, target: str, subset: SourceSet, views: Integers
) -> Floats:
    """Returns answers [view, S, S, k] to `views` of the transfer split."""
    split = bench.config.transfer_split
    task = TASKS[target]
    features = LocalFeatures(bench)
    moments, parts = local_moments(bench, regime, [subset], [target], features)
    weights, _ = moments.solve(subset, bench.config.ridges, parts)
    columns = [features(source, split, views) for source in subset]
    # the constant stands once, last, however many the sources
    together = np.concatenate([*(part[:, :-1] for part in columns), columns[0][:, -1:]], 1)
    blocks = together @ weights
    maps = from_blocks(blocks, bench.grid, block_channels(task), bench.config.output_stride)
    return maps * sharpness(task)


def vector_answers(
    bench: VectorBench,
    regime: Regime,
    target: str,
    subset: SourceSet,
    teaching: Integers,
    views: Integers,
) -> Floats:
    """Returns answers [sample, K] to samples of the transfer split. teaching: rows that are fitted;
    views: [sample, images] of the samples to answer.
    """
    solved = GlobalTarget(bench, target, regime, rows=teaching)
    used = teaching_views(bench, len(subset), solved.views, views)
    kernel = teaching_kernel(bench, subset, used)
    teach = places_among(solved.views, used)
    fit = solved.fit(sample_kernel(kernel, teach, teach))
    return fit.predict(sample_kernel(kernel, places_among(views, used), teach))


def readout_arrays(
    bench: VectorBench,
    regime: Regime,
    target: str,
    subset: SourceSet,
    rows: Integers | None = None,
) -> dict[str, Array]:
    """Returns the arrays of one solved transfer that `readout_layers.LocalReadout` (maps) or
    `GlobalReadout` takes, beside the scales of the sources. rows: [n], samples of vectors and
    classes that teach in place of the regime's; of maps, all views of the regime do.
    """
    if TASKS[target].output.dense:
        return local_arrays(bench, regime, target, subset)
    return global_arrays(bench, regime, target, subset, rows)


def widths_of(bench: VectorBench, subset: SourceSet) -> list[int]:
    """Returns the channels of each source."""
    return [int(bench.maps(source, "test").shape[-1]) for source in subset]


def local_arrays(
    bench: VectorBench, regime: Regime, target: str, subset: SourceSet
) -> dict[str, Array]:
    """Returns the solved weights [d + 1, outputs] of one set of sources into one map target, and
    kernel_c, bias_c of the random features of every width c among them.
    """
    features = LocalFeatures(bench)
    moments, parts = local_moments(bench, regime, [subset], [target], features)
    weights, _ = moments.solve(subset, bench.config.ridges, parts)
    arrays: dict[str, Array] = {"weights": weights}
    for width in widths_of(bench, subset):
        arrays[f"kernel_{width}"], arrays[f"bias_{width}"] = features.kernel(width)
    return arrays


def global_arrays(
    bench: VectorBench,
    regime: Regime,
    target: str,
    subset: SourceSet,
    rows: Integers | None = None,
) -> dict[str, Array]:
    """Returns the solved kernel regression of one set of sources into one vector or class target:
    kernel_c of the random features of every width c among them, teach_i of each source. rows: [n],
    samples that teach in place of the regime's.
    """
    config = bench.config
    solved = GlobalTarget(bench, target, regime, rows)
    used = teaching_views(bench, len(subset), solved.views)
    places = places_among(solved.views, used)
    fit = solved.fit(sample_kernel(teaching_kernel(bench, subset, used), places, places))
    arrays: dict[str, Array] = {
        "scale": np.array([view_kernel(bench, i, used).scale for i in subset], "float32"),
        "views": places,
        "dual": fit.dual,
        "constant": fit.mean,
    }
    for place, (index, width) in enumerate(zip(subset, widths_of(bench, subset))):
        size = bench.grid**2 * width
        arrays[f"kernel_{width}"] = global_kernel(size, config.random_features, config.seed)
        arrays[f"teach_{place}"] = features_of(bench, index, config.transfer_split, used)
    return arrays
