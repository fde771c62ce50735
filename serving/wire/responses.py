"""Writes a PredictResponse as bytes, each array copied once: protobuf would copy it several times
between the session and the wire.

At batch 8 every task's floats are 21 MB; building, filling and serialising the message took longer
than the networks did. `serving/wire/response_reader.py` reads it for a client.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.tasks.arrays import Array
from serving.wire.protobuf import prefix
from serving.wire.response_reader import KEY, OUTPUTS, VALUE
from serving.wire.tensors import Piece, parts_of

SPEC = 2  # PredictResponse.model_spec


def predict_response(spec: bytes, outputs: Mapping[str, Array], content: bool = False) -> bytes:
    """Returns a serialised PredictResponse. spec: its serialised ModelSpec; outputs: arrays by
    alias; content: numbers as raw bytes instead of typed fields.
    """
    parts: list[Piece] = [prefix(SPEC, len(spec)), spec]
    for name, value in outputs.items():
        tensor = parts_of(value, content)
        size = sum(map(len, tensor))
        key = name.encode()
        entry = prefix(KEY, len(key)) + key + prefix(VALUE, size)
        parts += [prefix(OUTPUTS, len(entry) + size), entry, *tensor]
    # joined once: every piece is still the array's own memory
    return b"".join(parts)
