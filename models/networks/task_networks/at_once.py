"""How many samples a network answers at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

# Pixels of pictures, at most: twelve of 256 x 256. Called without a compiled program, Keras holds
# every layer's output until the last one is there: nine jigsaw tiles of twelve samples at this
# size took 17 GB in ResNet-50.
PIXELS = 12 * 256 * 256


def samples_at_once(shape: Sequence[int], most: int) -> int:
    """Returns how many samples [B, S, S, C] or [B, images, S, S, C] are answered at once: at most
    `most` and as many as `PIXELS` has room for, at least 1.
    """
    return max(1, min(most, PIXELS // math.prod(shape[1:-1])))
