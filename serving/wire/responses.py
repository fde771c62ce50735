"""PredictResponse as bytes, each array copied once: protobuf would copy it several times between
the session and the wire.

At batch 8 every task's floats are 21 MB; building, filling and serialising the message took longer
than the networks did. How a client reads it: `serving/wire/response_reader.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from serving.wire.tensors import parts_of, varint

OUTPUTS, SPEC, KEY, VALUE = (
    b"\x0a",
    b"\x12",
    b"\x0a",
    b"\x12",
)  # PredictResponse.outputs and .model_spec; key and value of an entry


def predict_response(
    spec: bytes, outputs: Mapping[str, np.ndarray], content: bool = False
) -> bytes:
    """a serialised PredictResponse; spec: its serialised ModelSpec; outputs: arrays by alias;
    content: floats as raw bytes instead of typed fields.
    """
    parts = [SPEC, varint(len(spec)), spec]
    for name, value in outputs.items():
        tensor, key = parts_of(value, content), name.encode()
        size = sum(map(len, tensor))
        entry = KEY + varint(len(key)) + key + VALUE + varint(size)
        parts += [OUTPUTS, varint(len(entry) + size), entry, *tensor]
    return b"".join(parts)
