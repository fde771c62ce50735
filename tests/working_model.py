"""A small SavedModel with many outputs and a question of any length: for tests of a server under
faults.
"""

from pathlib import Path

OUTPUTS = 12


def save_working(folder: Path, factor: float) -> Path:
    """signatures: `serving_default` x float [N, 2] -> y0 .. y11 = factor x + i; `work` loops int32
    [N] -> done, one product of 200 x 200 matrices a loop, so that it can be stopped by its
    deadline; `hold` folder string [N] -> looks: writes FOLDER/begun, then looks for FOLDER/go until
    it is there.
    """
    import tensorflow as tf

    v1 = tf.compat.v1
    make, info = v1.saved_model.build_signature_def, v1.saved_model.build_tensor_info
    with v1.Session(graph=tf.Graph()) as session:
        x = v1.placeholder(tf.float32, [None, 2], "x")
        loops = v1.placeholder(tf.int32, [None], "loops")
        outputs = {f"y{i}": info(x * factor + float(i)) for i in range(OUTPUTS)}
        start = (tf.constant(0), tf.ones([200, 200]))
        done, last = v1.while_loop(
            lambda i, _: i < tf.reduce_max(loops),
            lambda i, m: (i + 1, tf.matmul(m, m) / 200.0),
            start,
        )
        folders = v1.placeholder(tf.string, [None], "folder")
        with tf.control_dependencies(
            [tf.io.write_file(tf.strings.join([folders[0], "/begun"]), "")]
        ):
            none = tf.identity(0)

        def goal(i):
            return tf.strings.join(
                [folders[0], tf.where(i < 0, "/never", "/go")]
            )  # reads i, so that no pass moves it out of the loop

        looks = v1.while_loop(
            lambda i: tf.equal(tf.size(tf.raw_ops.MatchingFiles(pattern=goal(i))), 0),
            lambda i: i + 1,
            (none,),
        )
        signatures = {
            "serving_default": make({"x": info(x)}, outputs, "tensorflow/serving/predict"),
            "hold": make(
                {"folder": info(folders)},
                {"looks": info(tf.fill(tf.shape(folders), looks))},
                "tensorflow/serving/predict",
            ),
            "work": make(
                {"loops": info(loops)},
                {"done": info(loops * 0 + done), "corner": info(last[0, 0])},
                "tensorflow/serving/predict",
            ),
        }
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, ["serve"], signatures)
        builder.save()
    return folder
