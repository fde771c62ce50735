"""A SavedModel as one flat graph of constants, so that it can be laid into another graph: what a
bundle exports has no function calls and no weights outside it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from models.networks.sources.description import SourceError
from models.networks.tensors import Tensor

SIGNATURE = "serving_default"


def frozen(folder: Path) -> tuple[Any, str, str]:
    """(GraphDef, its input, its output) of the default signature of a SavedModel, which takes one
    tensor and gives one. Raises SourceError for other models.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    try:
        model = tf.saved_model.load(str(folder))
        signature = model.signatures[SIGNATURE]
    except (OSError, ValueError, KeyError) as error:
        raise SourceError(
            f"{folder} is no SavedModel with the signature {SIGNATURE}: "
            f"{str(error).splitlines()[0]}"
        ) from error
    if not signature.variables:
        raise SourceError(f"{folder} has no weights: it is no trained encoder")
    function = convert_variables_to_constants_v2(signature)
    inputs = [tensor for tensor in function.inputs if tensor.dtype != tf.resource]
    if len(inputs) != 1 or len(function.outputs) != 1:
        raise SourceError(
            f"{folder} takes {len(inputs)} tensors and gives {len(function.outputs)}; expected one "
            "picture in and one map out"
        )
    return function.graph.as_graph_def(), inputs[0].name, function.outputs[0].name


class FrozenGraph(keras.layers.Layer):
    """[B, S, S, 3] -> what the graph gives."""

    def __init__(self, folder: Path) -> None:
        import tensorflow as tf

        super().__init__(trainable=False)
        graph, taken, given = frozen(folder)
        # Closures hide them from Keras, which would make a copy of what it finds in attributes.
        self.laid_in: Callable[[Tensor], Tensor] = lambda value: tf.graph_util.import_graph_def(
            graph, {taken: value}, [given], name="outside"
        )[0]
        function: Any = tf.compat.v1.wrap_function(
            self.laid_in, [tf.TensorSpec([None, None, None, 3], tf.float32)]
        )
        self.eager: Callable[[Tensor], Tensor] = lambda value: function(value)

    def call(self, pictures: Tensor) -> Tensor:
        import tensorflow as tf

        return self.eager(pictures) if tf.executing_eagerly() else self.laid_in(pictures)
