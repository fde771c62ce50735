"""Every branch of TensorFlow Serving's value parser (json_tensor.cc), as a case; what it takes is
also held against a naive reader of its rules, value by value.
"""

import math
import random
from types import SimpleNamespace

import numpy as np
import pytest

from serving.errors import ServingError
from serving.server.rest.json_tensors import columns_of, dense, from_base64, inputs_of, tensor_of
from serving.wire.tensor_types import NUMBERS

STRING = 7
LARGEST = 3.4028234663852886e38
FLOAT = 2**24 - 1
DOUBLE = 2**53 - 1
INFO = {name: SimpleNamespace(dtype=number) for name, number in {**NUMBERS, "string": 7}.items()}

TAKEN = {
    "float: a fraction": ("float32", 0.5, 0.5),
    "float: a whole number": ("float32", FLOAT, FLOAT),
    "float: a negative whole number": ("float32", -FLOAT, -FLOAT),
    "float: its largest": ("float32", LARGEST, LARGEST),
    "float: infinity": ("float32", -math.inf, -math.inf),
    "float: a whole number beyond 64 bits is a double": ("float32", 2**64, 2.0**64),
    "double: a fraction": ("float64", 1e300, 1e300),
    "double: a whole number": ("float64", DOUBLE, DOUBLE),
    "double: a whole number beyond 64 bits": ("float64", 10**30, 1e30),
    "int32: its ends": ("int32", [-(2**31), 2**31 - 1], [-(2**31), 2**31 - 1]),
    "int16: held to int32 alone, then cut": ("int16", 65537, 1),
    "int8: held to int32 alone, then cut": ("int8", -129, 127),
    "uint8: held to int32 alone, then cut": ("uint8", 256, 0),
    "int64: its ends": ("int64", [-(2**63), 2**63 - 1], [-(2**63), 2**63 - 1]),
    "uint32: its ends": ("uint32", [0, 2**32 - 1], [0, 2**32 - 1]),
    "uint64: its ends": ("uint64", [0, 2**64 - 1], [0, 2**64 - 1]),
    "bool": ("bool", [True, False], [True, False]),
    "half": ("float16", [0.5, 2047], [0.5, 2047]),
    "string: a text": ("string", "wörld", "wörld".encode()),
    "string: b64": ("string", {"b64": "aGVsbG8="}, b"hello"),
    "string: deep lists": ("string", [[["a"], ["b"]]], [[[b"a"], [b"b"]]]),
    "no values": ("float32", [], []),
    "no values in rows": ("float32", [[], []], [[], []]),
}
REFUSED = {
    "float: a text": (
        "float32",
        "1",
        'JSON Value: "1" Type: String is not of expected type: float',
    ),
    "float: null": ("float32", None, "Type: Null is not of expected type: float"),
    "float: an object": ("float32", {"a": 1}, "Type: Object is not of expected type: float"),
    "float: b64": ("float32", {"b64": ""}, "Type: Object is not of expected type: float"),
    "float: true among numbers": (
        "float32",
        [1, True],
        "Type: True is not of expected type: float",
    ),
    "float: false among numbers": ("float32", [False, 1.5], "Type: False is not of expected type"),
    "float: a whole number beyond its exact range": (
        "float32",
        FLOAT + 1,
        "without loss of precision",
    ),
    "float: a negative one": (
        "float32",
        [1, -FLOAT - 1],
        "Cannot convert JSON value: -16777216 to float",
    ),
    "float: a finite number beyond its range": ("float32", 3.5e38, "without loss of precision"),
    "float: a negative one beyond its range": (
        "float32",
        [1, -3.5e38],
        "without loss of precision",
    ),
    "double: a whole number beyond its exact range": (
        "float64",
        DOUBLE + 1,
        "to double without loss",
    ),
    "double: a text": ("float64", "x", "is not of expected type: double"),
    "int32: a fraction": ("int32", 1.5, "Type: Number is not of expected type: int32"),
    "int32: a whole fraction": ("int32", 1.0, "is not of expected type: int32"),
    "int32: beyond its range": ("int32", 2**31, "is not of expected type: int32"),
    "int8: beyond int32": ("int8", -(2**31) - 1, "is not of expected type: int8"),
    "int32: true": ("int32", [True, 1], "Type: True is not of expected type: int32"),
    "int64: beyond its range": ("int64", 2**63, "is not of expected type: int64"),
    "uint32: a negative number": ("uint32", -1, "is not of expected type: uint32"),
    "uint64: a negative number": ("uint64", -1, "is not of expected type: uint64"),
    "uint64: beyond its range": ("uint64", 2**64, "is not of expected type: uint64"),
    "uint64: a fraction": ("uint64", 1.5, "is not of expected type: uint64"),
    "bool: a number": ("bool", [True, 1], "Type: Number is not of expected type: bool"),
    "string: a number": ("string", 1, "Type: Number is not of expected type: string"),
    "string: null": ("string", [None], "Type: Null is not of expected type: string"),
    "string: another object": ("string", {"a": "b"}, "not formatted correctly for base64 data"),
    "string: b64 of a number": ("string", {"b64": 1}, "not formatted correctly for base64 data"),
    "string: b64 beside another key": ("string", {"b64": "", "a": 1}, "not formatted correctly"),
    "string: b64 that is none": ("string", {"b64": "a"}, "Unable to base64 decode"),
    "complex": ("complex64", 1, "Conversion of JSON Value: 1 to type: complex64"),
    "ragged": ("float32", [[1, 2], [3]], "Encountered list at unexpected size: 1 at level: 1"),
    "a value among lists": ("float32", [[1], 2], "JSON Value: 2 found at incorrect level: 2"),
    "a list among values": ("float32", [1, [2]], "Encountered list at unexpected level: 1"),
    "ragged texts": ("string", [["a", "b"], ["c"]], "Encountered list at unexpected size"),
    "more texts than a request holds": ("string", [""] * (2**20 + 1), "at most 268435456 bytes"),
    "40 deep texts": ("string", eval("[" * 40 + "'a'" + "]" * 40), "at most 32 dimensions"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_value_is_taken_as_the_original_takes_it(name):
    kind, value, expected = TAKEN[name]
    tensor = tensor_of(value, INFO[kind].dtype)
    assert tensor.dtype == (object if kind == "string" else kind)
    assert tensor.tolist() == (np.array(expected, kind).tolist() if kind != "string" else expected)


@pytest.mark.parametrize("name", REFUSED)
def test_a_value_is_refused_with_400_in_the_originals_words(name):
    kind, value, words = REFUSED[name]
    with pytest.raises(ServingError) as error:
        tensor_of(value, INFO[kind].dtype)
    assert error.value.http == 400 and words in str(error.value)


def naive_float(value) -> float:
    """the original's rule for one value of a float tensor."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    if not math.isfinite(value):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**64:
        if abs(value) > FLOAT:
            raise ValueError
        return float(value)
    if abs(value) > LARGEST:
        raise ValueError
    return float(np.float32(value))


def test_lists_of_floats_are_what_value_by_value_gives():
    draw = random.Random(0)
    pool = [
        0,
        1,
        -1,
        FLOAT,
        FLOAT + 1,
        2**64,
        -(2**70),
        1.5,
        1e39,
        -1e39,
        math.inf,
        True,
        None,
        "a",
    ]
    for _ in range(3000):
        values = draw.sample(pool[:8], draw.randrange(1, 5)) + draw.sample(pool, draw.randrange(2))
        try:
            expected = [naive_float(value) for value in values]
        except ValueError:
            with pytest.raises(ServingError):
                tensor_of(values, NUMBERS["float32"])
        else:
            assert tensor_of(values, NUMBERS["float32"]).tolist() == expected


@pytest.mark.parametrize(
    "text, data",
    [
        ("aGVsbG8=", b"hello"),
        ("aGVsbG8", b"hello"),
        (" aGV\nsbG\t8= \r", b"hello"),
        ("", b""),
        ("aGVsbG8.", b"hello"),
        ("YQ==", b"a"),
        ("YQ", b"a"),
        ("YWI=", b"ab"),
        ("+/+/", b"\xfb\xff\xbf"),
    ],
)
def test_base64_is_read_with_white_space_and_without_padding(text, data):
    assert from_base64(text) == data


@pytest.mark.parametrize("text", ["a", "YQ=", "YQ===", "aGVs!", "-_-_", "=", "YQ=a", "\x00", "é"])
def test_what_is_no_base64_is_refused(text):
    with pytest.raises(ServingError, match="Unable to base64 decode"):
        from_base64(text)


def test_depth_costs_nothing():
    value = 1
    for _ in range(500):
        value = [value]
    assert dense(value) == ([1], (1,) * 500)


X = {"x": INFO["float32"]}
XY = {"x": INFO["float32"], "y": INFO["string"]}
ROWS = {
    "plain": (X, [[1, 2], [3, 4]], {"x": [[1, 2], [3, 4]]}),
    "scalars": (X, [1, 2], {"x": [1, 2]}),
    "objects of one": (X, [{"x": 1}, {"x": 2}], {"x": [1, 2]}),
    "objects of all": (XY, [{"y": "a", "x": [1]}], {"x": [[1]], "y": [b"a"]}),
    "b64 is a value": ({"y": INFO["string"]}, [{"b64": "YQ=="}], {"y": [b"a"]}),
}
BAD_ROWS = {
    "no list": (X, {"x": 1}, "Excepting 'instances' to be an list/array"),
    "none": (X, [], "No values in 'instances' array"),
    "plain with several inputs": (XY, [1], "expecting list of objects as multiple input tensors"),
    "an object after values": (X, [1, {"x": 1}], "Expecting value/list but got object at item 1"),
    "a value after objects": (X, [{"x": 1}, 1], "Expecting object but got list at item 1"),
    "an unknown input": (X, [{"x": 1, "z": 1}], "does not have named input: z"),
    "a missing input": (XY, [{"x": 1}], "keys must be equal to: x,y"),
    "another size": (
        X,
        [[1, 2], [3]],
        "element: 1 of 'instances' list. Error: INVALID_ARGUMENT: Expecting tensor "
        "size: 2 but got: 1",
    ),
    "another shape": (X, [[[1, 2]], [[1], [2]]], "Expecting shape [1,2] but got: [2,1]"),
    "rows deeper than 31": (
        {"y": INFO["string"]},
        [eval("[" * 32 + "'a'" + "]" * 32)],
        "at most 32 dimensions are read, got 33",
    ),
    "a bad value": (X, [{"x": 1}, {"x": "a"}], "element: 1 key: x of 'instances' list"),
}
BAD_COLUMNS = {
    "a value for several": (XY, 1, "inputs is a plain value/list, but expecting an object"),
    "a missing one": (XY, {"x": 1}, "Missing named input: y in 'inputs' object."),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_are_stacked(name):
    infos, rows, expected = ROWS[name]
    assert {key: value.tolist() for key, value in columns_of(rows, infos).items()} == expected


@pytest.mark.parametrize("name", BAD_ROWS)
def test_rows_that_do_not_agree_are_refused(name):
    infos, rows, words = BAD_ROWS[name]
    with pytest.raises(ServingError) as error:
        columns_of(rows, infos)
    assert words in str(error.value) and error.value.http == 400


def test_columns_may_differ_in_size_and_further_ones_are_not_looked_at():
    tensors = inputs_of({"x": [1, 2, 3], "y": "a", "z": None}, XY)
    assert tensors["x"].tolist() == [1, 2, 3] and tensors["y"].item() == b"a"
    assert inputs_of([[1]], X)["x"].tolist() == [[1]]


@pytest.mark.parametrize("name", BAD_COLUMNS)
def test_columns_that_do_not_fit_are_refused(name):
    infos, columns, words = BAD_COLUMNS[name]
    with pytest.raises(ServingError) as error:
        inputs_of(columns, infos)
    assert words in str(error.value)
