"""Answers as JSON: shortest floats, texts and bytes, rows and columns."""

import json

import numpy as np
import pytest
from tensorflow_serving.apis import classification_pb2, regression_pb2

from serving.errors import ServingError
from serving.server.rest import json_answers
from serving.server.rest.json_answers import (
    DIGITS,
    classes_text,
    columns_text,
    float_texts,
    numbers_text,
    rows_text,
    value_text,
)


@pytest.mark.parametrize(
    "number, text",
    [
        (0.2, "0.2"),
        (0.1 + 0.2, "0.3"),
        (1 / 3, "0.33333334"),
        (16777215, "16777215.0"),
        (999999, "999999.0"),
        (9e6, "9e+06"),
        (3e-5, "3e-05"),
        (1.5, "1.5"),
        (0, "0.0"),
        (-0.0, "-0.0"),
        (np.nan, "NaN"),
        (np.inf, "Infinity"),
        (-np.inf, "-Infinity"),
        (3.4028235e38, "3.4028235e+38"),
    ],
)
def test_a_float_is_written_with_the_fewest_digits_that_read_back(number, text):
    assert float_texts(np.array([number], "float32")) == [text]


@pytest.mark.parametrize("kind", [name for name in DIGITS if name != "bfloat16"])
def test_every_float_reads_back_equal(kind):
    bits = np.random.default_rng(0).integers(0, 256, 8000, "uint8").view(kind)
    bits = bits[np.isfinite(bits)]
    read = np.array([float(text) for text in float_texts(bits)]).astype(kind)
    np.testing.assert_array_equal(read, bits)


def test_no_shorter_text_would_read_back():
    for number in np.random.default_rng(1).random(200).astype("float32"):
        (text,) = float_texts(np.array([number]))
        digits = len(text.split("e")[0].replace(".", "").lstrip("0"))
        if digits > 6:
            assert np.float32(f"{number:.{digits - 1}g}") != number


def test_rows_and_columns():
    outputs = {
        "a": np.array([[1.5], [2.0]], "float32"),
        "b_bytes": np.array([b"x", b"\xff"], object),
    }
    assert json.loads(rows_text(outputs))["predictions"] == [
        {"a": [1.5], "b_bytes": {"b64": "eA=="}},
        {"a": [2.0], "b_bytes": {"b64": "/w=="}},
    ]
    assert json.loads(columns_text({"a": np.array([1, 2])})) == {"outputs": [1, 2]}
    assert json.loads(columns_text({"a": np.array([[b"x"]], object)})) == {"outputs": [["x"]]}
    assert json.loads(columns_text({"a": np.array([b"\xff"], object)})) == {
        "outputs": [{"b64": "/w=="}]
    }
    assert json.loads(columns_text({"a": np.zeros((2, 0), "float32")})) == {"outputs": [[], []]}
    assert json.loads(columns_text({"a": np.array(True), "b": np.float64(0.1)})) == {
        "outputs": {"a": True, "b": 0.1}
    }


@pytest.mark.parametrize(
    "outputs, words",
    [
        ({"a": np.float32(1)}, "Tensor name: a has no shape information"),
        ({"a": np.zeros(2), "b": np.zeros(3)}, "inconsistent batch size: 3 expecting: 2"),
        ({"a": np.zeros(2, "complex64")}, "Failed to write JSON value for tensor type: complex64"),
    ],
)
def test_what_makes_no_rows_is_refused(outputs, words):
    with pytest.raises(ServingError, match=words) as error:
        rows_text(outputs)
    assert error.value.http == 400


def test_scores_and_numbers_are_short_too():
    result = classification_pb2.ClassificationResult()
    row = result.classifications.add()
    row.classes.add(label="a", score=0.2)
    row.classes.add(label='"b"', score=3)
    assert classes_text(result) == '{"results": [[["a", 0.2], ["\\"b\\"", 3.0]]]}'
    numbers = regression_pb2.RegressionResult()
    numbers.regressions.add(value=0.1)
    assert numbers_text(numbers) == '{"results": [0.1]}'


KINDS = ("float32", "float64", "int32", "uint64", "bool", object)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("shape", [(3,), (3, 2), (3, 2, 2), (3, 0), (2, 0, 2), (2, 2, 0), (0, 2)])
def test_rows_are_written_all_at_once_as_each_for_itself(kind, shape, monkeypatch):
    numbers = np.random.default_rng(0).normal(0, 9, shape)
    value = np.abs(numbers).astype(kind)
    if kind is object:
        value.reshape(-1)[:] = [f"{number:.2f}".encode() for number in numbers.reshape(-1)]
    naive = ", ".join(value_text(row, "a") for row in value)
    calls, texts_of = [], json_answers.texts_of
    monkeypatch.setattr(json_answers, "texts_of", lambda *of: calls.append(1) or texts_of(*of))
    assert rows_text({"a": value}) == f'{{"predictions": [{naive}]}}'
    assert len(calls) <= 1, "not once a row"
    whole = json.loads(columns_text({"a": value}))["outputs"]
    assert whole == json.loads(rows_text({"a": value}))["predictions"]
