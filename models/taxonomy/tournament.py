"""Win rates: who beats whom, on which share of the test images (paper, section 3.3; supplementary 15)."""

from __future__ import annotations

import numpy as np


def win_matrix(losses: np.ndarray) -> np.ndarray:
    """losses [transfer, image] -> [transfer, transfer] float64 in [0, 1]: share of images on which row has the lower loss; ties are shared equally.

    One pass: rank every image's column once, then a blocked comparison in small integers.
    """
    losses = np.asarray(losses, "float32")
    count, images = losses.shape
    wins, ties = np.zeros((count, count)), np.zeros((count, count))
    block = max(1, (1 << 24) // max(1, count * images))
    for i in range(0, count, block):
        rows = losses[i : i + block, None]
        wins[i : i + block] = (rows < losses[None]).sum(-1)
        ties[i : i + block] = (rows == losses[None]).sum(-1)
    return (wins + ties / 2) / images


def win_rate(losses: np.ndarray, against: np.ndarray) -> np.ndarray:
    """[transfer]: share of images on which each row of losses [transfer, image] beats `against` [image]; ties count half."""
    return (losses < against).mean(1) + (losses == against).mean(1) / 2
