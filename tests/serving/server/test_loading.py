"""Which versions are let in, and how they are warmed up."""

import numpy as np
import pytest
from line_model import line_example, save_lines
from signing_keys import key_pair

from serving.errors import ServingError
from serving.release.signing import sign
from serving.server.loading import WARMUP, Loading, load
from serving.server.models import END, Model

METHODS = {"classify": "tensorflow/serving/classify", "regress": "tensorflow/serving/regress"}


@pytest.fixture
def folder(tmp_path):
    save_lines(tmp_path / "1", 3.0)
    return tmp_path / "1"


def test_a_version_that_nobody_trusted_signed_is_not_served(folder):
    private, public = key_pair()
    loading = Loading(trusted=public)
    model = Model("lines", folder.parent, loading=loading)
    model.poll()
    state = model.states[1]
    assert model.current is None and state.phase == END and "manifest" in state.error
    sign(folder, private)
    model = Model("lines", folder.parent, loading=loading)
    model.poll()
    assert model.current is not None
    stranger = Loading(trusted=key_pair()[1])
    with pytest.raises(ValueError, match="signed"):
        load(folder, 1, stranger)


def test_one_flipped_byte_is_refused(folder):
    private, public = key_pair()
    sign(folder, private)
    graph = bytearray((folder / "saved_model.pb").read_bytes())
    graph[len(graph) // 2] ^= 1
    (folder / "saved_model.pb").write_bytes(graph)
    with pytest.raises(ValueError, match="changed: saved_model.pb"):
        load(folder, 1, Loading(trusted=public))


def record(kind: str, signature: str = ""):
    from tensorflow_serving.apis import prediction_log_pb2

    log = prediction_log_pb2.PredictionLog()
    if kind == "multi_inference_log":
        request = log.multi_inference_log.request
        for name, method in METHODS.items():
            request.tasks.add(method_name=method).model_spec.signature_name = name
    else:
        request = getattr(log, kind).request
        request.model_spec.signature_name = signature
    if kind == "predict_log":
        import tensorflow as tf

        request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.ones((1, 2), "float32")))
    else:
        request.input.example_list.examples.append(line_example(1.0))
    return log


def write(folder, *logs) -> None:
    import tensorflow as tf

    (folder / WARMUP).parent.mkdir()
    with tf.io.TFRecordWriter(str(folder / WARMUP)) as writer:
        for log in logs:
            writer.write(log.SerializeToString())


def test_every_kind_of_record_is_replayed(folder, monkeypatch):
    write(
        folder,
        record("predict_log"),
        record("classify_log", "classify"),
        record("regress_log", "regress"),
        record("multi_inference_log"),
    )
    version = load(folder, 1, Loading())
    assert len(version.plans) == 4
    version.close()
    cold = load(folder, 1, Loading(warmup=False))
    assert not cold.plans
    cold.close()


def test_a_record_that_fails_fails_the_load(folder):
    write(folder, record("classify_log", "nothing"))
    with pytest.raises(ServingError, match="No signature was found with the name: nothing"):
        load(folder, 1, Loading())
