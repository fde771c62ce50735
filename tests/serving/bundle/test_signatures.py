"""Which questions a bundle answers, without a bundle."""

import pytest
import tensorflow as tf

from models.tasks import TASKS
from serving.bundle.forms import compact
from serving.bundle.heads import Heads
from serving.bundle.signatures import belongs, signatures

SINGLE = {"normal": ("normal",), "class_scene": ("normal", "reshading")}
PAIR = {"fixated_pose": ("reshading",)}


@pytest.fixture(scope="module")
def offered():
    """(outputs, signatures) of three tasks on two sources."""
    outputs = {}
    with tf.Graph().as_default() as graph:
        for images in (1, 2):
            for form in ("image_bytes", "images"):
                tf.compat.v1.placeholder(tf.float32, [None], f"{form}_{images}")
        for source in ("normal", "reshading"):
            code = tf.compat.v1.placeholder(tf.float32, [None], f"code_{source}")
            outputs[f"code_{source}"] = code
        forms = {
            "normal": ("", "_codes", "_png_bytes"),
            "class_scene": ("", "_top_ids", "_top_scores", "_top_names"),
            "fixated_pose": ("", "_metric"),
        }
        for name, endings in forms.items():
            for ending in endings:
                outputs[name + ending] = tf.zeros([1], name=name + ending)
        edges = {name: (sources, None) for name, sources in {**SINGLE, **PAIR}.items()}
        heads = Heads({"normal": None, "reshading": None}, edges, 32, {})
        return outputs, signatures(graph, outputs, heads)


def test_every_question_has_its_signature(offered):
    _, outputs = offered
    one = {"serving_default", "images", "image_bytes", "compact", "encode", "encode_images"}
    two = {"images_2", "image_bytes_2", "compact_2"}
    tasks = {f"{name}{form}" for name in (*SINGLE, *PAIR) for form in ("", "_images", "_compact")}
    decoded = {f"decode_{name}" for name in SINGLE}
    assert set(outputs) == one | two | tasks | decoded


def test_a_question_about_all_gives_every_form_and_the_small_one_the_smallest(offered):
    outputs, signature_outputs = offered
    single = [name for name in outputs if any(belongs(name, task) for task in SINGLE)]
    assert (
        set(signature_outputs["image_bytes"].outputs)
        == set(signature_outputs["images"].outputs)
        == set(single)
    )
    small = {form for name in SINGLE for form in compact(name, outputs)}
    assert (
        set(signature_outputs["compact"].outputs)
        == set(signature_outputs["serving_default"].outputs)
        == small
    )
    assert set(signature_outputs["compact_2"].outputs) == {"fixated_pose_metric"}


def test_a_task_is_decoded_from_its_own_sources(offered):
    _, outputs = offered
    assert set(outputs["decode_class_scene"].inputs) == {"code_normal", "code_reshading"}
    assert set(outputs["decode_normal"].inputs) == {"code_normal"}
    assert set(outputs["encode"].outputs) == {"code_normal", "code_reshading"}


def test_every_signature_is_of_the_predict_method(offered):
    methods = {signature.method_name for signature in offered[1].values()}
    assert methods == {"tensorflow/serving/predict"}


def test_no_tasks_form_is_taken_for_anothers():
    """over the whole dictionary: a form's name belongs to its own task alone."""
    endings = ("", "_codes", "_png_bytes", "_top_ids", "_top_scores", "_top_names", "_metric")
    for name in TASKS:
        for ending in endings:
            assert [other for other in TASKS if belongs(name + ending, other)] == [name]
