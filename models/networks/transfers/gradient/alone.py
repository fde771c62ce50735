"""One transfer trained by gradient alone, for an edge that is served: tried with buildings held
out, then trained again on all samples of its regime.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import keras
import numpy as np

from models.networks.transfers.gradient.best_weights import BestWeights
from models.networks.transfers.gradient.channel_blocks import of_one_width
from models.networks.transfers.gradient.learner import (
    GradientBench,
    build_stack,
    check_finite,
    constant_of,
    losses_of_members,
    sources_of,
    stack_devices,
    train_epoch,
)
from models.networks.transfers.gradient.member_stack import MemberStack
from models.networks.transfers.gradient.samples import Samples
from models.networks.transfers.gradient.schedule import Schedule
from models.networks.transfers.learners import SourceSet
from models.networks.transfers.regimes import Rows
from models.tasks.arrays import Bools, Floats, Integers


@dataclass(frozen=True)
class Trial:
    """A transfer that was trained once, with two halves of samples held out. Of each half the epoch
    of its least loss is kept, so that the other half judges what did not choose by it.
    """

    # As it was at the best epoch of the first half, and of the second.
    heads: tuple[keras.Model, keras.Model]
    # [half, held-out sample] float32: of these two heads.
    losses: Floats
    # Of the least mean loss on all held-out samples, from 1.
    epochs: int


def try_transfer(
    bench: GradientBench,
    subset: SourceSet,
    name: str,
    rows: Rows,
    first: Bools,
    schedule: Schedule,
) -> Trial:
    """Trains one transfer with two halves of samples held out. rows: samples that (teach, are held
    out); first: [held out], those of the first half. Raises Interrupted if the loss becomes no
    number.
    """
    teaching, held_out = rows
    maps, slots = of_one_width(bench.maps, np.array([subset]))
    with (
        bench.store.keeping(name, bench.config.transfer_split),
        stack_devices(bench.config, schedule, rows),
    ):
        samples = Samples(bench.store, maps, name, bench.config.transfer_split, sources_of(slots))
        stack = one_member(bench, name, samples, slots, schedule, teaching)
        rng = np.random.default_rng(bench.config.seed)
        best = [BestWeights(stack, 1, schedule.patience) for _ in range(2)]
        table: list[Floats] = []
        for epoch in range(schedule.epochs):
            stack.optimizer.learning_rate = schedule.rate_of(epoch)
            train_epoch(stack, samples, teaching[rng.permutation(len(teaching))], schedule.batch)
            table.append(losses_of_members(stack, samples, held_out)[:, 0])
            check_finite(table[-1].mean(keepdims=True), name, [bench.config.seed])
            halves = (table[-1][first], table[-1][~first])
            ended = [one.update(half.mean(keepdims=True)) for one, half in zip(best, halves)]
            if all(ended):
                break
        heads = []
        for one in best:
            one.restore()
            heads.append(head_of(stack))
    losses = np.stack([table[one.epoch[0] - 1] for one in best])
    return Trial((heads[0], heads[1]), losses, int(np.mean(table, 1).argmin()) + 1)


def train_transfer_alone(
    bench: GradientBench,
    subset: SourceSet,
    name: str,
    teaching: Integers,
    schedule: Schedule,
    epochs: int,
    share: float = 1.0,
) -> keras.Model:
    """Returns the head after so many of the schedule's epochs, as a trial has found them on a
    `share` of `teaching`: as many steps on all of it, with nothing held out, since more epochs
    would learn pairs of views by heart. Raises Interrupted if the loss became no number. teaching:
    [n] samples of the transfer split.
    """
    schedule = replace(schedule, epochs=max(1, round(schedule.epochs * share)))
    epochs = max(1, round(epochs * share))
    maps, slots = of_one_width(bench.maps, np.array([subset]))
    with (
        bench.store.keeping(name, bench.config.transfer_split),
        stack_devices(bench.config, schedule, (teaching, teaching)),
    ):
        samples = Samples(bench.store, maps, name, bench.config.transfer_split, sources_of(slots))
        stack = one_member(bench, name, samples, slots, schedule, teaching)
        rng = np.random.default_rng(bench.config.seed)
        for epoch in range(epochs):
            stack.optimizer.learning_rate = schedule.rate_of(epoch)
            train_epoch(stack, samples, teaching[rng.permutation(len(teaching))], schedule.batch)
        last = losses_of_members(stack, samples, teaching[-1:])[:, 0]
        check_finite(last, name, [bench.config.seed])
        return head_of(stack)


def one_member(
    bench: GradientBench,
    name: str,
    samples: Samples,
    slots: Integers,
    schedule: Schedule,
    teaching: Integers,
) -> MemberStack:
    """Returns a stack of a single member, starting from the best constant answer of what teaches
    it. slots: [1, order], its sources; teaching: [n] samples of the transfer split.
    """
    seeds = [bench.config.seed]
    # positions among the sources that are held, not among all
    own = np.searchsorted(sources_of(slots), slots)
    constant = constant_of(bench.store, name, bench.config, teaching)
    return build_stack(
        bench.store,
        name,
        samples,
        own,
        seeds,
        bench.config,
        schedule,
        bench.programs,
        constant,
        schedule.steps_of(len(teaching)),
    )


def head_of(stack: MemberStack) -> keras.Model:
    """Returns a head of its own with the weights of the only member: the stack, and its template,
    may be trained on.
    """
    head = keras.models.clone_model(stack.template())
    for variable, weight in zip(head.trainable_variables, stack.learned):
        variable.assign(weight.numpy()[0])
    for variable, weight in zip(head.non_trainable_variables, stack.state):
        variable.assign(weight.numpy()[0])
    return head
