"""What lies beside the graph: contract, lineage, stored answers, warm-up records."""

import tensorflow as tf
from synthetic import SIZE
from tiny_bundle import SUPERVISED, TARGETS, tiny_bundle

from models.tasks import TASKS
from serving.bundle.assets import probe_images, read_extras


def test_contract_and_lineage_lie_beside_the_graph():
    contract, lineage = read_extras(tiny_bundle())
    assert all(
        tuple(entry["shape"]) == TASKS[name].output.shape(SIZE)
        for name, entry in contract["tasks"].items()
        if entry["kind"] != "embedding"
    )
    # what a client cannot see: floats in, and that answers keep to no range
    assert "[0, 1]" in contract["images"] and "those of the labels" in contract["floats"]
    assert contract["size"] == SIZE and set(contract["tasks"]) == set(TARGETS)
    assert (
        contract["tasks"]["depth_zbuffer"]["codes"]["bits"] == 16
        and contract["tasks"]["reshading"]["sources"]
        and contract["tasks"]["normal"]["own_network"]
    )
    assert {"run", "manifest", "metrics", "policy", "networks"} <= set(lineage) and lineage[
        "policy"
    ]["supervised"] == SUPERVISED


def test_warm_up_records_cover_bytes_floats_batches_and_views():
    from tensorflow_serving.apis import prediction_log_pb2

    path = tiny_bundle() / "assets.extra" / "tf_serving_warmup_requests"
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    ]
    asked = [
        (log.model_spec.signature_name, value.tensor_shape.dim[0].size)
        for log in logs
        for value in log.inputs.values()
    ]
    assert len(logs) <= 1000 and {
        ("image_bytes", 1),
        ("image_bytes", 8),
        ("images", 1),
        ("image_bytes_2", 1),
        ("images_3", 1),
        ("encode", 1),
    } <= set(asked)


def test_probe_images_are_the_same_everywhere_and_differ():
    one, other = probe_images(24), probe_images(24)
    assert one.dtype == "uint8" and one.shape == (3, 24, 24, 3) and (one == other).all()
    assert all((one[i] != one[j]).any() for i, j in ((0, 1), (0, 2), (1, 2)))
