"""A small SavedModel that every API can ask: for tests of a server's doors."""

from pathlib import Path


def save_lines(folder: Path, factor: float) -> None:
    """x float [N, 2] -> y = factor x; tf.Examples with a feature x -> class, score, number."""
    import tensorflow as tf

    v1 = tf.compat.v1
    with v1.Session(graph=tf.Graph()) as session:
        x = v1.placeholder(tf.float32, [None, 2], "x")
        texts = v1.placeholder(tf.string, [None], "examples")
        number = v1.io.parse_example(texts, {"x": v1.FixedLenFeature([], tf.float32)})["x"] * factor
        classes = tf.stack(
            [tf.fill(tf.shape(number), "small"), tf.fill(tf.shape(number), "large")], 1
        )
        make, info = v1.saved_model.build_signature_def, v1.saved_model.build_tensor_info
        signatures = {
            "serving_default": make(
                {"x": info(x)}, {"y": info(x * factor)}, "tensorflow/serving/predict"
            ),
            "classify": make(
                {"inputs": info(texts)},
                {"classes": info(classes), "scores": info(tf.stack([-number, number], 1))},
                "tensorflow/serving/classify",
            ),
            "regress": make(
                {"inputs": info(texts)}, {"outputs": info(number)}, "tensorflow/serving/regress"
            ),
        }
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, ["serve"], signatures)
        builder.save()


def line_example(value: float):
    """a tf.Example with the feature that `classify` and `regress` read."""
    import tensorflow as tf

    return tf.train.Example(
        features=tf.train.Features(
            feature={"x": tf.train.Feature(float_list=tf.train.FloatList(value=[value]))}
        )
    )
