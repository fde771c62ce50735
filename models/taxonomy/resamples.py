"""The outcome of a bootstrap: every number of a table, as often as the test images were drawn."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from models.provenance.atomic import atomic_path
from models.tasks.arrays import Floats
from models.taxonomy.affinities import Affinities, Row
from models.taxonomy.transfer import Transfer


@dataclass(frozen=True)
class Resamples:
    """affinity, gain, quality: [resample, transfer] float32; gain and quality NaN where the control
    was not measured. transfers: columns.
    """

    transfers: tuple[Transfer, ...]
    affinity: Floats
    gain: Floats
    quality: Floats

    def __len__(self) -> int:
        return len(self.affinity)

    @cached_property
    def column(self) -> dict[Transfer, int]:
        return {transfer: i for i, transfer in enumerate(self.transfers)}

    def table(self, base: Affinities, number: int) -> Affinities:
        """`base` with the affinities, gains and qualities of one resample."""
        rows = tuple(self.row(row, number) for row in base.rows)
        return Affinities(rows, base.diagnostics)

    def row(self, row: Row, number: int) -> Row:
        """a row as it came out in one resample; unchanged where it was not resampled."""
        i = self.column.get(row.transfer)
        if i is None:
            return row
        rates = [rate_of(values[number, i]) for values in (self.gain, self.quality)]
        affinity = max(float(self.affinity[number, i]), 0.0)
        return Row(row.transfer, affinity, rates[0], rates[1], row.mean_loss)

    def save(self, path: str | Path) -> None:
        """.npz, atomically."""
        # as JSON: an array of objects would have to be unpickled when it is read
        names = json.dumps(
            [[list(t.sources), t.target, t.regime, t.control] for t in self.transfers]
        )
        with atomic_path(path) as scratch:
            np.savez(
                scratch,
                transfers=np.array(names),
                affinity=self.affinity,
                gain=self.gain,
                quality=self.quality,
            )

    @classmethod
    def load(cls, path: str | Path) -> Resamples:
        with np.load(path) as content:
            transfers = tuple(
                Transfer(tuple(sources), *rest)
                for sources, *rest in json.loads(str(content["transfers"]))
            )
            return cls(transfers, content["affinity"], content["gain"], content["quality"])


def rate_of(value: float) -> float | None:
    """a win rate in [0, 1] although rounding may pass an end; None for NaN."""
    return None if np.isnan(value) else float(np.clip(value, 0, 1))
