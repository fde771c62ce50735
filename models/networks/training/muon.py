"""The optimiser of short schedules: Muon for kernels, Adam for everything else, in few large
operations.
"""

from __future__ import annotations

from collections.abc import Sequence
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
        self.moments = [
            self.add_variable(shape=variables[i].shape, dtype="float32", name=f"moment_{i}")
            for i in self.kernels
        ]

    def _backend_update_step(
        self,
        grads: Sequence[Tensor],
        trainable_variables: Sequence[keras.Variable],
        learning_rate: Tensor,
    ) -> None:
        """Steps every variable at once, where Keras' backends would go through them one by one."""
        grads = [ops.cast(grad, "float32") for grad in grads]
        rate = ops.cast(learning_rate, "float32")
        if self.clip is not None:
            norm = ops.sqrt(sum(ops.sum(ops.square(grad)) for grad in grads))
            scale = ops.minimum(1.0, self.clip / (norm + 1e-6))
            grads = [grad * scale for grad in grads]
        if self.decay:
            for variable in trainable_variables:
                variable.assign_sub(rate * self.decay * variable)
        for i, moment in zip(self.kernels, self.moments):
            moment.assign(FIRST * moment + grads[i])
            trainable_variables[i].assign_sub(rate * near_orthogonal(grads[i] + FIRST * moment))
        if self.rest:
            self.adam(
                [grads[i] for i in self.rest], [trainable_variables[i] for i in self.rest], rate
            )

    def adam(
        self, grads: Sequence[Tensor], variables: Sequence[keras.Variable], rate: Tensor
    ) -> None:
        """Adam's step of all variables that are no kernels."""
        gradient = ops.concatenate([ops.reshape(grad, (-1,)) for grad in grads])
        step = ops.cast(self.iterations + 1, "float32")
        self.momentum.assign(FIRST * self.momentum + (1 - FIRST) * gradient)
        self.velocity.assign(SECOND * self.velocity + (1 - SECOND) * ops.square(gradient))
        # both corrections of Kingma and Ba, for moments that begin at zero, put into the rate
        rate *= ops.sqrt(1 - ops.power(SECOND, step)) / (1 - ops.power(FIRST, step))
        change = rate * self.momentum / (ops.sqrt(self.velocity) + EPSILON)
        start = 0
        for variable in variables:
            end = start + int(np.prod(variable.shape))
            variable.assign_sub(ops.reshape(change[start:end], variable.shape))
            start = end

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "clip": self.clip,
            "decay": self.decay,
            "spared": self.spared,
        }


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
