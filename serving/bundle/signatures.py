"""The questions that a bundle answers, each a signature of TensorFlow Serving's predict method. All
share one graph; a filter narrows any of them.

| signature | takes | gives |
|---|---|---|
| `serving_default` | `images` float [N, S, S, 3] in [0, 1] | tasks about one view, small forms |
| `images` | the same | every task about one view, in every form |
| `image_bytes` | `image_bytes` string [N], JPEG or PNG | the same |
| `compact` | the same bytes | every task in its small form: PNG maps, likeliest classes, vectors |
| `<task>`, `<task>_images`, `<task>_compact` | bytes, floats, bytes | one task, all or small |
| `encode`, `encode_images` | bytes, floats | `code_<source>` float [N, h, w, c]: representations |
| `decode_<task>` | `code_<source>` of its sources | the task, from representations kept |

The default answers in small forms because a stock gRPC client reads 4 MiB: every form of two
pictures of 64 pixels is over it, and at 256 pixels that of one.

Tasks about k = 2 or 3 views: `images_k`, `image_bytes_k`, `compact_k` take [N, k, S, S, 3] or [N,
k]; so do `<task>` and its variants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from models.tasks import TASKS
from serving.bundle.forms import compact
from serving.bundle.heads import Heads

PREDICT = "tensorflow/serving/predict"  # TensorFlow Serving's name of the method


def belongs(output: str, task: str) -> bool:
    """Returns whether `output` is a form of `task`'s answer. No task's name is another's with a
    form's ending.
    """
    # a form of another task could begin with this one's name, but would then be a task itself
    return output == task or (output.startswith(f"{task}_") and output not in TASKS)


def signatures(graph: Any, outputs: Mapping[str, Any], heads: Heads) -> dict[str, Any]:
    """Returns signature name -> SignatureDef. graph: tf.Graph that holds the fed tensors; outputs:
    every form by name.
    """
    questions = Questions(graph, outputs)
    for images in heads.kinds:
        questions.add_views(heads, images)
    # every representation, whatever targets there are: who keeps one may ask any head later
    codes = [f"code_{name}" for name in heads.networks]
    questions.add("encode", questions.fed("image_bytes", "image_bytes_1"), codes)
    questions.add("encode_images", questions.fed("images", "images_1"), codes)
    return questions.signatures


class Questions:
    """Collects the signatures of a graph. signatures: what was added so far, by name."""

    def __init__(self, graph: Any, outputs: Mapping[str, Any]) -> None:
        self.graph = graph
        self.outputs = outputs
        self.signatures: dict[str, Any] = {}

    def add(self, name: str, inputs: Mapping[str, Any], outputs: Iterable[str]) -> None:
        """Adds a signature. inputs: tensors by alias; outputs: names of forms."""
        from tensorflow.compat.v1 import saved_model

        # the tensor's name, type and shape: what a client reads as metadata
        info = saved_model.build_tensor_info
        self.signatures[name] = saved_model.build_signature_def(
            {key: info(value) for key, value in inputs.items()},
            {output: info(self.outputs[output]) for output in outputs},
            PREDICT,
        )

    def fed(self, alias: str, tensor: str) -> dict[str, Any]:
        return {alias: self.graph.get_tensor_by_name(f"{tensor}:0")}

    def add_views(self, heads: Heads, images: int) -> None:
        """Adds every question about `images` views."""
        tasks = heads.group(images)
        ending = "" if images == 1 else f"_{images}"
        text = self.fed("image_bytes", f"image_bytes_{images}")
        floats = self.fed("images", f"images_{images}")
        forms = {name: [form for form in self.outputs if belongs(form, name)] for name in tasks}
        every = [form for name in tasks for form in forms[name]]
        small = [form for name in tasks for form in compact(name, self.outputs)]
        if images == 1:
            self.add("serving_default", floats, small)
        self.add(f"images{ending}", floats, every)
        self.add(f"image_bytes{ending}", text, every)
        self.add(f"compact{ending}", text, small)
        for name in tasks:
            self.add(name, text, forms[name])
            self.add(f"{name}_images", floats, forms[name])
            self.add(f"{name}_compact", text, compact(name, self.outputs))
            # for several views the head reads them joined: no single representation would do
            if images == 1:
                self.add(f"decode_{name}", self.codes(heads.edges[name][0]), forms[name])

    def codes(self, sources: Iterable[str]) -> dict[str, Any]:
        """Returns the representations that a head reads, tensors by alias."""
        fed: dict[str, Any] = {}
        for source in sources:
            fed.update(self.fed(f"code_{source}", f"code_{source}"))
        return fed
