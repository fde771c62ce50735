"""Names for arrays in annotations. Shapes, ranges and units stand in the docstrings of the
functions that use them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

# Floats of any width: the width is said in the docstring where it matters.
Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.integer[Any]]
Bools = npt.NDArray[np.bool_]
# Pictures: uint8 in [0, 255].
Bytes = npt.NDArray[np.uint8]
# A number inside a compiled loop, where those of Python and of numpy are of one kind.
Scalar = Any
# Where the dtype is the caller's, or several are meant.
Array = npt.NDArray[Any]
