"""The model that `fit` trains: one encoder on every image of a sample, one head on all codes."""

from __future__ import annotations

from typing import Any, Protocol

import keras
import numpy as np

from models.networks.losses.losses import LOSSES, mean_weight
from models.networks.tensors import Tensor
from models.networks.training.devices import part_of_mean_loss
from models.networks.training.sparse_targets import dense_target
from models.tasks import Task
from models.tasks.arrays import Floats

# (middle, unit), [channels] each: a target is learned as (target - middle) / unit.
Standard = tuple[Floats, Floats]


class Network(Protocol):
    """What is trained: a `task_networks.TaskNetwork`, which stands a floor above."""

    @property
    def task(self) -> Task: ...

    @property
    def encoder(self) -> keras.Model: ...

    @property
    def head(self) -> keras.Model: ...

    @property
    def images(self) -> int: ...


class Siamese(keras.Model):
    """Network: encoder, head, images, task. Trained by the mean over samples of the task's own
    loss; `sample_weight` carries the mask.

    standard: (middle, unit), [channels] each, for numbers that are learned as (target - middle) /
    unit, so that a step of the optimiser means as much for depths, which differ by hundredths, as
    for curvatures, which differ by ones; the loss stays the task's own. `fold` puts both into the
    head's last layer. counted: is a map's loss divided by how many of its pixels have a weight, in
    place of the sum of their weights?

    Targets of a task with `shares` may come in the sparse form (`sparse_targets.py`).
    """

    def __init__(
        self, network: Network, standard: Standard | None = None, counted: bool = False
    ) -> None:
        super().__init__()
        self.encoder = network.encoder
        self.head = network.head
        self.images = network.images
        self.loss_of = LOSSES[network.task.loss]
        self.shares = network.task.shares
        self.standard = standard
        self.counted = counted

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        shape = keras.ops.shape(inputs)
        flat = keras.ops.reshape(inputs, (-1, *shape[-3:])) if self.images > 1 else inputs
        code = self.encoder(flat, training=training)
        if self.images > 1:
            code = keras.ops.reshape(code, (-1, self.images, *code.shape[1:]))
        answer = self.head(code, training=training)
        if self.standard is None:
            return answer
        middle, unit = (keras.ops.convert_to_tensor(part, answer.dtype) for part in self.standard)
        return answer * unit + middle

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        losses = self.loss_of(self.dense(y, y_pred), sample_weight, y_pred)
        if self.counted:
            losses = losses * mean_weight(sample_weight)
        return part_of_mean_loss(keras.ops.mean(losses))

    def dense(self, target: Tensor, answer: Tensor) -> Tensor:
        """Returns targets of all channels, as the answers have them."""
        return dense_target(target, answer.shape[-1]) if self.shares else target

    def fold(self) -> None:
        """Lets the head alone give the answers. To be called once, when training is over: a
        compiled step still knows the old form.
        """
        if self.standard is None:
            return
        middle, unit = self.standard
        self.scale_answer(unit, middle)
        self.standard = None

    def unfold(self) -> None:
        """Lets a head that gives the answers alone, as after `fold`, be standardised again."""
        if self.standard is None:
            return
        middle, unit = (np.asarray(part) for part in self.standard)
        # the inverse of what `fold` did: (answer - middle) / unit
        self.scale_answer(1 / unit, -middle / unit)

    def scale_answer(self, factor: Floats, offset: Floats) -> None:
        """Multiplies the head's answers by a factor and adds an offset, [channels] each, in its
        last layer.
        """
        layer: Any = self.head.get_layer("answer")
        turned = isinstance(layer, keras.layers.Conv2DTranspose)  # its kernel is [h, w, out, in]
        layer.kernel.assign(np.asarray(layer.kernel) * (factor[:, None] if turned else factor))
        layer.bias.assign(np.asarray(layer.bias) * factor + offset)
