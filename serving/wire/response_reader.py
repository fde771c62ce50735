"""Reads the outputs of a serialised PredictResponse as arrays, without TensorFlow: a client needs
no more than gRPC and protobuf.
"""

from __future__ import annotations

from models.tasks.arrays import Array
from serving.wire.protobuf import bytes_of, fields, text_of
from serving.wire.tensor_reader import Allowance, array

LARGEST_ANSWER = 2**31  # bytes that the outputs may claim together; gRPC's own limit
# PredictResponse.outputs; key and value of an entry
OUTPUTS = 1
KEY = 1
VALUE = 2
EMPTY = memoryview(b"")


def arrays(data: bytes) -> dict[str, Array]:
    """Returns the outputs by alias; dense floats are read-only views of `data`. Raises ValueError
    where `data` is no PredictResponse.
    """
    # gRPC's own limit: the answer is there already, and may claim no more
    allowance = Allowance(LARGEST_ANSWER)
    answers = {}
    for number, entry in fields(memoryview(data)):
        if number == OUTPUTS:
            # of other fields nothing is kept
            parts = {key: value for key, value in fields(entry) if key in (KEY, VALUE)}
            name = text_of(parts.get(KEY, EMPTY))
            answers[name] = array(bytes_of(parts.get(VALUE, EMPTY)), allowance)
    return answers
