"""A version's session: a bounded number of compiled output sets, whatever is asked for."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from working_model import OUTPUTS, save_working

from serving.errors import ServingError
from serving.server import session as module
from serving.server.classify import classified
from serving.server.rest.json_answers import columns_text, rows_text
from serving.server.session import MOST_PLANS, Version
from serving.wire.tensors import parts_of

ONE = {"x": np.ones((1, 2), "float32")}


def test_a_session_compiles_a_bounded_number_of_output_sets(tmp_path):
    version = Version(save_working(tmp_path / "1", 2.0), 1)
    draw, names = random.Random(0), [f"y{k}" for k in range(OUTPUTS)]
    for _ in range(3 * MOST_PLANS):
        expected = draw.sample(names, draw.randrange(1, OUTPUTS))
        found = version.run("", ONE, expected)
        assert list(found) == expected and all(
            value.tolist() == [[2 + int(name[1:])] * 2] for name, value in found.items()
        )
    assert len(version.plans) <= MOST_PLANS + 1
    version.close()


def test_a_full_house_of_plans_still_answers_another_signature(tmp_path):
    version = Version(save_working(tmp_path / "1", 2.0), 1)
    version.plans = {(("x:0",), (f"made up {i}",)) for i in range(MOST_PLANS)}
    assert version.run("work", {"loops": np.array([3], "int32")}, ["done"])["done"].tolist() == [3]
    assert version.run("", ONE, ["y4"])["y4"].tolist() == [[6, 6]]
    version.close()


def save_strict(folder):
    """x float [N] -> plus0 .. plus3 = x + i, and `root`, which fails below 0."""
    v1 = tf.compat.v1
    with v1.Session(graph=tf.Graph()) as session:
        x = v1.placeholder(tf.float32, [None], "x")
        root = tf.debugging.check_numerics(tf.sqrt(x), "root")
        v1.saved_model.simple_save(
            session, str(folder), {"x": x}, {"root": root} | {f"plus{i}": x + i for i in range(4)}
        )
    return folder


def test_an_output_that_nobody_asked_for_fails_no_request(tmp_path):
    version = Version(save_strict(tmp_path / "1"), 1)
    version.plans = {(("x:0",), (f"made up {i}",)) for i in range(MOST_PLANS)}
    below = {"x": np.array([-1], "float32")}
    found = version.run("", below, ["plus2", "plus1"])
    assert {name: value.tolist() for name, value in found.items()} == {"plus2": [1], "plus1": [0]}
    with pytest.raises(ServingError, match="root : Tensor had NaN"):
        version.run("", below, ["plus1", "root"])
    # all outputs once, and each for itself
    assert len(version.plans) <= MOST_PLANS + 1 + len(version.signatures["serving_default"].outputs)
    version.close()


def test_a_session_ends_after_its_last_request_however_long_that_runs(tmp_path, monkeypatch):
    version = Version(save_working(tmp_path / "1", 2.0), 1)
    hours = iter(range(100))

    def an_hour_later(seconds: float) -> None:
        # a session that was closed by now would refuse the request's own run
        assert version.run("", ONE, ["y0"])["y0"].tolist() == [[2, 2]]
        version.running = int(next(hours) < 5)

    version.running = 1
    clock = SimpleNamespace(sleep=an_hour_later, monotonic=lambda: 3600.0 * next(hours))
    monkeypatch.setattr(module, "time", clock)
    version.close()
    assert next(hours) > 5 and not version.running


class Scaled(tf.Module):
    """x float [N], k float, 3 if left out -> y = k x; name: a text."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.float32, name="x"),
            tf.TensorSpec([], tf.float32, name="k"),
        ]
    )
    def scaled(self, x, k=tf.constant(3.0)):  # noqa: B008  the export writes it down
        return {"y": k * x, "name": tf.constant(b"a\0")}


@pytest.fixture(scope="module")
def scaled(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("scaled"), Scaled()
    tf.saved_model.save(made, str(folder), signatures=made.scaled)
    version = Version(folder, 1)
    yield version
    version.close()


def test_a_stranger_in_place_of_an_input_with_a_default_changes_nothing(scaled):
    before = scaled.signatures["serving_default"].SerializeToString(deterministic=True)
    if not getattr(scaled.signatures["serving_default"], "defaults", None):
        pytest.skip("this TensorFlow writes no defaults")
    x = np.ones(1, "float32")
    for _ in range(2):
        with pytest.raises(ServingError, match="Sent extra: {z}") as error:
            scaled.run("", {"x": x, "z": x})
        assert error.value.code.name == "INVALID_ARGUMENT"
    assert scaled.run("", {"x": x}, ["y"])["y"].tolist() == [3]
    assert scaled.run("", {"x": x, "k": np.float32(2)}, ["y"])["y"].tolist() == [2]
    after = scaled.signatures["serving_default"].SerializeToString(deterministic=True)
    assert after == before, "what strangers send is not written down"


def test_a_text_without_an_axis_is_an_array_as_every_other_output(scaled):
    inputs = {"x": np.ones(1, "float32"), "k": np.float32(2)}
    value = scaled.run("", inputs, ["name"])["name"]
    assert (value.dtype, value.shape, value.item()) == (np.dtype(object), (), b"a\0")
    proto = tensor_pb2.TensorProto.FromString(b"".join(parts_of(value)))
    assert tf.make_ndarray(proto).item() == b"a\0"
    with pytest.raises(ServingError, match="Tensor name: name has no shape") as error:
        rows_text({"name": value})
    assert error.value.http == 400 and columns_text({"name": value}) == '{"outputs": "a\\u0000"}'
    with pytest.raises(ServingError, match=r"num_classes. but got \[\]"):
        classified({"classes": value}, 1)
