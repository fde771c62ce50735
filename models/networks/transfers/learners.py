"""What both learners of transfers are given, and what they give: (bench, regime, targets and their
sets of sources) -> losses, a target and some of them as soon as they are there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TextIO

from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.transfers.regimes import Regime
from models.tasks.arrays import Floats

# Sources of one transfer: rising positions in `Bench.sources`; one past the last stands for pixels.
SourceSet = tuple[int, ...]
# Target -> the sets of sources to measure.
SetsByTarget = Mapping[str, Sequence[SourceSet]]
# Set of sources -> loss of every test sample [sample] float32.
Losses = dict[SourceSet, Floats]


class BenchView(Protocol):
    """The part of a `bench.Bench` that learners read."""

    @property
    def store(self) -> LabelStore: ...

    @property
    def config(self) -> NetworkConfig: ...

    @property
    def sources(self) -> Sequence[str]:
        """Names of the representations."""

    @property
    def grid(self) -> int:
        """Cells of a side of every representation."""

    @property
    def out(self) -> TextIO:
        """Where progress is printed."""

    def maps(self, index: int, split: str) -> Floats:
        """Returns the standardised representation of source `index`: [view, grid, grid, c],
        float32, or float16 from a file.
        """

    def key(self, subset: SourceSet, regime: Regime) -> str:
        """Returns what a transfer's losses depend on beside its target, as text."""
