"""One edge of a policy by both learners, compared on held-out samples that neither has seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import keras
import numpy as np

from models.networks.architecture.smoothing import smooth_maps, smoothing_matrix
from models.networks.losses.losses import image_losses
from models.networks.task_networks.at_once import samples_at_once
from models.networks.task_networks.representations import RepresentationStore
from models.networks.transfers.closed_form.edge_readout import (
    held_out_loss,
    map_answers,
    teaching_regime,
)
from models.networks.transfers.closed_form.view_kernels import VectorBench
from models.networks.transfers.gradient.alone import try_transfer
from models.networks.transfers.gradient.learner import GradientBench
from models.networks.transfers.gradient.schedule import schedule_of
from models.networks.transfers.learners import BenchView, SourceSet
from models.networks.transfers.regimes import Regime
from models.tasks import TASKS, building_of
from models.tasks.arrays import Bools, Floats, Integers

# Deviations of the Gaussian that a map's answer may be smoothed by, as shares of its side.
WIDTHS = (0.0, 1 / 64, 1 / 32, 1 / 16, 3 / 32, 1 / 8, 3 / 16)
BATCH = 64  # samples that are answered at once, at most


class EdgeBench(VectorBench, GradientBench, Protocol):
    """A bench for both learners."""

    @property
    def representations(self) -> RepresentationStore: ...

    @property
    def regimes(self) -> list[Regime]: ...

    def names(self, subset: SourceSet) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Comparison:
    """How both learners of one edge did. losses: learner -> mean loss on held-out samples, of which
    each half judges what the other has chosen; smoothing: learner -> the width of `Smoothed` with
    which it did best, of a map's answer; epochs: of gradient training, after which it did best.
    """

    losses: dict[str, float]
    smoothing: dict[str, float]
    epochs: int


def compare_learners(
    bench: EdgeBench, subset: SourceSet, target: str, regime: Regime
) -> Comparison:
    """Fits both learners to the teaching samples. Either half of the held-out samples chooses the
    gradient's epoch, and how far a map is smoothed, for the other half to judge, so that all of
    them compare the learners. Test samples take no part.
    """
    teaching, held_out = teaching_and_held_out(bench, target, regime)
    first = in_first_half(bench, target, held_out)
    schedule = schedule_of(bench.config, target, bench.config.edge_epochs)
    trial = try_transfer(bench, subset, target, (teaching, held_out), first, schedule)
    if not TASKS[target].output.dense:
        solved = held_out_loss(bench, regime, target, subset, (teaching, held_out))
        own = float(judged_by_other_half(trial.losses, first).mean())
        return Comparison({"closed_form": solved, "gradient": own}, {}, trial.epochs)
    closed = losses_by_width(
        bench, target, held_out, solved_maps(bench, regime, target, subset, held_out)
    )
    learned = [
        losses_by_width(bench, target, held_out, answer_maps(bench, target, subset, held_out, head))
        for head in trial.heads
    ]
    losses: dict[str, float] = {}
    smoothing: dict[str, float] = {}
    # [half, width, row]: with what that half chose
    for learner, tables in (("closed_form", [closed, closed]), ("gradient", learned)):
        widths = [
            int(table[:, half].mean(1).argmin()) for table, half in zip(tables, (first, ~first))
        ]
        judged = np.stack([table[width] for table, width in zip(tables, widths)])
        losses[learner] = float(judged_by_other_half(judged, first).mean())
        smoothing[learner] = WIDTHS[
            int(judged_by_other_half(np.stack(tables), first).mean(-1).argmin())
        ]
    return Comparison(losses, smoothing, trial.epochs)


def judged_by_other_half(losses: Floats, first: Bools) -> Floats:
    """Returns [..., row]: of each sample what the half that it is not in has chosen. losses: [half,
    ..., row]; first: [row], the samples of the first half.
    """
    return np.where(first, losses[1], losses[0])


def solved_maps(
    bench: EdgeBench, regime: Regime, target: str, subset: SourceSet, rows: Integers
) -> Floats:
    """Returns answers [row, S, S, k] in closed form, fitted to the teaching views alone."""
    data = bench.store.samples(target, bench.config.transfer_split)
    views = np.asarray(data.views)[rows, 0]
    return map_answers(bench, teaching_regime(bench, regime), target, subset, views)


def answer_maps(
    bench: EdgeBench, target: str, subset: SourceSet, rows: Integers, head: keras.Model
) -> Floats:
    """Returns a head's answers [row, S, S, k] to samples of the transfer split."""
    split = bench.config.transfer_split
    views = np.asarray(bench.store.samples(target, split).views)[rows, 0]
    maps = [bench.maps(i, split) for i in subset]
    # what is answered is as large as the pictures
    step = samples_at_once((len(views), bench.store.size, bench.store.size, 1), BATCH)
    parts = [
        np.concatenate([np.asarray(each[some], "float32") for each in maps], -1)
        for some in (views[i : i + step] for i in range(0, len(views), step))
    ]
    return np.concatenate([keras.ops.convert_to_numpy(head(part)) for part in parts])


def losses_by_width(bench: EdgeBench, target: str, rows: Integers, answer: Floats) -> Floats:
    """Returns losses [width of WIDTHS, row] of a map smoothed by each width. answer: [row, S, S,
    k].
    """
    data = bench.store.samples(target, bench.config.transfer_split)
    labels, mask = (np.asarray(part, "float32") for part in data.labels(rows))
    loss = TASKS[target].loss
    table = np.zeros((len(WIDTHS), len(rows)), "float32")
    for i, width in enumerate(WIDTHS):
        matrix = smoothing_matrix(answer.shape[1], width)
        for start in range(0, len(rows), BATCH):
            part = slice(start, start + BATCH)
            maps = keras.ops.convert_to_numpy(smooth_maps(answer[part], matrix))
            table[i, part] = image_losses(loss, labels[part], mask[part], maps)
    return table


def teaching_and_held_out(
    bench: BenchView, target: str, regime: Regime
) -> tuple[Integers, Integers]:
    """Returns (rows that teach [n], rows held out [m]) of the target's samples in the transfer
    split, as the regime's views are divided.
    """
    data = bench.store.samples(target, bench.config.transfer_split)
    rows = regime.samples(data, bench.config.seed)
    held_out = regime.holds_out(data, rows)
    return rows[~held_out], rows[held_out]


def in_first_half(bench: BenchView, target: str, held_out: Integers) -> Bools:
    """Returns [held_out] bool, the first half of the held-out samples: whole buildings (of a
    sample's first view), every second by name; of one building, every second sample.
    """
    keys = bench.store.views(bench.config.transfer_split)
    data = bench.store.samples(target, bench.config.transfer_split)
    buildings = [building_of(keys[view]) for view in np.asarray(data.views)[held_out, 0]]
    names = sorted(set(buildings))
    if len(names) > 1:
        return np.isin(buildings, names[::2])
    return np.arange(len(held_out)) % 2 == 0
