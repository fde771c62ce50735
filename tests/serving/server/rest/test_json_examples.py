"""`examples` and `context`: every branch of the original's reader of features."""

import json
import math
import re
import tracemalloc

import numpy as np
import pytest
from tensorflow.core.example import example_pb2

from serving.errors import ServingError
from serving.server.rest.json_examples import examples_of
from serving.server.rest.json_text import parsed


def read(text: str) -> list:
    content = parsed(text.encode())
    return [example_pb2.Example.FromString(one) for one in examples_of(content, "classify")]


def feature(text: str):
    return read(f'{{"examples": [{{"f": {text}}}]}}')[0].features.feature["f"]


@pytest.mark.parametrize(
    "text, kind, values",
    [
        ("1", "int64_list", [1]),
        ("[1, true, false]", "int64_list", [1, 1, 0]),
        ("[-9223372036854775808]", "int64_list", [-(2**63)]),
        ("0.5", "float_list", [0.5]),
        ("[1.0, Infinity]", "float_list", [1.0, math.inf]),
        ("18446744073709551616", "float_list", [2.0**64]),
        ('"a"', "bytes_list", [b"a"]),
        ('["a", {"b64": "Yg"}]', "bytes_list", [b"a", b"b"]),
        ("[]", None, []),
    ],
)
def test_a_feature_is_of_its_values_kind(text, kind, values):
    message = feature(text)
    assert message.WhichOneof("kind") == kind
    assert list(getattr(message, kind).value if kind else []) == values


@pytest.mark.parametrize(
    "text, words",
    [
        ("null", "Feature: f has element with unexpected JSON type: Null"),
        ("[[1]]", "unexpected JSON type: Array"),
        ('{"a": 1}', "unexpected JSON type: Object"),
        ("[1, 2.5]", "Unexpected element type in feature: f expecting type: int64"),
        ('["a", 1]', "expecting type: bytes"),
        ("[1.5, true]", "expecting type: float"),
        ("9223372036854775808", "has uint64 element. Only int64 is supported."),
        ("3.5e38", "to float without loss of precision"),
        ('{"b64": "a"}', "Unable to base64 decode"),
    ],
)
def test_a_value_that_fits_no_feature_is_refused(text, words):
    with pytest.raises(ServingError, match=re.escape(words)) as error:
        feature(text)
    assert error.value.http == 400


@pytest.mark.parametrize(
    "body, words",
    [
        ({}, "When method is classify, key 'examples' is expected and was not found"),
        ({"examples": {}}, "Expecting 'examples' value to be an list/array"),
        ({"examples": []}, "'examples' value is an empty array"),
        ({"examples": [1]}, "Example must be JSON object but got JSON Number"),
        ({"examples": [{}], "context": [1]}, "Example must be JSON object but got JSON Array"),
        ({"examples": [{}], "context": None}, "Example must be JSON object but got JSON Null"),
    ],
)
def test_what_holds_no_examples_is_refused(body, words):
    with pytest.raises(ServingError) as error:
        read(json.dumps(body))
    assert words in str(error.value) and error.value.http == 400


def test_a_context_is_merged_and_an_examples_own_features_win():
    (example,) = read('{"context": {"a": 1, "b": 2}, "examples": [{"a": 3}]}')
    values = {name: list(one.int64_list.value) for name, one in example.features.feature.items()}
    assert values == {"a": [3], "b": [2]}


@pytest.mark.parametrize("context, count", [("x" * 100_000, 3000), ("", 1 << 20)])
def test_a_context_is_counted_before_it_is_copied_into_each_example(context, count):
    """a tenth of a megabyte, of which 286 were made."""
    content = {"context": {"a": context}, "examples": [{}] * count}
    tracemalloc.start()
    with pytest.raises(ServingError, match="at most") as error:
        examples_of(content, "classify")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error.value.http == 400 and most < 16 << 20


def test_the_last_of_equal_features_counts():
    assert list(feature('1, "f": 2').int64_list.value) == [2]


def test_examples_come_in_order():
    examples = read('{"examples": [{"f": 1.5}, {"f": 2.5}]}')
    values = [one.features.feature["f"].float_list.value[0] for one in examples]
    np.testing.assert_array_equal(values, [1.5, 2.5])
