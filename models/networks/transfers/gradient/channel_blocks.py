"""Sources whose codes have different widths, such as an encoder from outside with 32 channels
beside our networks' 8, in a stack of members: as blocks of as many channels as divide them all,
side by side in their order. A head reads of these what it would read of the whole codes.
"""

from __future__ import annotations

import math

import numpy as np

from models.networks.transfers.gradient.samples import Maps
from models.tasks.arrays import Floats, Integers


def of_one_width(maps: Maps, slots: Integers) -> tuple[Maps, Integers]:
    """(maps, slots) of sources of one width: as they are, or of blocks of their channels.

    maps: (source, split) -> [view, h, w, c]; slots: [member, order] sources, those of every member
    of the same widths in the same order.
    """
    widths = {int(source): int(maps(source, "test").shape[-1]) for source in np.unique(slots)}
    if len(set(widths.values())) == 1:
        return maps, slots
    width = math.gcd(*widths.values())
    # (source, first channel) of each block
    blocks = [(source, start) for source in widths for start in range(0, widths[source], width)]
    places = {
        source: [i for i, block in enumerate(blocks) if block[0] == source] for source in widths
    }

    def block_maps(block: int, split: str) -> Floats:
        source, start = blocks[block]
        return maps(source, split)[..., start : start + width]

    return block_maps, np.array([[i for source in row for i in places[source]] for row in slots])
