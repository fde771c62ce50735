"""A SavedModel in a session, asked without a server: what a bundle says, and nothing else."""

from pathlib import Path

import numpy as np


class BareModel:
    """signatures: name -> SignatureDef; `run(signature, inputs, wanted)`: outputs by name, all if
    none are named; graph: as loaded.
    """

    def __init__(self, folder: Path) -> None:
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        self.graph = tf.Graph()
        self.session = tf.compat.v1.Session(graph=self.graph)
        with self.graph.as_default():
            self.signatures = dict(
                tf.compat.v1.saved_model.loader.load(
                    self.session, ["serve"], str(folder)
                ).signature_def
            )

    def run(
        self, signature: str, inputs: dict[str, np.ndarray], wanted=()
    ) -> dict[str, np.ndarray]:
        entry = self.signatures[signature]
        names = list(wanted) or sorted(entry.outputs)
        feeds = {entry.inputs[name].name: value for name, value in inputs.items()}
        return dict(
            zip(names, self.session.run([entry.outputs[name].name for name in names], feeds))
        )
