"""Transfers by gradient of sources whose codes have different widths: each source is shown to the
stack as blocks of as many channels as divide them all, side by side in their order. The head that
trains on these reads what it would read of the whole codes, so that nothing of the learner changes,
nor the addresses of what it learned of sources of one width.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TextIO

import numpy as np

from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.transfers.gradient.learner import GradientBench, transfers_by_gradient
from models.networks.transfers.gradient.programs import StackPrograms
from models.networks.transfers.learners import Losses, SourceSet, Wanted
from models.networks.transfers.regimes import Regime
from models.tasks.arrays import Floats


class CodeBlocks:
    """A bench whose sources are blocks of codes of those of another, all of one width. used: the
    sources whose widths the blocks divide.
    """

    def __init__(self, bench: GradientBench, used: Iterable[int]) -> None:
        self.bench = bench
        widths = {index: int(bench.maps(index, "test").shape[-1]) for index in sorted(set(used))}
        self.width = math.gcd(*widths.values())
        # (source, first channel) of each block.
        self.blocks = [
            (index, start)
            for index, width in widths.items()
            for start in range(0, width, self.width)
        ]

    @property
    def store(self) -> LabelStore:
        return self.bench.store

    @property
    def config(self) -> NetworkConfig:
        return self.bench.config

    @property
    def grid(self) -> int:
        return self.bench.grid

    @property
    def out(self) -> TextIO:
        return self.bench.out

    @property
    def programs(self) -> StackPrograms:
        return self.bench.programs

    @property
    def sources(self) -> list[str]:
        """a name a block."""
        return [f"{self.bench.sources[index]} from {start}" for index, start in self.blocks]

    def maps(self, index: int, split: str) -> Floats:
        """[view, grid, grid, width] of a block."""
        source, start = self.blocks[index]
        return self.bench.maps(source, split)[..., start : start + self.width]

    def places(self, subset: SourceSet) -> SourceSet:
        """the blocks of some sources of the other bench, in their order."""
        return tuple(
            i for source in subset for i, (index, _) in enumerate(self.blocks) if index == source
        )

    def sources_of(self, places: SourceSet) -> SourceSet:
        """the sources of the other bench that some blocks are of."""
        return tuple(dict.fromkeys(self.blocks[i][0] for i in places))

    def key(self, subset: SourceSet, regime: Regime) -> str:
        """of the sources that the blocks are of: seeds follow from it."""
        return self.bench.key(self.sources_of(subset), regime)


def unequal_by_gradient(
    bench: GradientBench, regime: Regime, wanted: Wanted
) -> Iterator[tuple[str, Losses]]:
    """(target, losses) of what is wanted, as `learner.transfers_by_gradient` gives them for sources
    of one width.
    """
    used = np.unique([i for subsets in wanted.values() for subset in subsets for i in subset])
    blocks = CodeBlocks(bench, used.tolist())
    asked = {
        name: [blocks.places(subset) for subset in subsets] for name, subsets in wanted.items()
    }
    for name, losses in transfers_by_gradient(blocks, regime, asked):
        yield name, {blocks.sources_of(places): row for places, row in losses.items()}
