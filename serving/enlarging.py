"""Enlargement of maps as one operation: `repeat` along height and then width, some thirty operations in Keras' UpSampling2D and in the readouts."""

from __future__ import annotations


def enlarged(graph_def):
    """a GraphDef whose maps [N, h, w, c], repeated k times along both sides, are resized by nearest neighbour instead: the same numbers.

    Only k that are powers of two: the kernel divides in floating point, which is exact for these. What is left over of a repeat is for `merged` to prune.
    """
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(graph_def, name="")
    made = tf.compat.v1.GraphDef()
    made.CopyFrom(graph_def)
    for node in list(made.node):
        wide = repeated(graph.get_operation_by_name(node.name), 2)
        tall = repeated(wide[0].op, 1) if wide else None
        if not tall or tall[1] != wide[1] or tall[1] & (tall[1] - 1) or tall[0].dtype != tf.float32:
            continue
        source, factor = tall
        sides = made.node.add(name=f"{node.name}/sides", op="Const")
        sides.attr["dtype"].type = tf.int32.as_datatype_enum
        sides.attr["value"].tensor.CopyFrom(tf.make_tensor_proto([factor * source.shape[1], factor * source.shape[2]], tf.int32))
        replaced = tf.compat.v1.NodeDef(name=node.name, op="ResizeNearestNeighbor", input=[source.name, sides.name])
        replaced.attr["T"].type = tf.float32.as_datatype_enum
        node.CopyFrom(replaced)
    return made


def repeated(operation, axis: int):
    """(tensor, k) if `operation` is the last one of `repeat(tensor, k, axis)` of a map of known sides, as tf.repeat writes it, else None."""
    import tensorflow as tf

    if operation.type != "Reshape" or operation.inputs[0].op.type != "Tile":
        return None
    tile = operation.inputs[0].op
    if tile.inputs[0].op.type != "ExpandDims":
        return None
    source, place = tile.inputs[0].op.inputs
    multiples, place, tiled = tf.get_static_value(tile.inputs[1], partial=True), tf.get_static_value(place), tile.outputs[0].shape
    if multiples is None or place is None or int(place) != axis + 1 or source.shape.rank != 4 or None in list(source.shape)[1:] or multiples[0] != 1:
        return None
    factor, sides = tiled[axis + 1], list(source.shape)
    if factor is None or list(tiled)[1:] != [*sides[1 : axis + 1], factor, *sides[axis + 1 :]]:
        return None
    return (source, factor) if list(operation.outputs[0].shape)[1:] == [side * factor if i == axis else side for i, side in enumerate(sides) if i] else None
