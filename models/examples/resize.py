"""Labels brought to the training size, once: ids and depth by the nearest pixel, everything else by
area.

A mean of ids names nothing, and a mean across a depth border is a surface that is not there.
"""

from __future__ import annotations

import numpy as np

from models.tasks import Domain


def resized(value: np.ndarray, domain: Domain, size: int) -> np.ndarray:
    """[size, size(, c)] in the same dtype; the value itself where it fits already."""
    import cv2

    if value.shape[0] == size:
        return value
    if domain.ids or domain.missing is not None or domain.folder == "normal":
        pick = ((np.arange(size) + 0.5) * value.shape[0] / size).astype(int)
        return np.ascontiguousarray(value[pick][:, pick])
    way = cv2.INTER_AREA if value.shape[0] > size else cv2.INTER_LINEAR
    return cv2.resize(value, (size, size), interpolation=way)
