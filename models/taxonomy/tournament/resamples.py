"""The result of a bootstrap: every number of a table once for each time the test set was drawn."""

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
    """The numbers of a table in every resample. affinity, gain, quality: [resample, transfer]
    float32; gain and quality are NaN where the control was not measured. transfers: the columns.
    unit: what was drawn, "building" or "image". units: how many of them there are, None in files
    that earlier code wrote.
    """

    transfers: tuple[Transfer, ...]
    affinity: Floats
    gain: Floats
    quality: Floats
    unit: str = "image"
    units: int | None = None

    def __len__(self) -> int:
        return len(self.affinity)

    @cached_property
    def column(self) -> dict[Transfer, int]:
        return {transfer: i for i, transfer in enumerate(self.transfers)}

    def table(self, base: Affinities, number: int) -> Affinities:
        """Returns `base` with the affinities, gains and qualities of one resample."""
        # power iteration may round below 0, which a row refuses
        affinity = np.maximum(self.affinity[number], 0).tolist()
        gain = rates_of(self.gain[number])
        quality = rates_of(self.quality[number])

        def drawn(row: Row) -> Row:
            i = self.column.get(row.transfer)
            if i is None:  # not resampled
                return row
            # the mean loss stays: it was not drawn again
            return Row(row.transfer, affinity[i], gain[i], quality[i], row.mean_loss)

        return Affinities(tuple(drawn(row) for row in base.rows), base.diagnostics)

    def save(self, path: str | Path) -> None:
        """Writes the resamples as .npz; the file appears whole or not at all."""
        # as JSON, because reading an array of objects would need pickle
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
                drawn=np.array(json.dumps([self.unit, self.units])),
            )

    @classmethod
    def load(cls, path: str | Path) -> Resamples:
        with np.load(path) as content:
            transfers = tuple(
                Transfer(tuple(sources), *rest)
                for sources, *rest in json.loads(str(content["transfers"]))
            )
            drawn = json.loads(str(content["drawn"])) if "drawn" in content else []
            numbers = (content[name] for name in ("affinity", "gain", "quality"))
            return cls(transfers, *numbers, *drawn)


def rates_of(values: Floats) -> list[float | None]:
    """Returns win rates [transfer] as a list, clipped to [0, 1], with None for NaN."""
    # rounding may leave [0, 1], which a row refuses
    clipped = np.clip(values, 0, 1)
    return [None if unknown else rate for unknown, rate in zip(np.isnan(values), clipped.tolist())]
