"""TensorFlow's numbers of types, their names in numpy, and the fields of TensorProto that hold
their values.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# TensorProto.dtype, .tensor_shape, .tensor_content, .string_val
DTYPE = 1
SHAPE = 2
CONTENT = 4
STRING_VAL = 8
STRING = 7  # the type whose values stand there

# TensorFlow's number of a type -> (numpy's name, typed field, its number)
TYPES = {
    1: ("float32", "float_val", 5),
    2: ("float64", "double_val", 6),
    3: ("int32", "int_val", 7),
    4: ("uint8", "int_val", 7),
    5: ("int16", "int_val", 7),
    6: ("int8", "int_val", 7),
    8: ("complex64", "scomplex_val", 9),
    9: ("int64", "int64_val", 10),
    10: ("bool", "bool_val", 11),
    14: ("bfloat16", "half_val", 13),
    17: ("uint16", "int_val", 7),
    18: ("complex128", "dcomplex_val", 12),
    19: ("float16", "half_val", 13),
    22: ("uint32", "uint32_val", 16),
    23: ("uint64", "uint64_val", 17),
}
NUMBERS = {name: number for number, (name, _, _) in TYPES.items()}
# types whose packed field holds the values as memory does
# floats and complex numbers: fixed width, little end first
AS_IN_MEMORY = {1, 2, 8, 18}
# types whose typed field holds the bits of the value
AS_BITS = {14, 19}


def numpy_type(kind: int) -> np.dtype[Any]:
    """Returns the numpy type of TensorFlow's number. Raises ValueError for a type that no array
    has.
    """
    if kind == STRING:
        return np.dtype(object)
    if kind not in TYPES:
        raise ValueError(f"expected a known type, one of {sorted([STRING, *TYPES])}, got {kind}")
    name = TYPES[kind][0]
    if name == "bfloat16":
        import ml_dtypes  # of TensorFlow; a client without it has no such arrays

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)
