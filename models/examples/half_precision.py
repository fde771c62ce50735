"""Converts float32 to float16 and back, bit by bit as numpy does it, in a twentieth of its time.
Labels of maps are kept in half precision, and numpy converts number by number.
"""

from __future__ import annotations

import cv2
import numpy as np

from models.examples import recycled
from models.tasks.arrays import Floats

# Count of numbers from which a call of OpenCV costs less.
MANY = 1024
# OpenCV 5 (the newer lane's) has halves as a type and no function of their own: taking zero away,
# which leaves -0.0 as it is, converts them.
OPENCV_4 = hasattr(cv2, "convertFp16")


def to_half(values: Floats) -> Floats:
    """Returns any floats [...] as float16 [...], rounded to the nearest, ties to even; infinite
    where they are too large.
    """
    if values.dtype != np.float32 or values.size < MANY:
        return values.astype("float16")
    column = np.ascontiguousarray(values).reshape(-1, 1)
    halves = cv2.convertFp16(column) if OPENCV_4 else cv2.subtract(column, 0.0, dtype=cv2.CV_16F)
    return halves.view("float16").reshape(values.shape)


def to_single(values: Floats) -> Floats:
    """Returns any floats [...] as float32 [...]; the same array if it is that already. Of a large
    one the memory is `recycled`.
    """
    if values.dtype != np.float16 or values.size < MANY:
        return values.astype("float32", copy=False)
    column = np.ascontiguousarray(values).reshape(-1, 1)
    goal = recycled.empty(column.shape, "float32")
    if OPENCV_4:
        return cv2.convertFp16(column.view("int16"), goal).reshape(values.shape)
    return cv2.subtract(column, 0.0, goal, dtype=cv2.CV_32F).reshape(values.shape)
