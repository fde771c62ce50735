"""Sides of maps, in cells: of what an encoder gives, and of what a decoder makes of it. Without
Keras, so that a configuration can be held against them before anything is loaded; a test compares
them with the networks.
"""

from __future__ import annotations

from models.networks.config import NetworkConfig
from models.tasks import TASKS

# Layers that double the side in the paper's decoders: of maps of the picture's size, and of a
# quarter of it (`heads.PAPER_UP`, `PAPER_COLOUR_UP`).
PAPER_DOUBLINGS = {1: 4, 4: 2}
# Halvings of the paper's encoder.
PAPER_HALVINGS = 4
# Pixels from a side that is not reached to the ones that are said instead, at most.
FURTHEST = 1024


def grid_side(config: NetworkConfig, size: int) -> int:
    """Returns the side, in cells, of a representation of pictures of the side `size`."""
    lean = config.encoder == "lean"
    for _ in range(len(config.encoder_widths) - 1 if lean else PAPER_HALVINGS):
        # padding "same" rounds up
        size = (size + 1) // 2
    return size


def answer_side(config: NetworkConfig, size: int, scale: int) -> int:
    """Returns the side of a decoder's answer at 1/`scale` of pictures of the side `size`: size //
    scale where the decoder reaches it (`heads.decoder`).
    """
    side = grid_side(config, size)
    if config.encoder != "lean":
        return int(side * 2 ** PAPER_DOUBLINGS[scale])
    goal = size // scale
    folded = scale == 1 and side < goal
    goal_side = goal // 2 if folded else goal
    for _ in config.decoder_widths:
        if side < goal_side:
            side *= 2
    if side > goal_side:
        side //= side // goal_side
    if side < goal_side:
        side *= goal_side // side
    return 2 * side if folded else side


def reaches_labels(config: NetworkConfig, size: int) -> bool:
    """Returns whether decoders answer pictures of that side with maps as large as the labels."""
    scales = {task.output.scale for task in TASKS.values() if task.trained}
    return all(
        size % scale == 0 and answer_side(config, size, scale) == size // scale for scale in scales
    )


def nearest_sides(config: NetworkConfig, size: int) -> list[int]:
    """Returns the next smaller and the next larger side that decoders reach, if there are any."""
    steps = range(1, FURTHEST)
    smaller = (size - step for step in steps if size > step and reaches_labels(config, size - step))
    larger = (size + step for step in steps if reaches_labels(config, size + step))
    return [side for side in (next(smaller, None), next(larger, None)) if side is not None]
