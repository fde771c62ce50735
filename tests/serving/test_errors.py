"""Codes of gRPC and HTTP, as TensorFlow Serving pairs them."""

import grpc
import pytest

from serving import errors
from serving.errors import LONGEST, ServingError, from_tensorflow

# the original's table: whatever is not named here is 500
HTTP = {
    "OK": 200,
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}


@pytest.mark.parametrize("code", grpc.StatusCode, ids=lambda code: code.name)
def test_a_code_has_the_originals_status(code):
    assert ServingError(code, "").http == HTTP.get(code.name, 500)


@pytest.mark.parametrize(
    "make, code",
    [
        (errors.invalid, "INVALID_ARGUMENT"),
        (errors.not_found, "NOT_FOUND"),
        (errors.precondition, "FAILED_PRECONDITION"),
        (errors.unavailable, "UNAVAILABLE"),
        (errors.exhausted, "RESOURCE_EXHAUSTED"),
        (errors.late, "DEADLINE_EXCEEDED"),
        (errors.unimplemented, "UNIMPLEMENTED"),
        (errors.unknown, "UNKNOWN"),
        (errors.internal, "INTERNAL"),
    ],
)
def test_what_went_wrong_has_its_code(make, code):
    assert make("words").code.name == code and str(make("words")) == "words"


def test_a_client_that_left_is_cancelled():
    assert errors.gone().code.name == "CANCELLED" and errors.gone().http == 499


def test_a_message_is_cut_at_the_originals_length():
    assert str(ServingError(grpc.StatusCode.INTERNAL, "x" * LONGEST)) == "x" * LONGEST
    longer = str(ServingError(grpc.StatusCode.INTERNAL, "x" * (LONGEST + 1)))
    assert longer == "x" * LONGEST + "...TRUNCATED"
    # in bytes, at a character's border
    wide = str(ServingError(grpc.StatusCode.INTERNAL, "x" + "😀" * LONGEST))
    assert wide == "x" + "😀" * (LONGEST // 4 - 1) + "...TRUNCATED"
    assert str(ServingError(grpc.StatusCode.INTERNAL, "half \ud800")) == "half ?"


def test_tensorflows_numbers_are_grpcs():
    import tensorflow as tf

    found = from_tensorflow(tf.errors.InvalidArgumentError(None, None, "first\n\t [[node]]"))
    assert found.code.name == "INVALID_ARGUMENT" and str(found) == "first"
    found = from_tensorflow(tf.errors.ResourceExhaustedError(None, None, "full"))
    assert found.code.name == "RESOURCE_EXHAUSTED"
    assert from_tensorflow(KeyError("x")).code.name == "UNKNOWN"
