"""A SavedModel as one flat graph of constants, so that it can be laid into another graph: what a
bundle exports has no function calls and no weights outside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from models.networks.sources.description import SourceError
from models.networks.tensors import Tensor

SIGNATURE = "serving_default"


@dataclass(frozen=True)
class FlatGraph:
    """A GraphDef of constants: names of the tensor that it takes and of that which it gives, shape
    (() if the model does not say) and dtype of what it takes.
    """

    graph: Any
    input_name: str
    output_name: str
    shape: tuple[int | None, ...]
    dtype: str


def frozen_signature(folder: Path) -> FlatGraph:
    """Returns the default signature of a SavedModel, which takes one tensor and gives one. Raises
    SourceError for other models.
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
    function = convert_variables_to_constants_v2(signature)
    graph = function.graph.as_graph_def()
    if not signature.variables and not holds_weights(graph):
        raise SourceError(f"{folder} has no weights: it is no trained encoder")
    inputs = [tensor for tensor in function.inputs if tensor.dtype != tf.resource]
    if len(inputs) != 1 or len(function.outputs) != 1:
        raise SourceError(
            f"{folder} takes {len(inputs)} tensors and gives {len(function.outputs)}; expected one "
            "picture in and one map out"
        )
    # The graph may have lost it: the signature says what the model was exported for.
    [spec] = signature.structured_input_signature[1].values()
    shape = () if spec.shape.rank is None else tuple(spec.shape.as_list())
    return FlatGraph(graph, inputs[0].name, function.outputs[0].name, shape, inputs[0].dtype.name)


def holds_weights(graph: Any) -> bool:
    """Returns whether a GraphDef has constants of several axes, as a model has whose weights were
    frozen.
    """
    import tensorflow as tf

    nodes = [*graph.node, *(node for each in graph.library.function for node in each.node_def)]
    tensors = [node.attr["value"].tensor for node in nodes if node.op == "Const"]
    return any(
        tf.dtypes.as_dtype(tensor.dtype).is_floating and len(tensor.tensor_shape.dim) > 1
        for tensor in tensors
    )


class FrozenGraph(keras.layers.Layer):
    """[B, S, S, 3] -> what the graph gives. picture_shape: of the pictures, as the model states it,
    () if it states none. picture_dtype: theirs.
    """

    def __init__(self, folder: Path) -> None:
        import tensorflow as tf

        super().__init__(trainable=False, autocast=False)
        flat = frozen_signature(folder)
        self.picture_shape = flat.shape
        self.picture_dtype = flat.dtype
        # Closures hide them from Keras, which would make a copy of what it finds in attributes.
        self.laid_in: Callable[[Tensor], Tensor] = lambda value: tf.graph_util.import_graph_def(
            flat.graph, {flat.input_name: value}, [flat.output_name], name="outside"
        )[0]
        function: Any = tf.compat.v1.wrap_function(
            self.laid_in, [tf.TensorSpec([None, None, None, 3], flat.dtype)]
        )
        self.eager: Callable[[Tensor], Tensor] = lambda value: function(value)

    def call(self, pictures: Tensor) -> Tensor:
        import tensorflow as tf

        return self.eager(pictures) if tf.executing_eagerly() else self.laid_in(pictures)
