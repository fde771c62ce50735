"""The optimiser of short schedules: Muon for kernels, Adam for everything else, in few large
operations.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from models.networks.tensors import Tensor
from models.networks.training.devices import AcrossReplicas

# Decay of Adam's first moment, and of Muon's momentum; of Adam's second moment.
FIRST = 0.9
SECOND = 0.999
EPSILON = 1e-10
# Coefficients of the quintic that drives singular values to about one (Jordan et al. 2024).
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
ITERATIONS = 3


@keras.saving.register_keras_serializable("taskonomy")
class FlatMuon(AcrossReplicas):
    """Muon (Jordan et al. 2024) with Nesterov momentum for kernels, Adam (Kingma and Ba 2015) for
    the rest, after clipping all gradients together to a norm.

    A kernel's momentum is made orthogonal, all its singular values nearly one, so that a step moves
    a layer in all directions at once and not in the few that the gradient is largest in; scaled,
    five times as far as Liu et al. (2025) do, so that the step's root mean square is the learning
    rate, as Adam's is at first. Convolutions are taken as matrices, [places and channels that are
    read, channels that are made] (of transposed ones the adjoint). Keras' own Muon leaves all but
    matrices to Adam. Biases, scales and layers whose path holds `spared` are Adam's: its moments
    are one vector, for a small network on a CPU spends its time between operations, not in them.

    clip: largest norm of all gradients together; None for none. decay: of every variable, a step: w
    -= rate decay w. spared: part of a path; the last layer's, as the authors advise.
    """

    def __init__(
        self,
        learning_rate: Any,
        clip: float | None = None,
        decay: float = 0.0,
        spared: str = "answer",
        name: str = "flat_muon",
        **keywords: Any,
    ) -> None:
        super().__init__(learning_rate, name=name, **keywords)
        self.clip = clip
        self.decay = decay
        self.spared = spared

    def build(self, variables: Sequence[keras.Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self.kernels = [
            i
            for i, variable in enumerate(variables)
            if len(variable.shape) in (2, 4) and self.spared not in variable.path
        ]
        self.rest = [i for i in range(len(variables)) if i not in self.kernels]
        count = sum(int(np.prod(variables[i].shape)) for i in self.rest)
        self.momentum = self.add_variable(shape=(count,), dtype="float32", name="momentum")
        self.velocity = self.add_variable(shape=(count,), dtype="float32", name="velocity")
        kernels = sum(int(np.prod(variables[i].shape)) for i in self.kernels)
        self.moments = self.add_variable(shape=(kernels,), dtype="float32", name="moments")

    def _backend_update_step(
        self,
        grads: Sequence[Tensor],
        trainable_variables: Sequence[keras.Variable],
        learning_rate: Tensor,
    ) -> None:
        """Steps every variable at once, where Keras' backends would go through them one by one."""
        rate = ops.cast(learning_rate, "float32")
        kernels = [trainable_variables[i] for i in self.kernels]
        rest = [trainable_variables[i] for i in self.rest]
        # vectors from here on: tracing a program takes as long as it has operations
        gradients = [
            flat([ops.cast(grads[i], "float32") for i in indices])
            for indices in (self.kernels, self.rest)
            if indices
        ]
        if self.clip is not None:
            norm = ops.sqrt(sum(ops.sum(ops.square(gradient)) for gradient in gradients))
            scale = ops.minimum(1.0, self.clip / (norm + 1e-6))
            gradients = [gradient * scale for gradient in gradients]
        if self.decay:
            for variable in trainable_variables:
                variable.assign_sub(rate * self.decay * variable)
        if kernels:
            self.muon(gradients[0], kernels, rate)
        if rest:
            self.adam(gradients[-1], rest, rate)

    def muon(self, gradient: Tensor, variables: Sequence[keras.Variable], rate: Tensor) -> None:
        """Muon's step of all kernels. gradient: of all, one after the other."""
        self.moments.assign(FIRST * self.moments + gradient)
        orthogonal = orthogonal_step()
        ahead = parts_like(variables, gradient + FIRST * self.moments)
        for variable, part in zip(variables, ahead):
            variable.assign_sub(rate * orthogonal(part))

    def adam(self, gradient: Tensor, variables: Sequence[keras.Variable], rate: Tensor) -> None:
        """Adam's step of all variables that are no kernels. gradient: of all, one after the
        other.
        """
        step = ops.cast(self.iterations + 1, "float32")
        self.momentum.assign(FIRST * self.momentum + (1 - FIRST) * gradient)
        self.velocity.assign(SECOND * self.velocity + (1 - SECOND) * ops.square(gradient))
        # both corrections of Kingma and Ba, for moments that begin at zero, put into the rate
        rate *= ops.sqrt(1 - ops.power(SECOND, step)) / (1 - ops.power(FIRST, step))
        change = rate * self.momentum / (ops.sqrt(self.velocity) + EPSILON)
        for variable, part in zip(variables, parts_like(variables, change)):
            variable.assign_sub(part)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "clip": self.clip,
            "decay": self.decay,
            "spared": self.spared,
        }


def flat(tensors: Sequence[Tensor]) -> Tensor:
    """All entries of tensors, one after the other, [n]."""
    return ops.concatenate([ops.reshape(tensor, (-1,)) for tensor in tensors])


def parts_like(variables: Sequence[keras.Variable], vector: Tensor) -> list[Tensor]:
    """Returns what `flat` joined, in the shapes of variables."""
    ends = list(itertools.accumulate(int(np.prod(variable.shape)) for variable in variables))
    # TensorFlow's does not split into one part
    parts = ops.split(vector, ends[:-1]) if len(ends) > 1 else [vector]
    return [ops.reshape(part, variable.shape) for part, variable in zip(parts, variables)]


def orthogonal_step() -> Callable[[Tensor], Tensor]:
    """Returns `near_orthogonal`; where TensorFlow traces a program, as a function that is traced
    once a shape and process: networks share most shapes.
    """
    if keras.backend.backend() != "tensorflow":
        return near_orthogonal
    import tensorflow as tf  # where JAX trains, TensorFlow need not be there

    return near_orthogonal if tf.executing_eagerly() else traced_once()


@functools.cache
def traced_once() -> Callable[[Tensor], Tensor]:
    import tensorflow as tf

    traced: Callable[[Tensor], Tensor] = tf.function(near_orthogonal, autograph=False)
    return traced


def near_orthogonal(kernel: Tensor) -> Tensor:
    """float32 [..., n], as a matrix [m, n], near the orthogonal one next to it, by Newton and
    Schulz's iteration; the same shape, root mean square about one.

    Few iterations leave small singular values small; three did as well as the authors' five here
    (two networks, a seed each). An iteration multiplies x by a polynomial of x x'. These commute:
    the matrices of the smaller side alone are iterated, and x is multiplied once by their product.
    """
    a, b, c = NEWTON_SCHULZ
    matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
    # the smaller of both Gram matrices
    tall = matrix.shape[0] > matrix.shape[1]
    # the Frobenius norm is no less than the largest singular value: the iteration converges from
    # there
    x = matrix / (ops.sqrt(ops.sum(ops.square(matrix))) + 1e-7)
    gram = ops.matmul(ops.transpose(x), x) if tall else ops.matmul(x, ops.transpose(x))
    product = None
    one = np.eye(gram.shape[0], dtype="float32")
    for iterations_left in reversed(range(ITERATIONS)):
        factor = a * one + b * gram + c * ops.matmul(gram, gram)
        product = factor if product is None else ops.matmul(product, factor)
        if iterations_left:
            gram = ops.matmul(gram, ops.matmul(factor, factor))
    orthogonal = ops.matmul(x, product) if tall else ops.matmul(product, x)
    # entries of an orthogonal [m, n] have a root mean square of 1 / sqrt(max(m, n))
    return ops.reshape(orthogonal, kernel.shape) * float(np.sqrt(max(matrix.shape)))
