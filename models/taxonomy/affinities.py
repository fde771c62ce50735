"""The affinity table: for every transfer and control its affinity, gain and quality; read from and written to JSON, CSV, the authors' files."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from models.taxonomy.ahp import affinities
from models.taxonomy.losses import LossStore
from models.taxonomy.tournament import win_matrix, win_rate
from models.taxonomy.transfer import Transfer


@dataclass(frozen=True)
class Row:
    """affinity: sums to 1 over a target's transfers and its supervised control. gain: win rate against scratch; quality: against supervised
    (0.5: as good as); None where the control was not measured. mean_loss: over the test images, None for imported tables."""

    transfer: Transfer
    affinity: float
    gain: float | None = None
    quality: float | None = None
    mean_loss: float | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.affinity) and self.affinity >= 0):
            raise ValueError(f"{self.transfer}: an affinity is finite and not negative, got {self.affinity}")
        for name in ("gain", "quality"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"{self.transfer}: {name} is a win rate in [0, 1], got {value}")


@dataclass(frozen=True)
class Affinities:
    """rows: one a transfer or control, none twice. diagnostics: target -> the AHP's health."""

    rows: tuple[Row, ...]
    diagnostics: dict

    def __post_init__(self) -> None:
        if not self.rows:
            raise ValueError("an affinity table without rows decides nothing; measure transfers first")
        seen = set()
        for row in self.rows:
            if row.transfer in seen:
                raise ValueError(f"transfer {row.transfer} stands twice in the table")
            seen.add(row.transfer)

    @property
    def targets(self) -> list[str]:
        return list(dict.fromkeys(row.transfer.target for row in self.rows))

    @property
    def sources(self) -> list[str]:
        return list(dict.fromkeys(name for row in self.rows for name in row.transfer.sources))

    def supervised(self, target: str) -> Row | None:
        """the row of the target's own fully supervised network."""
        return next((row for row in self.rows if row.transfer.target == target and row.transfer.control == "supervised"), None)

    def save(self, path: str | Path) -> None:
        """JSON, or CSV if the name ends in .csv; atomically."""
        path, rows = Path(path), [flat(row) for row in self.rows]
        scratch = path.with_name(f".{path.name}.{os.getpid()}")
        if path.suffix == ".csv":
            with open(scratch, "w", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows({**row, "sources": "|".join(row["sources"])} for row in rows)
        else:
            scratch.write_text(json.dumps({"rows": rows, "diagnostics": self.diagnostics}, indent=1))
        os.replace(scratch, path)

    @classmethod
    def load(cls, path: str | Path) -> Affinities:
        """what `save` wrote. Raises ValueError in one line for anything else."""
        path = Path(path)
        try:
            if path.suffix == ".csv":
                with open(path, newline="") as file:
                    rows = [{**row, "sources": [name for name in row["sources"].split("|") if name]} for row in csv.DictReader(file)]
                return cls(tuple(thick(row) for row in rows), {})
            content = json.loads(path.read_text())
            return cls(tuple(thick(row) for row in content["rows"]), content.get("diagnostics", {}))
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"{path} is no affinity table ({type(error).__name__}: {error}); expected rows of sources, target, affinity, ...") from error


def flat(row: Row) -> dict:
    transfer = asdict(row.transfer)
    return {**transfer, "sources": list(row.transfer.sources), "affinity": row.affinity, "gain": row.gain, "quality": row.quality, "mean_loss": row.mean_loss}


def thick(row: dict) -> Row:
    number = lambda value: None if value in (None, "") else float(value)
    transfer = Transfer(tuple(row["sources"]), row["target"], row.get("regime") or "", row.get("control") or None)
    return Row(transfer, float(row["affinity"]), number(row.get("gain")), number(row.get("quality")), number(row.get("mean_loss")))


def measure(stores: Iterable[LossStore] | LossStore) -> Affinities:
    """tournaments of all targets of all stores -> the table. Transfers and the supervised control take part in the AHP; scratch and average are
    judged by win rates alone, as `pixels` in the released files."""
    rows, diagnostics = [], {}
    for store in [stores] if isinstance(stores, LossStore) else stores:
        for target in store.targets():
            found = store.read(target)
            control = {transfer.control: losses for transfer, losses in zip(found.transfers, found.losses) if transfer.control}
            gain, quality = (win_rate(found.losses, control[name]) if name in control else [None] * len(found.transfers) for name in ("scratch", "supervised"))
            playing = [i for i, transfer in enumerate(found.transfers) if transfer.control in (None, "supervised")]
            if not playing:
                raise ValueError(f"no transfer into {target} was measured, only controls")
            result = affinities(win_matrix(found.losses[playing]))
            share = dict(zip(playing, result.affinity))
            diagnostics[target] = {
                "transfers": len(playing),
                "images": len(found.images),
                "eigenvalue": result.eigenvalue,
                "consistency": result.consistency,
                "clipped": result.clipped,
                "gap": result.gap,
                "reducible": bool(result.reducible),
            }
            rows += [
                Row(
                    transfer,
                    float(share.get(i, 0.0)),
                    *(None if value is None else float(value) for value in (gain[i], quality[i])),
                    float(found.losses[i].mean()),
                )
                for i, transfer in enumerate(found.transfers)
            ]
    return Affinities(tuple(rows), diagnostics)
