"""The name for tensors in annotations. Shapes, ranges and units stand in the docstring beside them.

Keras has no type that a TensorFlow tensor, a JAX array, a symbolic tensor and a variable share.
"""

from __future__ import annotations

from typing import Any

Tensor = Any
