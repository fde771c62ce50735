"""One edge of a policy by both learners, compared on held-out samples that neither has seen."""

from __future__ import annotations

from typing import Protocol

import keras
import numpy as np

from models.networks.task_networks.representations import RepresentationStore
from models.networks.transfers.closed_form.edge_readout import held_out_loss
from models.networks.transfers.closed_form.vectors import VectorBench
from models.networks.transfers.gradient.learner import GradientBench, member_head
from models.networks.transfers.gradient.schedule import schedule_of
from models.networks.transfers.learners import Bench, SourceSet
from models.networks.transfers.regimes import Regime
from models.tasks.arrays import Bools, Integers


class EdgeBench(VectorBench, GradientBench, Protocol):
    """A bench for both learners."""

    @property
    def representations(self) -> RepresentationStore: ...

    @property
    def regimes(self) -> list[Regime]: ...

    def names(self, subset: SourceSet) -> tuple[str, ...]: ...


def compared(
    bench: EdgeBench, subset: SourceSet, target: str, regime: Regime
) -> tuple[keras.Model, dict[str, float]]:
    """(the head trained by gradient, learner -> mean loss on held-out samples that neither learner
    has seen). Both learners are fitted to the teaching samples; `stopping` samples choose the
    gradient's epoch, the others compare. Test samples take no part.
    """
    teaching, held_out = fitting(bench, target, regime)
    stops = stopping(bench, target, held_out)
    judging = held_out[~stops]
    schedule = schedule_of(bench.config, target, bench.config.edge_epochs)
    head, own = member_head(bench, subset, target, (teaching, held_out[stops], judging), schedule)
    solved = held_out_loss(bench, regime, target, subset, (teaching, judging))
    return head, {"closed_form": solved, "gradient": own}


def fitting(bench: Bench, target: str, regime: Regime) -> tuple[Integers, Integers]:
    """(rows that teach, rows held out) of the target's samples in the transfer split, as the
    regime's views are divided.
    """
    data = bench.store.samples(target, bench.config.transfer_split)
    rows = regime.samples(data, bench.config.seed)
    held_out = regime.holds_out(data, rows)
    return rows[~held_out], rows[held_out]


def stopping(bench: Bench, target: str, held_out: Integers) -> Bools:
    """[held_out] bool: the half of the held-out samples that chooses the gradient's epoch: whole
    buildings (of a sample's first view), every second by name; of one building, every second
    sample.
    """
    keys = bench.store.views(bench.config.transfer_split)
    data = bench.store.samples(target, bench.config.transfer_split)
    buildings = [str(keys[view]).split("/")[0] for view in np.asarray(data.views)[held_out, 0]]
    names = sorted(set(buildings))
    if len(names) > 1:
        return np.isin(buildings, names[::2])
    return np.arange(len(held_out)) % 2 == 0
