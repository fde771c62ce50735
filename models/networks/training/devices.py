"""One network on several devices: every step's samples are shared out among them, all hold the same
weights, and the losses are those of one device to rounding.

On JAX by Keras' own `keras.distribution.DataParallel`: the program is the one of a single device,
over a batch that lies in pieces, so that batch norm, clipping and random numbers see the whole
batch. On TensorFlow Keras' own does nothing (its `backend/tensorflow/distribution_lib.py` opens
with "DO NOT USE", and `distribute_value` is empty): there `tf.distribute.MirroredStrategy` runs a
copy of the program on each device, `fit` deals out the batch, batch norm is made to exchange its
sums, and `AcrossReplicas` adds the gradients up before an optimiser looks at them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras

from models.networks.tensors import Tensor


class TooFewDevices(ValueError):
    """A configuration asks for more devices than there are."""


def devices_sharing(batch: int, devices: int) -> int:
    """Returns how many of `devices` share a batch: the most that divide it, since unequal pieces
    would weigh samples unequally, and padding would change batch norm.
    """
    return max(count for count in range(1, devices + 1) if batch % count == 0)


def replicas() -> int:
    """Returns the number of devices that what is built now is spread over; 1 outside `spread`."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf  # where JAX trains, TensorFlow need not be there

        return int(tf.distribute.get_strategy().num_replicas_in_sync)
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else int(distribution.device_mesh.devices.size)


@contextlib.contextmanager
def spread(devices: int, batch: int) -> Iterator[int]:
    """Spreads a model that is built, compiled and trained inside over several devices, whose number
    it gives.

    batch: samples a step, of which each device gets as many. On JAX whatever is given to it inside
    must divide by their number too. Raises TooFewDevices.
    """
    count = devices_sharing(batch, devices)
    if count == 1:
        yield 1
        return
    names = device_names(devices)[:count]
    with device_scope(names):
        yield count


def device_names(devices: int) -> list[str]:
    """Returns the machine's accelerators, or its (logical) CPUs where it has none. Raises
    TooFewDevices where they are fewer than `devices`.
    """
    names = [str(name) for name in keras.distribution.list_devices()]
    if len(names) < devices:
        raise TooFewDevices(
            f"devices is {devices}, but {keras.backend.backend()} sees {len(names)} here "
            f"({', '.join(names)}); set devices to at most {len(names)}"
        )
    return names


def device_scope(names: Sequence[str]) -> Any:
    """Returns the context that spreads over these devices."""
    if keras.backend.backend() != "tensorflow":
        # A batch is one process's: nothing to share out among machines.
        return keras.distribution.DataParallel(
            devices=list(names), auto_shard_dataset=False
        ).scope()
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(list(names)).scope()


def synchronise(model: keras.Model) -> None:
    """Lets batch norm of a model inside `spread` take the whole batch's statistics. On JAX it does
    so by itself.
    """
    if keras.backend.backend() != "tensorflow" or replicas() == 1:
        return
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True
        elif isinstance(layer, keras.Model):
            synchronise(layer)


def part_of_mean_loss(loss: Tensor) -> Tensor:
    """Returns this device's part of the batch's mean loss, from the mean over its own samples:
    Keras, and `AcrossReplicas`, add these up on TensorFlow. On JAX a loss is of the whole batch
    already.
    """
    return loss / replicas() if keras.backend.backend() == "tensorflow" else loss


class AcrossReplicas(keras.optimizers.Optimizer):
    """An optimiser whose gradients are added up over TensorFlow's devices before they are clipped,
    not after, as Keras' are, so that each device would clip its own.
    """

    def _clip_gradients(self, grads: Sequence[Tensor]) -> Any:
        if keras.backend.backend() == "tensorflow" and replicas() > 1:
            import tensorflow as tf

            context = tf.distribute.get_replica_context()
            grads = context.all_reduce(tf.distribute.ReduceOp.SUM, list(grads))
        return super()._clip_gradients(grads)

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        return grads_and_vars  # they are
