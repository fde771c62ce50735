"""The questions that a bundle answers, each a signature of TensorFlow Serving's predict method. All
share one graph; a filter narrows any of them.

| signature | takes | gives |
|---|---|---|
| `serving_default` | `images` float [N, S, S, 3] in [0, 1] | every task about one view, small form |
| `images` | the same | every task about one view, in every form |
| `image_bytes` | `image_bytes` string [N], JPEG or PNG | the same |
| `compact` | the same bytes | every task in its small form: PNG maps, likeliest classes, vectors |
| `<task>`, `<task>_images`, `<task>_compact` | bytes, floats, bytes | one task, every or small form |
| `encode`, `encode_images` | bytes, floats | `code_<source>` float [N, h, w, c]: representations |
| `decode_<task>` | `code_<source>` of its sources | the task, from representations kept from before |

The default answers in small forms because a stock gRPC client reads 4 MiB: every form of two
pictures of 64 pixels is over it, and at 256 pixels that of one.

Tasks about k = 2 or 3 views: `images_k`, `image_bytes_k`, `compact_k` take [N, k, S, S, 3] or [N,
k]; `<task>` and its variants likewise.
"""

from __future__ import annotations

from models.tasks import TASKS
from serving.bundle.forms import compact


def belongs(output: str, task: str) -> bool:
    """is `output` a form of `task`'s answer? No task's name is another's with a form's ending."""
    return output == task or (output.startswith(f"{task}_") and output not in TASKS)


def signatures(graph, outputs: dict, heads) -> dict:
    """signature name -> SignatureDef. outputs: every form by name; heads: groups of targets by
    views (`serving.bundle.build.Heads`).
    """
    import tensorflow as tf

    info = tf.compat.v1.saved_model.build_tensor_info
    made = {}

    def add(name: str, inputs: dict, wanted) -> None:
        made[name] = tf.compat.v1.saved_model.build_signature_def(
            {key: info(value) for key, value in inputs.items()},
            {output: info(outputs[output]) for output in wanted},
            "tensorflow/serving/predict",
        )

    for images in heads.kinds:
        tasks, ending = heads.group(images), "" if images == 1 else f"_{images}"
        text = {"image_bytes": graph.get_tensor_by_name(f"image_bytes_{images}:0")}
        floats = {"images": graph.get_tensor_by_name(f"images_{images}:0")}
        every = {name: [output for output in outputs if belongs(output, name)] for name in tasks}
        small = [output for name in tasks for output in compact(name, outputs)]
        if images == 1:
            add("serving_default", floats, small)
        add(f"images{ending}", floats, sum(every.values(), []))
        add(f"image_bytes{ending}", text, sum(every.values(), []))
        add(f"compact{ending}", text, small)
        for name in tasks:
            add(name, text, every[name])
            add(f"{name}_images", floats, every[name])
            add(f"{name}_compact", text, compact(name, outputs))
            if images == 1:
                codes = {
                    f"code_{source}": graph.get_tensor_by_name(f"code_{source}:0")
                    for source in heads.edges[name][0]
                }
                add(f"decode_{name}", codes, every[name])
    codes = [f"code_{name}" for name in heads.networks]
    add("encode", {"image_bytes": graph.get_tensor_by_name("image_bytes_1:0")}, codes)
    add("encode_images", {"images": graph.get_tensor_by_name("images_1:0")}, codes)
    return made
