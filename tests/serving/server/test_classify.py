"""Classify, Regress and MultiInference over exports of today's TensorFlow, whose signatures have an
input each.
"""

import numpy as np
import pytest
import tensorflow as tf
from line_model import line_example

from serving.errors import ServingError
from serving.server.catalog import Catalog
from serving.server.classify import classified
from serving.server.config_files import ModelConfig
from serving.server.models import END, State
from serving.server.plane import Caller, Plane
from serving.wire.model_spec import ModelSpec
from serving.wire.requests import Task

METHODS = {"classify": "tensorflow/serving/classify", "regress": "tensorflow/serving/regress"}


class Lines(tf.Module):
    """x -> 3 x, as a class with its score and as a number."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def classify(self, inputs):
        number = self.number(inputs)
        labels = tf.fill(tf.shape(number), "large")
        return {"classes": labels[:, None], "scores": number[:, None]}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def regress(self, inputs):
        return {"outputs": self.number(inputs)}

    def number(self, texts):
        feature = {"x": tf.io.FixedLenFeature([], tf.float32)}
        return 3 * tf.io.parse_example(texts, feature)["x"]


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    base = tmp_path_factory.mktemp("models")
    model = Lines()
    signatures = {"classify": model.classify, "regress": model.regress}
    tf.saved_model.save(model, str(base / "1"), signatures=signatures)
    catalog = Catalog()
    catalog.reload([ModelConfig("lines", base)])
    return Plane(catalog)


def examples(*numbers: float):
    array = np.empty(len(numbers), object)
    array[:] = [line_example(number).SerializeToString() for number in numbers]
    return array


def tasks(*names: str) -> list[Task]:
    return [Task(ModelSpec("lines", signature=name), METHODS[name]) for name in names]


def test_every_distinct_input_is_fed(plane):
    answers = plane.multi_inference(
        tasks("regress", "classify"), lambda: examples(1, 2), Caller("GRPC")
    )
    (first, numbers), (second, classes) = answers
    assert (first.signature, second.signature) == ("regress", "classify")
    assert [row.value for row in numbers.result.regressions] == [3, 6]
    rows = classes.result.classifications
    assert [[(one.label, one.score) for one in row.classes] for row in rows] == [
        [("large", 3.0)],
        [("large", 6.0)],
    ]


def test_a_label_that_is_no_text_is_the_models_fault_and_said():
    labels = np.array([[b"large", b"\xff\xfe"]], object)
    with pytest.raises(ServingError, match=r"labels of classes to be UTF-8, got b'\\xff") as error:
        classified({"classes": labels}, 1)
    assert error.value.http == 400
    (row,) = classified({"classes": labels[:, :1]}, 1).classifications
    assert [one.label for one in row.classes] == ["large"]


def test_no_examples_are_refused(plane):
    with pytest.raises(ServingError, match="Input is empty"):
        plane.multi_inference(tasks("regress"), lambda: examples(), Caller("GRPC"))


def test_a_model_that_was_removed_stays_end(plane):
    plane.reload([], [])
    assert plane.status(ModelSpec("lines"), Caller("GRPC")) == [(1, State(END))]
    with pytest.raises(ServingError, match=r"Servable not found for request: Latest\(lines\)"):
        plane.metadata(ModelSpec("lines"), Caller("GRPC"))
    with pytest.raises(ServingError, match="Could not find any versions of model other"):
        plane.status(ModelSpec("other"), Caller("GRPC"))
