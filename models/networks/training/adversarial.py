"""The patch-adversarial term of the 13 map tasks: a discriminator, one loss for both players, one
optimiser with two rules; trained by ordinary `fit`.

How it stays neutral to the backend: the loss is one number whose gradient is right for each player.
The generator is judged by a discriminator whose weights are stopped (`stateless_call`), the
discriminator by an answer that is stopped, so no gradient reaches the wrong player. Whose turn it
is decides the optimiser: the other player's variables stay as they were. Both losses are computed
at every step: at the discriminator's turns the generator's backward pass is wasted. Source: the
released encoder_decoder_cgan and gan_discriminators; weight decay stays on in the warm-up, unlike
there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras
from keras import layers, ops

from models.networks.architecture.encoders import EPSILON, MOMENTUM
from models.networks.tensors import Tensor
from models.networks.training.devices import AcrossReplicas
from models.networks.training.recipes import Recipe
from models.networks.training.siamese import Network, Siamese
from models.tasks.labels.colours import bin_centres

REAL = 0.9  # one-sided label smoothing
SHARPNESS = 2.606  # annealed mean of colour bins: temperature 0.38
RATE = 1e-5  # of the discriminator's plain gradient descent
NOISE_DECAY = 0.2 / 1000  # inverse time, a step


def build_discriminator(channels: int) -> keras.Model:
    """keras.Model [B, S, S, channels] -> logits of patches [B, S/64, S/64, 1]; about 3.14 M
    parameters.
    """
    image = x = keras.Input((None, None, channels), name="seen")
    for i, (width, size, stride) in enumerate(((64, 5, 4), (128, 5, 4), (256, 5, 4), (512, 4, 1))):
        # the first convolution has no batch norm behind it
        x = layers.Conv2D(width, size, stride, "same", use_bias=i == 0)(x)
        if i:
            x = layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    logits = layers.Conv2D(1, 4, 1, "same", dtype="float32")(x)
    return keras.Model(image, logits, name="discriminator")


class AdversarialSiamese(Siamese):
    """A task network and its discriminator. Reports the task's own loss; the adversarial terms
    enter through their gradients alone.
    """

    def __init__(self, network: Network, recipe: Recipe, warm_up: int) -> None:
        super().__init__(network, counted=recipe.counted)
        task = network.task
        self.lightness = task.input == "lightness"
        self.share = recipe.norm_share
        self.noise = recipe.instance_noise
        self.warm_up = warm_up
        judged = 2 if self.lightness else task.output.channels
        self.discriminator = build_discriminator(task.input_channels + judged)
        self.step = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="step"
        )
        self.seeds = keras.random.SeedGenerator(0)

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        y = self.dense(y, y_pred)
        norm = super().compute_loss(x, y, y_pred, sample_weight, training)
        if not training:
            return norm
        real = self.shown(y, softmax=False)
        fake = self.shown(y_pred, softmax=True)
        fooled, judged = self.duel(x, real, fake)
        on = ops.cast(self.step >= self.warm_up, norm.dtype)
        self.step.assign_add(1)
        # norm + (share - 1) norm: the norm counts by its share
        beside = on * ((self.share - 1) * norm + (1 - self.share) * fooled + judged)
        return norm + beside - ops.stop_gradient(beside)

    def duel(self, condition: Tensor, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Returns (the generator's adversarial loss, the discriminator's loss): scalars. real,
        fake: [B, S, S, C].
        """
        condition = ops.cast(condition, fake.dtype)
        judge = self.discriminator
        frozen = [
            ops.stop_gradient(ops.convert_to_tensor(variable))
            for variable in judge.trainable_variables
        ]
        running = [ops.convert_to_tensor(variable) for variable in judge.non_trainable_variables]
        wished, _ = judge.stateless_call(
            frozen, running, self.noised(condition, fake), training=True
        )
        on_real = judge(self.noised(condition, real), training=True)
        on_fake = judge(self.noised(condition, ops.stop_gradient(fake)), training=True)
        return entropy(wished, 1.0), (entropy(on_real, REAL) + entropy(on_fake, 0.0)) / 2

    def noised(self, condition: Tensor, image: Tensor) -> Tensor:
        """Returns the input beside an image that has instance noise, which fades with the steps."""
        deviation = self.noise / (1 + NOISE_DECAY * ops.cast(self.step, image.dtype))
        noise = keras.random.normal(ops.shape(image), dtype=image.dtype, seed=self.seeds)
        return ops.concatenate([condition, image + deviation * noise], axis=-1)

    def shown(self, value: Tensor, softmax: bool) -> Tensor:
        """Returns what the discriminator sees of a target or an answer: of colours the mean (a, b)
        in units of 110, four times as large.
        """
        value = ops.cast(value, "float32")
        if not self.lightness:
            return value
        shares = ops.softmax(SHARPNESS * value) if softmax else value
        mean = ops.matmul(shares, ops.convert_to_tensor((bin_centres() / 110).astype("float32")))
        return ops.repeat(ops.repeat(mean, 4, axis=1), 4, axis=2)


def entropy(logits: Tensor, label: float) -> Tensor:
    """Returns the mean sigmoid cross-entropy against one label."""
    return ops.mean(ops.softplus(logits) - label * logits)


class PublishedAdam(AcrossReplicas, keras.optimizers.Adam):
    """Adam with the decay of kernels in the gradient; and, for variables of a discriminator, plain
    gradient descent, the two taking turns after the warm-up.

    decays: path of a variable -> decay, of those that decay. rivals: paths of the discriminator's
    variables. warm_up: steps that are all the generator's.
    """

    def __init__(
        self,
        learning_rate: Any,
        decays: Mapping[str, float],
        rivals: tuple[str, ...] = (),
        warm_up: int = 0,
        **keywords: Any,
    ) -> None:
        super().__init__(learning_rate, **keywords)
        # Keras would track a plain dictionary
        self.decays = MappingProxyType(dict(decays))
        self.rivals = frozenset(rivals)
        self.warm_up = warm_up
        self.paths: list[str] = []

    def build(self, variables: Sequence[keras.Variable]) -> None:
        # TensorFlow hands bare variables to update_step, which have no path.
        self.paths = [variable.path for variable in variables]
        super().build(variables)

    def update_step(self, gradient: Tensor, variable: Any, learning_rate: Tensor) -> None:
        index = self._get_variable_index(variable)
        rival = self.paths[index] in self.rivals
        decay = self.decays.get(self.paths[index], 0.0)
        if decay:
            gradient = gradient + decay * ops.convert_to_tensor(variable)
        if rival:
            rate = RATE * ops.cast(ops.logical_not(self.generators_turn()), variable.dtype)
            self.assign_sub(variable, rate * gradient)
        elif not self.rivals:
            super().update_step(gradient, variable, learning_rate)
        else:
            self.step_in_turn(gradient, variable, learning_rate, index)

    def step_in_turn(
        self, gradient: Tensor, variable: Any, learning_rate: Tensor, index: int
    ) -> None:
        """Adam's step, taken back where it is the discriminator's turn."""
        state = (variable, self._momentums[index], self._velocities[index])
        # A copy: TensorFlow may update buffers in place.
        before = [ops.convert_to_tensor(part) + 0.0 for part in state]
        super().update_step(gradient, variable, learning_rate)
        for part, old in zip(state, before):
            self.assign(part, ops.where(self.generators_turn(), ops.convert_to_tensor(part), old))

    def generators_turn(self) -> Tensor:
        """Returns True in the warm-up and at every second step after it."""
        late = self.iterations - self.warm_up
        return ops.logical_or(late < 0, ops.equal(ops.mod(late, 2), 0))
