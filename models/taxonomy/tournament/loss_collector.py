"""Collects the losses that a measurement delivers one transfer at a time, until they are added to a
store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.tasks.arrays import Floats
from models.taxonomy.tournament.losses import LossStore
from models.taxonomy.transfer import Transfer


@dataclass
class LossCollector:
    """The collected losses of transfers by target. images: target -> names of its test samples.
    losses: target -> transfer -> float [image].
    """

    images: dict[str, Sequence[str]] = field(default_factory=dict)
    losses: dict[str, dict[Transfer, Floats]] = field(default_factory=dict)

    def record(self, transfer: Mapping[str, Any], images: Sequence[str], losses: Floats) -> None:
        """Keeps the losses of one transfer; a measurement calls it. transfer: {"sources", "target",
        "regime", "control"}. images: names of the test samples. losses: float [image].
        """
        sources: Iterable[str] = transfer["sources"]
        target = transfer["target"]
        self.images.setdefault(target, images)
        self.losses.setdefault(target, {})[Transfer(**{**transfer, "sources": tuple(sources)})] = (
            losses
        )

    def save(self, store: LossStore, addresses: Mapping[str, str]) -> None:
        """Adds all losses to `store`. addresses: target -> content address of what its losses were
        measured from.
        """
        for target, rows in self.losses.items():
            store.set_images(target, self.images[target])
            store.extend(rows, address=addresses[target])
