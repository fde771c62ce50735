"""The forms of an answer: floats, whole-number codes of a map, the same as PNG, the likeliest
classes, vectors in metres and radians.

Codes follow the published files where there is one of the task (depth: 16 bits of 1/512 m; normals,
reshading, curvature, semantic ids), so that a PNG answer is a file of the published layout; the
other maps are stretched linearly. A form that is not asked for is not computed.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any

from models.tasks import Task, by_kind, task
from models.tasks.arrays import Floats
from serving.bundle.class_names import channel_names
from serving.bundle.published_codes import curvature_codes, depth_codes

# Mean and deviation of a vector's numbers in the training split.
Whitening = tuple[Floats, Floats]
TOP = 5
ROWS = 16
# a few outliers would otherwise squeeze all other values into a few codes
LARGEST_LINEAR = 10.0  # labels that are not clipped may be rare hundreds; codes end here
# the smallest first, and "" (the answer itself) last: `compact` takes the first that is there
SMALL_FORMS = (("_png_bytes",), ("_top_ids", "_top_scores", "_top_names"), ("_metric",), ("",))


@dataclass(frozen=True)
class Code:
    """How a map is written in whole numbers. kind: `linear` low to high over all codes, `depth`,
    `curvature`, `ids` (shifted by `low`), `directions`.
    """

    kind: str
    bits: int
    channels: int
    low: float = 0.0
    high: float = 0.0

    @property
    def largest(self) -> int:
        return 2**self.bits - 1

    @property
    def meaning(self) -> str:
        """What a code of an answer means, as the contract says it."""
        step = f"{self.high - self.low:g} / {self.largest}"
        return {
            "linear": f"value = {self.low:g} + code * {step}",
            "depth": "code in 1/512 metre, as published",
            "curvature": "(code - 127) / 127 / 0.03 per metre in R and G, as published",
            "ids": f"class = code - {self.low:g}, as published",
            "directions": "three strongest directions of the embedding, each stretched over its "
            "range: for looking at",
        }[self.kind]


def code_of(entry: Task) -> Code | None:
    """Returns how a map is written in whole numbers; None for answers that are not written so."""
    return CODES[entry.output.kind](entry)


def pixel_code(entry: Task) -> Code | None:
    """Returns the code of a map of numbers: the published one for depth and curvature, else
    stretched grey or colours; None for other numbers of channels.
    """
    if entry.make == "depth":
        return Code("depth", 16, 1)
    # three channels, since published files are RGB; the third stays 0
    if entry.make == "curvature":
        return Code("curvature", 8, 3)
    # a map of other widths is no picture that anybody could look at
    if entry.output.channels not in (1, 3):
        return None
    return Code("linear", 8, entry.output.channels, entry.low, min(entry.high, LARGEST_LINEAR))


def class_code(entry: Task) -> Code | None:
    """Returns the code of a map of classes; None for classes that 8 bits cannot count, as the 313
    colour bins (a source only).
    """
    # published ids begin with 0 for uncertain, which is no answer: class 0 is written as 1
    return Code("ids", 8, 1, 1.0) if entry.output.channels < 256 else None


def direction_code(entry: Task) -> Code | None:
    return Code("directions", 8, 3)


def no_code(entry: Task) -> Code | None:
    """Returns None: the answer is no map."""
    return None


CODES: dict[str, Callable[[Task], Code | None]] = by_kind(
    "whole-number codes",
    {
        "pixels": pixel_code,
        "pixel_classes": class_code,
        "embedding": direction_code,
        "classes": no_code,
        "vector": no_code,
    },
)


def codes(entry: Task, value: Any) -> Any:
    """Converts answers, float [N, S, S, c], to whole numbers, float [N, S, S, channels], before the
    cast. It uses keras.ops: the graph and the parity check share it. Raises ValueError for a task
    without codes.
    """
    from keras import ops

    code = code_of(entry)
    if code is None:
        raise ValueError(f"expected a task whose answers are maps with codes, got {entry.name}")
    if code.kind == "ids":
        return ops.cast(ops.argmax(value, -1), "float32")[..., None] + code.low
    if code.kind == "depth":
        return depth_codes(value)
    if code.kind == "curvature":
        return curvature_codes(value)
    if code.kind == "directions":
        return ops.round(strongest_directions(value) * code.largest)
    share = ops.clip((value - code.low) / (code.high - code.low), 0, 1)
    return ops.round(share * code.largest)


def strongest_directions(value: Any) -> Any:
    """Converts embeddings [N, S, S, c] to [N, S, S, 3] in [0, 1]: principal components of each
    image's embedding, signs fixed.

    The components are those of about `ROWS` rows: they hold 96 % or more of the variance that the
    three of all rows do (20 views of the demo), and a batch of 8 pictures' codes of both
    segmentations takes 24 core ms in place of 28.
    """
    from keras import ops

    # the batch is only known when a request comes
    count = ops.shape(value)[0]
    # the sides are known when the graph is traced, and so are the rows
    height, width, channels = value.shape[1:]
    rows = range(0, height, max(1, height // ROWS))
    sample = ops.take(value, list(rows), axis=1)
    sample = ops.reshape(sample, (-1, len(rows) * width, channels))
    mean = ops.mean(sample, 1, keepdims=True)
    centred = sample - mean
    _, axes = ops.eigh(ops.matmul(ops.transpose(centred, (0, 2, 1)), centred))
    # `eigh` sorts upwards: the last three, the strongest first
    axes = axes[..., -1:-4:-1]
    # an eigenvector's sign is a matter of the solver: two servers would paint two pictures
    axes = axes * ops.where(ops.sum(axes, 1, keepdims=True) < 0, -1.0, 1.0)
    pixels = ops.reshape(value, (-1, height * width, channels))
    turned = ops.matmul(pixels - mean, axes)
    low = ops.min(turned, 1, keepdims=True)
    high = ops.max(turned, 1, keepdims=True)
    # an embedding that is the same everywhere has no range
    shares = (turned - low) / ops.maximum(high - low, 1e-6)
    return ops.reshape(shares, (count, height, width, 3))


def forms(name: str, value: Any, whitening: Whitening | None = None) -> dict[str, Any]:
    """Returns every form of the answers to task `name`: output name -> tensor.

    value: float [N, ...]. Adds `_codes` (uint8 or uint16 [N, S, S, c]) and `_png_bytes` (string
    [N]) to maps, `_top_ids`, `_top_scores`, `_top_names` ([N, 5]) to classes, `_metric` (metres,
    radians) to vectors whose `whitening` (mean, deviation) is given.
    """
    entry = task(name)
    more = FORMS[entry.output.kind](entry, value, whitening)
    return {name: value, **{f"{name}_{ending}": form for ending, form in more.items()}}


def map_forms(entry: Task, value: Any, whitening: Whitening | None) -> dict[str, Any]:
    """Returns the forms of a map: whole numbers, and a PNG of them; none where no code fits."""
    import tensorflow as tf

    code = code_of(entry)
    if code is None:
        return {}
    whole = tf.cast(codes(entry, value), tf.uint8 if code.bits == 8 else tf.uint16)
    # compression 1: writing PNG dominates a call as it is
    return {"codes": whole, "png_bytes": tf.io.encode_png(whole, compression=1)}


def class_forms(entry: Task, value: Any, whitening: Whitening | None) -> dict[str, Any]:
    """Returns the forms of classes: the likeliest five, their probabilities and their names."""
    import tensorflow as tf

    # tasks of fewer classes than TOP have them all
    scores, ids = tf.math.top_k(tf.nn.softmax(value), min(TOP, entry.output.channels))
    names = tf.gather(tf.constant(channel_names(entry.name)), ids)
    return {"top_ids": ids, "top_scores": scores, "top_names": names}


def vector_forms(entry: Task, value: Any, whitening: Whitening | None) -> dict[str, Any]:
    """Returns the form of a vector in its own units, where it was learned whitened; else none."""
    import tensorflow as tf

    if whitening is None:
        return {}
    mean, deviation = whitening
    # constants, not attributes: the bundle holds all that an answer needs
    return {"metric": value * tf.constant(deviation, tf.float32) + tf.constant(mean, tf.float32)}


FORMS: dict[str, Callable[[Task, Any, Whitening | None], dict[str, Any]]] = by_kind(
    "forms of an answer",
    {
        "pixels": map_forms,
        "pixel_classes": map_forms,
        "embedding": map_forms,
        "classes": class_forms,
        "vector": vector_forms,
    },
)


def compact(name: str, offered: Container[str]) -> list[str]:
    """Returns the small forms of task `name` among the outputs `offered`: PNG for maps, the
    likeliest classes, or the vector itself.
    """
    for endings in SMALL_FORMS:
        outputs = [name + ending for ending in endings]
        if all(output in offered for output in outputs):
            return outputs
    return []
