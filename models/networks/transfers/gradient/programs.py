"""Compiled stacks, kept from one target to the next: targets whose answers have one shape share a
program, its trace and its members' first weights.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Sequence

import keras

from models.networks.architecture.transfer_heads import build_transfer_head
from models.networks.config import NetworkConfig
from models.networks.losses.losses import LOSSES
from models.networks.training.devices import replicas
from models.networks.transfers.gradient.member_stack import MemberAdam, MemberStack
from models.networks.transfers.gradient.schedule import Schedule
from models.tasks import TASKS
from models.tasks.arrays import Integers

# programs that are kept at most, and bytes that these take; the least recently used goes first,
# since weights and traces are memory
KEPT = 6
BYTES = 1 << 30
# Few enough that tracing a program of convolutions costs more than it saves: two members of the
# tests' size and three epochs took 1.5 s of CPU without one, and 5.3 with it. Where the two are
# even was not measured.
FEW_STEPS = 16


class StackPrograms:
    """The stacks of one configuration; `stack` gives one that is as good as new."""

    def __init__(self, config: NetworkConfig, size: int) -> None:
        self.config = config
        self.size = size
        self.stacks: OrderedDict[tuple[object, ...], MemberStack] = OrderedDict()
        self.compiled = 0

    def stack(
        self,
        name: str,
        shape: Sequence[int],
        slots: Integers,
        seeds: Sequence[int],
        schedule: Schedule,
        steps: int | None = None,
    ) -> MemberStack:
        """Returns members for target `name` with the first weights that their seeds give and a
        fresh optimiser.

        shape: [sources, (images,) h, w, c] of one sample's representations; slots [member, order];
        seeds: one a member. steps: of the optimiser at most, None if that is not known; few are
        made without a program. A stack that was given before for an answer of this shape is taken
        back: it must not be in use.
        """
        task = TASKS[name]
        # Building draws no weights of members: it only says which weights there are.
        height, width, channels = shape[-3:]
        side_by_side = (height, width, channels * slots.shape[1])
        template = build_transfer_head(task, self.config, side_by_side, task.images, self.size)
        weights = tuple(tuple(weight.shape) for weight in template.weights)
        eager = few_steps(len(slots), steps) and any(len(weight) > 2 for weight in weights)
        key = (
            task.loss,
            task.output,
            task.images,
            tuple(shape),
            slots.shape,
            tuple(seeds),
            schedule.clip,
            weights,
            replicas(),
            eager,
        )
        if key in self.stacks:
            self.stacks.move_to_end(key)
            stack = self.stacks[key]
            stack.restart(slots)
            stack.optimizer.learning_rate = schedule.rate
            return stack
        stack = MemberStack(template, slots, LOSSES[task.loss], seeds)
        self.make_room(stack.size)
        stack.compile(
            optimizer=MemberAdam(schedule.rate, member_clipnorm=schedule.clip),
            jit_compile=keras.backend.backend() == "jax",  # which runs operation by operation else
            run_eagerly=eager,
        )
        # Now, since a first step that makes variables is traced twice.
        stack.optimizer.build(stack.trainable_variables)
        self.stacks[key] = stack
        self.compiled += 1
        return stack

    def make_room(self, size: int) -> None:
        """Makes room for one more program of so many bytes; a larger one than `BYTES` is kept
        alone.
        """
        gone = False
        while self.stacks and (
            len(self.stacks) >= KEPT
            or size + sum(stack.size for stack in self.stacks.values()) > BYTES
        ):
            self.stacks.popitem(last=False)
            gone = True
        if gone:
            # a Keras model refers to itself: only a collection of its own takes it apart now
            gc.collect()


def few_steps(members: int, steps: int | None) -> bool:
    """Returns whether members that are stepped one after the other (those that convolve) have made
    all their steps before a program is traced.
    """
    if steps is None or keras.backend.backend() != "tensorflow" or replicas() > 1:
        return False
    return members * steps <= FEW_STEPS
