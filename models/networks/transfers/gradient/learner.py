"""The gradient learner of transfers: the paper's readout, a fresh head on frozen representations,
many members stacked and trained as one.

Every member has its own initialisation, optimiser state, clipping and early stop: its answer does
not depend on which members share the stack.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from models.networks.training.averages import average_answer
from models.networks.training.fit import Interrupted
from models.networks.transfers.gradient.member_stack import MemberStack
from models.networks.transfers.gradient.programs import StackPrograms
from models.networks.transfers.regimes import known
from models.tasks import TASKS


@dataclass(frozen=True)
class Schedule:
    """batch: samples a step. rate: Adam's. epochs: at most. patience: epochs without a better
    validation loss after which a member has converged.

    clip: of each member's gradient, by norm and variable. cosine: the rate falls to zero over the
    epochs.
    """

    batch: int = 16
    rate: float = 2e-3
    epochs: int = 60
    patience: int = 8
    clip: float = 1.0
    cosine: bool = False

    def rate_of(self, epoch: int) -> float:
        """of an epoch, counted from 0."""
        return (
            self.rate * (0.5 + 0.5 * np.cos(np.pi * epoch / self.epochs))
            if self.cosine
            else self.rate
        )


def schedule_of(config, name: str, epochs: int) -> Schedule:
    """of transfers into target `name`, as the configuration says."""
    rate = config.transfer_rate if TASKS[name].output.dense else config.vector_rate
    return Schedule(batch=config.transfer_batch, rate=rate, epochs=epochs, cosine=True)


@dataclass(frozen=True)
class Learned:
    """losses: [member, test sample] float32 at each member's best epoch; validation: [epoch,
    member]; best: [member] epochs of the least validation loss, from 1; seconds: of everything.
    """

    losses: np.ndarray
    validation: np.ndarray
    best: np.ndarray
    seconds: float


def learn(
    store,
    maps,
    name: str,
    slots: np.ndarray,
    seeds: Sequence[int],
    config,
    schedule: Schedule | None = None,
    *,
    rows: tuple | None = None,
    programs: StackPrograms | None = None,
) -> Learned:
    """train every member of one order into target `name`.

    maps: (source index, split) -> [view, h, w, c]; slots: [member, order] source indices; seeds:
    one a member. rows: (teaching, held out) samples; the held-out ones stop members early and teach
    nothing; the last fifth of the first `transfer_images` if None. programs: kept over targets, so
    that one whose answers have the shape of an earlier one's compiles nothing. Raises Interrupted
    if the loss of a member is no number.
    """
    since = time.time()
    stack, validation, snapshot = descend(
        store, maps, name, slots, seeds, config, schedule or Schedule(), rows, programs
    )
    used = sorted({int(index) for index in np.ravel(slots)})
    test = Samples(store, maps, name, "test", used)
    losses = image_losses(stack, test.take(np.arange(len(test)))).T
    return Learned(losses.astype("float32"), validation, snapshot.epoch, time.time() - since)


def descend(
    store,
    maps,
    name: str,
    slots: np.ndarray,
    seeds: Sequence[int],
    config,
    schedule: Schedule,
    rows: tuple | None,
    programs=None,
):
    """(stack with every member's best weights, validation losses [epoch, member], the `Best`)."""
    used = sorted({int(index) for index in np.ravel(slots)})
    local, teach = (
        np.searchsorted(used, slots),
        Samples(store, maps, name, config.transfer_split, used),
    )
    fit, held = rows or split_last(len(teach), config.transfer_images)
    stack = build_stack(store, name, teach, local, seeds, config, schedule, programs)
    rng, validation, snapshot = (
        np.random.default_rng(config.seed),
        [],
        Best(stack, len(local), schedule.patience),
    )
    for epoch in range(schedule.epochs):
        stack.optimizer.learning_rate = schedule.rate_of(epoch)
        order = fit[rng.permutation(len(fit))]
        size = min(schedule.batch, len(order))
        for start in range(
            0, len(order) - size + 1, size
        ):  # whole batches: one compiled program; `fit` costs seconds a call (docs/DEVIATIONS.md)
            stack.train_on_batch(teach.take(order[start : start + size]), np.zeros(size, "float32"))
        validation.append(image_losses(stack, teach.take(held)).mean(0))
        if not np.isfinite(validation[-1]).all():
            lost = [seeds[i] for i in np.flatnonzero(~np.isfinite(validation[-1]))]
            raise Interrupted(
                f"the loss of transfers into {name} became no number (members with seeds "
                f"{lost}); lower the rate (finished targets are kept)"
            )
        if snapshot.update(validation[-1]):
            break
    snapshot.restore()
    return stack, np.stack(validation), snapshot


def split_last(count: int, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """(all but the last fifth, the last fifth) of the first `limit` of `count` samples."""
    count = min(count, limit)
    cut = count - max(1, count // 5)
    return np.arange(cut), np.arange(cut, count)


def gradient_transfers(bench, regime, name: str, subsets: list[tuple[int, ...]]) -> None:
    """wanted subsets into one target, stacked by order, at most `stack_members` at a time; finished
    stacks go to the ledger.
    """
    data, config = bench.store.samples(name, bench.config.transfer_split), bench.config
    picked = known(data, regime.samples(data, config.seed))
    if len(picked) < 2:
        raise LookupError(
            f"{len(picked)} samples of {name} with a label that is not masked teach "
            "transfers; at least 2 are needed"
        )
    held = np.isin(np.asarray(data.views)[picked], regime.views[regime.held]).any(1)
    rows = (
        (picked[~held], picked[held])
        if held.any() and not held.all()
        else tuple(picked[part] for part in split_last(len(picked), len(picked)))
    )
    groups: dict[tuple, list] = {}
    for subset in subsets:
        groups.setdefault((len(subset), subset == (len(bench.sources),)), []).append(subset)
    for group in groups.values():
        for i in range(0, len(group), config.stack_members):
            part = group[i : i + config.stack_members]
            seeds = [
                zlib.crc32(json.dumps([bench.key(subset, regime), config.seed]).encode()) % 2**31
                for subset in part
            ]
            schedule = schedule_of(
                config,
                name,
                config.regime_epochs
                if regime.name and config.regime_epochs
                else config.transfer_epochs,
            )
            found = learn(
                bench.store,
                bench.maps,
                name,
                np.array(part),
                seeds,
                config,
                schedule,
                rows=rows,
                programs=bench.programs,
            )
            bench.keep(name, dict(zip(part, found.losses)), regime)
            print(
                f"  {len(part)} transfers of order {len(part[0])} into {name} by gradient: "
                f"{found.seconds:.1f} s",
                file=bench.out,
                flush=True,
            )


def member_head(
    bench,
    subset: tuple[int, ...],
    name: str,
    rows: tuple[np.ndarray, np.ndarray, np.ndarray],
    schedule: Schedule,
) -> tuple[keras.Model, float]:
    """(head with the weights of one transfer trained alone, its mean loss on the judging samples).
    rows: samples that teach, that stop, that judge.
    """
    fit, stop, judge = rows
    stack, _, _ = descend(
        bench.store,
        bench.maps,
        name,
        np.array([subset]),
        [bench.config.seed],
        bench.config,
        schedule,
        (fit, stop),
        bench.programs,
    )
    samples = Samples(
        bench.store, bench.maps, name, bench.config.transfer_split, sorted(set(subset))
    )
    head, loss = stack.template(), float(image_losses(stack, samples.take(judge)).mean())
    for variable, weight in zip(head.trainable_variables, stack.learned):
        variable.assign(np.asarray(weight)[0])
    for variable, weight in zip(head.non_trainable_variables, stack.state):
        variable.assign(np.asarray(weight)[0])
    return head, loss


class Samples:
    """Samples of one task and split, with the representations of some sources."""

    def __init__(self, store, maps, name: str, split: str, used: Sequence[int]) -> None:
        self.data, self.images = store.samples(name, split), TASKS[name].images
        self.codes = np.stack(
            [np.asarray(maps(index, split), "float32") for index in used], 1
        )  # [view, source, h, w, c]

    def __len__(self) -> int:
        return len(self.data)

    def take(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(representations [B, source, (images,) h, w, c], target, mask) of some samples."""
        codes = self.codes[np.asarray(self.data.views)[rows]]  # [B, images, source, h, w, c]
        codes = codes[:, 0] if self.images == 1 else np.moveaxis(codes, 1, 2)
        return (
            codes,
            np.asarray(self.data.target[rows], "float32"),
            np.asarray(self.data.mask[rows], "float32"),
        )


def build_stack(
    store,
    name: str,
    samples: Samples,
    slots: np.ndarray,
    seeds: Sequence[int],
    config,
    schedule: Schedule,
    programs=None,
) -> MemberStack:
    """the members, starting from the best constant answer as task networks do."""
    task, stack = (
        TASKS[name],
        (programs or StackPrograms(config, store.size)).stack(
            name, samples.codes.shape[1:], slots, seeds, schedule
        ),
    )
    places = {
        variable.path.split("/")[-1]: i
        for i, variable in enumerate(stack.template().trainable_variables)
        if "answer" in variable.path
    }
    constant = (
        None if task.output.kind == "embedding" or not places else average_answer(task, store)
    )
    if constant is not None and constant.shape[-1] == task.output.channels:
        kernel, bias = stack.learned[places["kernel"]], stack.learned[places["bias"]]
        kernel.assign(np.asarray(kernel) * 0.1)
        mean = constant.reshape(-1, constant.shape[-1]).mean(0)
        bias.assign(
            np.broadcast_to(np.tile(mean, bias.shape[-1] // len(mean)), bias.shape)
        )  # a small head answers several pixels of a map at once
    return stack


def image_losses(stack: MemberStack, inputs: tuple, batch: int = 64) -> np.ndarray:
    """[B, member]: losses of every sample, in inference, by batches of one size (another size would
    be compiled for itself).
    """
    count = len(inputs[0])
    size = -(-count // -(-count // batch))
    rows = np.minimum(np.arange(-(-count // size) * size), count - 1)
    parts = [
        np.asarray(stack.predict_on_batch(tuple(part[rows[i : i + size]] for part in inputs)))
        for i in range(0, len(rows), size)
    ]
    return np.concatenate(parts)[:count]


class Best:
    """The best weights of each member so far, and whether all have stopped improving. A member that
    has stopped stays as it was at its best, whatever the others do afterwards: that is what keeps
    it independent of them.
    """

    def __init__(self, stack: MemberStack, members: int, patience: int) -> None:
        self.stack, self.patience = stack, patience
        self.loss, self.epoch, self.now = np.full(members, np.inf), np.zeros(members, int), 0
        self.values = [np.array(weight) for weight in (*stack.learned, *stack.state)]

    def update(self, losses: np.ndarray) -> bool:
        """take the weights of members whose loss [member] is the least yet; True if every member
        has converged.
        """
        self.now += 1
        running = self.now - self.epoch <= self.patience
        better = running & (losses < self.loss)
        self.loss[better], self.epoch[better] = losses[better], self.now
        for value, weight in zip(self.values, (*self.stack.learned, *self.stack.state)):
            value[better] = np.asarray(weight)[better]
        return bool((self.now - self.epoch >= self.patience).all())

    def restore(self) -> None:
        for value, weight in zip(self.values, (*self.stack.learned, *self.stack.state)):
            weight.assign(value)
