"""The gradient learner of transfers: the paper's readout, a fresh head on frozen representations,
many members stacked and trained as one.

Every member has its own initialisation, optimiser state, clipping and early stop: its answer does
not depend on which members share the stack.
"""

from __future__ import annotations

import contextlib
import json
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import keras
import numpy as np

from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.training.averages import Known, average_answer
from models.networks.training.devices import replicas, spread
from models.networks.training.feeders import one_ahead
from models.networks.training.fit import Interrupted
from models.networks.transfers.gradient.best_weights import BestWeights
from models.networks.transfers.gradient.channel_blocks import of_one_width
from models.networks.transfers.gradient.member_stack import MemberStack
from models.networks.transfers.gradient.programs import StackPrograms
from models.networks.transfers.gradient.samples import Maps, Samples, split_last
from models.networks.transfers.gradient.schedule import Schedule, schedule_of
from models.networks.transfers.learners import BenchView, Losses, SetsByTarget, SourceSet
from models.networks.transfers.regimes import Regime, Rows, teaching_rows
from models.tasks import TASKS
from models.tasks.arrays import Floats, Integers

# Samples that are judged at a time, at most.
BATCH = 64


class GradientBench(BenchView, Protocol):
    """A bench that keeps compiled programs from target to target."""

    @property
    def programs(self) -> StackPrograms: ...


@dataclass(frozen=True)
class Learned:
    """What the members of a stack came to."""

    # [member, test sample] float32, at each member's best epoch.
    losses: Floats
    # [epoch, member].
    validation: Floats
    # [member] epochs of the least validation loss, from 1.
    best: Integers
    # Of everything.
    seconds: float
    # That shared its steps.
    devices: int = 1


def learn(
    store: LabelStore,
    maps: Maps,
    name: str,
    slots: Integers,
    seeds: Sequence[int],
    config: NetworkConfig,
    schedule: Schedule | None = None,
    *,
    rows: Rows | None = None,
    programs: StackPrograms | None = None,
    constant: Floats | None = None,
) -> Learned:
    """Trains every member of one order into target `name`.

    maps: (source index, split) -> [view, h, w, c]; slots: [member, order] source indices, of the
    same widths in every member; seeds: one a member. rows: (teaching, held out) samples; the
    held-out ones stop members early and teach nothing; the last fifth of the first
    `transfer_images` if None. programs: kept over targets, so that one whose answers have the shape
    of an earlier one's compiles nothing. constant: the best constant answer of what teaches, taken
    from its labels if None. Raises Interrupted if the loss of a member is no number.
    """
    since = time.time()
    schedule = schedule or Schedule()
    count = len(store.samples(name, config.transfer_split))
    rows = rows or split_last(count, config.transfer_images)
    maps, slots = of_one_width(maps, slots)
    with stack_devices(config, schedule, rows) as devices:
        stack, validation, best = train_stack(
            store, maps, name, slots, seeds, config, schedule, rows, programs, constant
        )
        test = Samples(store, maps, name, "test", sources_of(slots), config.feeders)
        losses = losses_of_members(stack, test, np.arange(len(test))).T
    seconds = time.time() - since
    return Learned(losses.astype("float32"), validation, best.epoch, seconds, devices)


def stack_devices(
    config: NetworkConfig, schedule: Schedule, rows: Rows
) -> contextlib.AbstractContextManager[int]:
    """Returns the context in which a stack is built, trained and asked on the configuration's
    devices; it gives how many they are. One on TensorFlow, whose `train_on_batch` gives every
    device the whole batch.
    """
    devices = config.devices if keras.backend.backend() == "jax" else 1
    return spread(devices, min(schedule.batch, len(rows[0])))


def sources_of(slots: Integers) -> list[int]:
    """Returns the sources that any member reads, rising. slots: [members, order]."""
    return sorted({int(index) for index in np.ravel(slots)})


def train_stack(
    store: LabelStore,
    maps: Maps,
    name: str,
    slots: Integers,
    seeds: Sequence[int],
    config: NetworkConfig,
    schedule: Schedule,
    rows: Rows,
    programs: StackPrograms | None = None,
    constant: Floats | None = None,
) -> tuple[MemberStack, Floats, BestWeights]:
    """Trains a stack; returns (stack with every member's best weights, validation losses [epoch,
    member], which epochs these weights are of).
    """
    used = sources_of(slots)
    teach = Samples(store, maps, name, config.transfer_split, used)
    teaching, held_out = rows
    # positions among the sources that are held, not among all
    own = np.searchsorted(used, slots)
    if constant is None:
        constant = constant_of(store, name, config, teaching)
    steps = schedule.steps_of(len(teaching))
    stack = build_stack(store, name, teach, own, seeds, config, schedule, programs, constant, steps)
    rng = np.random.default_rng(config.seed)
    best = BestWeights(stack, len(slots), schedule.patience)
    validation: list[Floats] = []
    for epoch in range(schedule.epochs):
        stack.optimizer.learning_rate = schedule.rate_of(epoch)
        train_epoch(stack, teach, teaching[rng.permutation(len(teaching))], schedule.batch)
        validation.append(losses_of_members(stack, teach, held_out).mean(0))
        check_finite(validation[-1], name, seeds)
        if best.update(validation[-1]):
            break
    best.restore()
    return stack, np.stack(validation), best


def train_epoch(stack: MemberStack, samples: Samples, order: Integers, batch: int) -> None:
    """Makes one pass over samples in this order [n], in whole batches alone: one compiled program.
    Not by `fit`, which costs seconds a call (docs/DEVIATIONS.md).
    """
    size = min(batch, len(order))
    for inputs in one_ahead(samples.batches(order[: len(order) // size * size], size)):
        # Keras wants a target beside the inputs; the stack's output is the loss itself
        stack.train_on_batch(inputs, np.zeros(size, "float32"))


def check_finite(losses: Floats, name: str, seeds: Sequence[int]) -> None:
    """Raises Interrupted for a member whose loss is no number. losses: [members]."""
    diverged_seeds = [seeds[i] for i in np.flatnonzero(~np.isfinite(losses))]
    if diverged_seeds:
        raise Interrupted(
            f"the loss of transfers into {name} became no number "
            f"(members with seeds {diverged_seeds}); lower the rate"
        )


def transfers_by_gradient(
    bench: GradientBench, regime: Regime, source_sets: SetsByTarget
) -> Iterator[tuple[str, Losses]]:
    """Yields (target, losses) of the transfers that are wanted, as a `measure.Learner` does. They
    are stacked by order, at most `stack_members` at a time. Raises LookupError for a target whose
    labels cannot teach.
    """
    for name, subsets in source_sets.items():
        with bench.store.keeping(name, bench.config.transfer_split):
            rows = teaching_rows(bench.store, regime, name, bench.config)
            constant = constant_of(bench.store, name, bench.config, rows[0])
            for part in stacks_of(bench, subsets):
                learned = learn(
                    bench.store,
                    bench.maps,
                    name,
                    np.array(part),
                    [seed_of(bench, subset, regime) for subset in part],
                    bench.config,
                    schedule_of(bench.config, name, epochs_of(bench.config, regime)),
                    rows=rows,
                    programs=bench.programs,
                    constant=constant,
                )
                yield name, dict(zip(part, learned.losses))
                print(
                    f"  {len(part)} transfers of order {len(part[0])} into {name} by gradient: "
                    f"{learned.seconds:.1f} s"
                    + (f" on {learned.devices} devices" if learned.devices > 1 else ""),
                    file=bench.out,
                    flush=True,
                )


def constant_of(
    store: LabelStore, name: str, config: NetworkConfig, teaching: Integers | None = None
) -> Floats:
    """Returns [1, ...], the best constant answer of the samples that teach, all of the split if
    None.
    """
    return average_answer(TASKS[name], store, known=Known(config.transfer_split, teaching))


def stacks_of(bench: BenchView, subsets: Sequence[SourceSet]) -> Iterator[list[SourceSet]]:
    """Yields sets of sources of the same widths, and so of one order, at most `stack_members` at a
    time.
    """
    used = {source for subset in subsets for source in subset}
    widths = {source: int(bench.maps(source, "test").shape[-1]) for source in used}
    groups: dict[tuple[int, ...], list[SourceSet]] = {}
    for subset in subsets:
        groups.setdefault(tuple(widths[source] for source in subset), []).append(subset)
    most = bench.config.stack_members
    for group in groups.values():
        for i in range(0, len(group), most):
            yield group[i : i + most]


def seed_of(bench: BenchView, subset: SourceSet, regime: Regime) -> int:
    """Returns the seed of one member: it follows from what the member is, not from which others
    share its stack.
    """
    content = json.dumps([bench.key(subset, regime), bench.config.seed])
    return zlib.crc32(content.encode()) % 2**31


def epochs_of(config: NetworkConfig, regime: Regime) -> int:
    """Returns the most epochs of transfers in a regime."""
    if regime.name and config.regime_epochs:
        return config.regime_epochs
    return config.transfer_epochs


def build_stack(
    store: LabelStore,
    name: str,
    samples: Samples,
    slots: Integers,
    seeds: Sequence[int],
    config: NetworkConfig,
    schedule: Schedule,
    programs: StackPrograms | None = None,
    constant: Floats | None = None,
    steps: int | None = None,
) -> MemberStack:
    """Returns the members, starting from the best constant answer as task networks do: that of the
    whole transfer split if None. slots: [members, order], positions among the sources that are
    held; constant: [1, ...], as the answer; steps: as `StackPrograms.stack` takes them.
    """
    programs = programs or StackPrograms(config, store.size)
    stack = programs.stack(name, samples.shape, slots, seeds, schedule, steps)
    places = {
        variable.path.split("/")[-1]: i
        for i, variable in enumerate(stack.template().trainable_variables)
        if "answer" in variable.path
    }
    task = TASKS[name]
    if not task.output.facts.averaged or not places:
        return stack
    if constant is None:
        constant = constant_of(store, name, config)
    if constant.shape[-1] == task.output.channels:
        kernel = stack.learned[places["kernel"]]
        bias = stack.learned[places["bias"]]
        kernel.assign(np.asarray(kernel) * 0.1)
        mean = constant.reshape(-1, constant.shape[-1]).mean(0)
        # A small head answers several pixels of a map at once.
        repeated = np.tile(mean, bias.shape[-1] // len(mean))
        bias.assign(np.broadcast_to(repeated, bias.shape))
    return stack


def losses_of_members(stack: MemberStack, samples: Samples, rows: Integers) -> Floats:
    """Returns losses [row, member] of some samples, in inference, by batches of one size (another
    size would be compiled for itself) that the devices can share, of which one is held at a time.
    """
    count = len(rows)
    size = -(-count // -(-count // BATCH))
    size = -(-size // replicas()) * replicas()
    # the last sample fills the last batch up, and is cut off again
    places = np.minimum(np.arange(-(-count // size) * size), count - 1)
    parts = [
        np.asarray(stack.predict_on_batch(inputs))
        for inputs in one_ahead(samples.batches(rows[places], size))
    ]
    return np.concatenate(parts)[:count]
