"""Makes targets dense that batches carry in the sparse form (`models.tasks.labels.sparse_shares`):
where they are used, so that feeders, queues and the way to a GPU carry a thirtieth.
"""

from __future__ import annotations

from keras import ops

from models.networks.tensors import Tensor


def dense_target(target: Tensor, channels: int) -> Tensor:
    """Returns targets [B, ..., channels], the same numbers, of targets in the sparse form, [B, ...,
    2 count]; those of `channels` channels as they are.
    """
    width = target.shape[-1]
    if width == channels:
        return target
    count = width // 2
    shape = ops.shape(target)[:-1]
    rows = ops.reshape(target, (-1, width))
    pixels = ops.shape(rows)[0]
    # places that stand for no share are channel 0 and add 0
    places = ops.cast(rows[:, :count], "int32") + channels * ops.arange(pixels)[:, None]
    dense = ops.scatter(
        ops.reshape(places, (-1, 1)), ops.reshape(rows[:, count:], (-1,)), (pixels * channels,)
    )
    return ops.reshape(dense, (*shape, channels))
