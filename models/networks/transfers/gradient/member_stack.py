"""Many independent copies of one stock Keras model trained as one: the core of the gradient learner
of transfers.

Every variable carries a leading member axis, so that gradients, optimiser slots, batch statistics
and dropout seeds belong to one member by construction; fit, evaluate, checkpoints and callbacks are
Keras' own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from models.networks.losses.losses import ImageLoss
from models.networks.tensors import Tensor
from models.networks.training.devices import AcrossReplicas
from models.tasks.arrays import Array, Integers

# Trainable and other values of one member.
Values = tuple[list[Array], list[Array]]


class MemberStack(keras.Model):
    """Inputs: (representations [B, source, h, w, c] or [B, source, images, h, w, c], target, mask);
    output: loss of every image and member [B, M].

    template: a built model of [B, h, w, order c] or [B, images, h, w, order c]. sources: [member,
    order] slots that each member reads. loss: (target, mask, answer) -> [B]. seeds: one a member,
    of its own initialisation, so that a member does not depend on which others share the stack.
    Raises ValueError if there is not one seed a member.
    """

    def __init__(
        self, template: keras.Model, sources: Integers, loss: ImageLoss, seeds: Sequence[int]
    ) -> None:
        super().__init__()
        slots = np.asarray(sources)
        if slots.ndim != 2 or len(slots) != len(seeds):
            raise ValueError(
                f"sources are [member, order] with one seed a member; got shape {slots.shape} "
                f"and {len(seeds)} seeds"
            )
        self.image_loss = loss
        # Does it multiply by matrices alone, and convolve nothing?
        self.dense = all(len(weight.shape) <= 2 for weight in template.weights)
        # Keras tracks what it finds in attributes, in dictionaries and lists too: closures hide the
        # template's own variables and the first values from it.
        self.template: Callable[[], keras.Model] = lambda: template
        first = {seed: initial_values(template, seed) for seed in dict.fromkeys(seeds)}
        self.first: Callable[[], list[Values]] = lambda: [first[seed] for seed in seeds]
        # A variable, so that other sources are no other program.
        self.slots = self.member_weight(slots.astype("float32"), False)
        learned, state = self.first_values()
        self.learned = [self.member_weight(values, True) for values in learned]
        self.state = [self.member_weight(values, False) for values in state]
        self.built = True

    def first_values(self) -> Values:
        """(trainable, other) values of all members, [M, ...] each, as their seeds give them."""
        learned, state = zip(*self.first())
        return (
            [np.stack(values) for values in zip(*learned)],
            [np.stack(values) for values in zip(*state)],
        )

    @property
    def size(self) -> int:
        """Returns the bytes of its weights, their first values and, at most, the optimiser's two
        moments: four arrays of float32 a weight.
        """
        return 4 * 4 * sum(math.prod(weight.shape) for weight in self.weights_of_members())

    def weights_of_members(self) -> list[keras.Variable]:
        """[M, ...] each: the trainable ones, then the others."""
        return [*self.learned, *self.state]

    def restart(self, sources: Integers) -> None:
        """Gives the stack first weights again, an optimiser as if it had never stepped, and other
        sources [members, order]; what was compiled stays.
        """
        self.slots.assign(np.asarray(sources, "float32"))
        learned, state = self.first_values()
        for weight, value in zip(self.weights_of_members(), [*learned, *state]):
            weight.assign(value)
        if self.optimizer is not None:
            # the rate is among the optimiser's variables
            rate = float(self.optimizer.learning_rate)
            for variable in self.optimizer.variables:
                variable.assign(np.zeros(variable.shape, variable.dtype))
            self.optimizer.learning_rate = rate

    def member_weight(self, values: Array, trainable: bool) -> keras.Variable:
        """Returns one variable of all members, from its values [M, ...]."""
        weight = self.add_weight(
            shape=values.shape, dtype=str(values.dtype), initializer="zeros", trainable=trainable
        )
        weight.assign(values)
        return weight

    def call(self, inputs: tuple[Tensor, Tensor, Tensor], training: bool = False) -> Tensor:
        representations, target, mask = inputs
        between = representations.shape[2:-1]
        channels = representations.shape[-1] * self.slots.shape[1]

        def one(member: tuple[Tensor, list[Tensor], list[Tensor]]) -> tuple[Tensor, list[Tensor]]:
            slots, learned, state = member
            own = ops.take(representations, ops.cast(slots, "int32"), axis=1)
            x = ops.reshape(ops.moveaxis(own, 1, -2), (-1, *between, channels))
            answer, state = self.template().stateless_call(learned, state, x, training=training)
            return self.image_loss(target, mask, answer), state

        learned = [ops.convert_to_tensor(weight) for weight in self.learned]
        state = [ops.convert_to_tensor(weight) for weight in self.state]
        # Convolutions a member after the other: 8.9 s a target, where `vectorized_map` took 12.6; a
        # loop unrolled in Python traced for 38 s. Products of matrices are one for all members.
        over_members = ops.vectorized_map if self.dense else ops.map
        losses, states = over_members(one, (ops.convert_to_tensor(self.slots), learned, state))
        if training:
            for weight, value in zip(self.state, states):
                weight.assign(value)
        return ops.transpose(losses, (1, 0))

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        # A sum over members: no member's gradient sees another.
        return ops.sum(ops.mean(y_pred, axis=0))


class MemberAdam(AcrossReplicas, keras.optimizers.Adam):
    """Adam that clips each member's gradient by its own norm, variable by variable; the stock
    clipnorm takes one norm over all members and so couples them. Not Keras' own sum over devices:
    traced, it is never forgotten by TensorFlow, with the stack and all its variables.
    """

    def __init__(self, *arguments: Any, member_clipnorm: float, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.member_clipnorm = member_clipnorm

    def update_step(self, gradient: Tensor, variable: Any, learning_rate: Tensor) -> None:
        axes = tuple(range(1, len(gradient.shape)))
        norm = ops.sqrt(ops.sum(ops.square(gradient), axis=axes, keepdims=True))
        scale = ops.minimum(1.0, self.member_clipnorm / ops.maximum(norm, 1e-12))
        super().update_step(gradient * scale, variable, learning_rate)


def initial_values(template: keras.Model, seed: int) -> Values:
    """Returns trainable and other values as a fresh build of `template` with this seed has them."""
    keras.utils.set_random_seed(seed)
    fresh = keras.models.clone_model(template)
    learned = [np.asarray(variable) for variable in fresh.trainable_variables]
    state = [np.asarray(variable) for variable in fresh.non_trainable_variables]
    return learned, state
