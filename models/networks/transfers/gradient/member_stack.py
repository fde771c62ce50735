"""Many independent copies of one stock Keras model trained as one: the core of the gradient learner
of transfers.

Every variable carries a leading member axis, so that gradients, optimiser slots, batch statistics
and dropout seeds belong to one member by construction; fit, evaluate, checkpoints and callbacks are
Keras' own. See spec training_cost, section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import ops


class MemberStack(keras.Model):
    """Inputs: (representations [B, source, h, w, c] or [B, source, images, h, w, c], target, mask);
    output: loss of every image and member [B, M].

    template: a built model of [B, h, w, order c] or [B, images, h, w, order c]. sources: [member,
    order] slots that each member reads. loss: (target, mask, answer) -> [B]. seeds: one a member,
    of its own initialisation, so that a member does not depend on which others share the stack.
    Raises ValueError if there is not one seed a member.
    """

    def __init__(
        self, template: keras.Model, sources: np.ndarray, loss: Callable, seeds: Sequence[int]
    ) -> None:
        super().__init__()
        slots, self.image_loss = np.asarray(sources), loss
        if slots.ndim != 2 or len(slots) != len(seeds):
            raise ValueError(
                f"sources are [member, order] with one seed a member; got shape {slots.shape} "
                f"and {len(seeds)} seeds"
            )
        self.template = lambda: (
            template
        )  # a closure: Keras must not track the template's own variables
        self.slots = self.member_weight(
            slots.astype("float32"), False
        )  # a variable, so that other sources are no other program
        once = {seed: initial_values(template, seed) for seed in dict.fromkeys(seeds)}
        fresh = [once[seed] for seed in seeds]
        self.learned = [
            self.member_weight(values, True) for values in zip(*(member[0] for member in fresh))
        ]
        self.state = [
            self.member_weight(values, False) for values in zip(*(member[1] for member in fresh))
        ]
        self.first = lambda: [
            np.stack([once[seed][part][i] for seed in seeds])
            for part in (0, 1)
            for i in range(len(once[seeds[0]][part]))
        ]
        self.built = True

    def restart(self, sources: np.ndarray) -> None:
        """first weights again, the optimiser as if it had never stepped, other sources; what was
        compiled stays.
        """
        self.slots.assign(np.asarray(sources, "float32"))
        for weight, value in zip((*self.learned, *self.state), self.first()):
            weight.assign(value)
        if self.optimizer is not None:
            rate = float(self.optimizer.learning_rate)
            for variable in self.optimizer.variables:
                variable.assign(np.zeros(variable.shape, variable.dtype))
            self.optimizer.learning_rate = rate

    def member_weight(self, values: Sequence[np.ndarray], trainable: bool):
        """one variable of all members, [M, ...]."""
        stacked = np.stack(values)
        weight = self.add_weight(
            shape=stacked.shape, dtype=str(stacked.dtype), initializer="zeros", trainable=trainable
        )
        weight.assign(stacked)
        return weight

    def call(self, inputs, training=False):
        representations, target, mask = inputs
        between, channels = (
            representations.shape[2:-1],
            representations.shape[-1] * self.slots.shape[1],
        )

        def one(member):
            slots, learned, state = member
            x = ops.reshape(
                ops.moveaxis(ops.take(representations, ops.cast(slots, "int32"), axis=1), 1, -2),
                (-1, *between, channels),
            )
            answer, state = self.template().stateless_call(learned, state, x, training=training)
            return self.image_loss(target, mask, answer), state

        tensors = [
            [ops.convert_to_tensor(weight) for weight in weights]
            for weights in (self.learned, self.state)
        ]
        losses, states = ops.map(one, (ops.convert_to_tensor(self.slots), *tensors))
        if training:
            for weight, value in zip(self.state, states):
                weight.assign(value)
        return ops.transpose(losses, (1, 0))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.sum(
            ops.mean(y_pred, axis=0)
        )  # a sum over members: no member's gradient sees another


class MemberAdam(keras.optimizers.Adam):
    """Adam that clips each member's gradient by its own norm; the stock clipnorm takes one norm
    over all members and so couples them.
    """

    def __init__(self, *arguments, member_clipnorm: float, **keywords) -> None:
        super().__init__(*arguments, **keywords)
        self.member_clipnorm = member_clipnorm

    def update_step(self, gradient, variable, learning_rate):
        axes = tuple(range(1, len(gradient.shape)))
        norm = ops.sqrt(ops.sum(ops.square(gradient), axis=axes, keepdims=True))
        super().update_step(
            gradient * ops.minimum(1.0, self.member_clipnorm / ops.maximum(norm, 1e-12)),
            variable,
            learning_rate,
        )


def initial_values(template: keras.Model, seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """trainable and other values as a fresh build of `template` with this seed has them."""
    keras.utils.set_random_seed(seed)
    fresh = keras.models.clone_model(template)
    return [np.asarray(v) for v in fresh.trainable_variables], [
        np.asarray(v) for v in fresh.non_trainable_variables
    ]
