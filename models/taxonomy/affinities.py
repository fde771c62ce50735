"""The affinity table: for every transfer and control its affinity, gain and quality; read from and
written to JSON and CSV.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from models.taxonomy.transfer import Transfer

SPREADS = (
    "affinity_low",
    "affinity_high",
    "affinity_expected",
    "gain_low",
    "gain_high",
    "quality_low",
    "quality_high",
    "rank_low",
    "rank_high",
)


@dataclass(frozen=True)
class Spread:
    """95 % intervals and the mean over resampled test images; None where not measured. rank: among
    the target's transfers of the same order, 1 is best.
    """

    affinity_low: float
    affinity_high: float
    affinity_expected: float
    gain_low: float | None = None
    gain_high: float | None = None
    quality_low: float | None = None
    quality_high: float | None = None
    rank_low: float | None = None
    rank_high: float | None = None


@dataclass(frozen=True)
class Row:
    """affinity: sums to 1 over a target's transfers and its supervised control. gain: win rate
    against scratch; quality: against supervised (0.5: as good as); None where the control was not
    measured. mean_loss: over the test images, None for imported tables. spread: how sure.
    """

    transfer: Transfer
    affinity: float
    gain: float | None = None
    quality: float | None = None
    mean_loss: float | None = None
    spread: Spread | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.affinity) and self.affinity >= 0):
            raise ValueError(
                f"{self.transfer}: an affinity is finite and not negative, got {self.affinity}"
            )
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
            raise ValueError(
                "an affinity table without rows decides nothing; measure transfers first"
            )
        seen = set()
        for row in self.rows:
            if row.transfer in seen:
                raise ValueError(f"transfer {row.transfer} stands twice in the table")
            seen.add(row.transfer)

    @cached_property
    def targets(self) -> list[str]:
        return list(dict.fromkeys(row.transfer.target for row in self.rows))

    @cached_property
    def sources(self) -> list[str]:
        return list(dict.fromkeys(name for row in self.rows for name in row.transfer.sources))

    @cached_property
    def regimes(self) -> list[str]:
        """amounts of data that transfers were trained with; [""] if there is one."""
        return sorted({row.transfer.regime for row in self.rows if row.transfer.control is None})

    @cached_property
    def of(self) -> Mapping[Transfer, Row]:
        return {row.transfer: row for row in self.rows}

    def control(self, target: str, name: str) -> Row | None:
        """the row of a control of `target`: "supervised", "scratch", "average"; of the first regime
        if there are several.
        """
        return self._controls.get((target, name))

    def supervised(self, target: str) -> Row | None:
        """the row of the target's own fully supervised network."""
        return self.control(target, "supervised")

    @cached_property
    def _controls(self) -> Mapping[tuple[str, str], Row]:
        return {
            (row.transfer.target, row.transfer.control): row
            for row in reversed(self.rows)
            if row.transfer.control
        }

    def only(self, keep: Callable[[Row], bool]) -> Affinities:
        """the table of the rows that `keep` admits."""
        return Affinities(tuple(row for row in self.rows if keep(row)), self.diagnostics)

    def at(self, risk: str) -> Affinities:
        """the table with other affinities: "point" as measured, "lower" the lower end of the
        interval (cautious), "expected" the mean over resamples.

        Raises ValueError if the table has no intervals.
        """
        if risk == "point":
            return self
        if risk not in ("lower", "expected"):
            raise ValueError(f"risk is one of point, lower, expected; got {risk!r}")
        if any(
            row.spread is None for row in self.rows if row.transfer.control in (None, "supervised")
        ):
            raise ValueError(
                f"risk {risk!r} needs intervals, and this table has none: they come from "
                "per-image losses (`bootstrap`), released files lack them"
            )
        field = {"lower": "affinity_low", "expected": "affinity_expected"}[risk]
        return Affinities(
            tuple(
                row if row.spread is None else replace(row, affinity=getattr(row.spread, field))
                for row in self.rows
            ),
            self.diagnostics,
        )

    def save(self, path: str | Path) -> None:
        """JSON, or CSV if the name ends in .csv (which leaves out the diagnostics); atomically."""
        path, rows = Path(path), [flat(row) for row in self.rows]
        scratch = path.with_name(f".{path.name}.{os.getpid()}")
        if path.suffix == ".csv":
            with open(scratch, "w", newline="") as file:
                writer = csv.DictWriter(file, list(max(rows, key=len)))
                writer.writeheader()
                writer.writerows({**row, "sources": "|".join(row["sources"])} for row in rows)
        else:
            scratch.write_text(
                json.dumps({"rows": rows, "diagnostics": self.diagnostics}, indent=1)
            )
        os.replace(scratch, path)

    @classmethod
    def load(cls, path: str | Path) -> Affinities:
        """what `save` wrote. Raises ValueError in one line for anything else."""
        path = Path(path)
        try:
            if path.suffix == ".csv":
                with open(path, newline="") as file:
                    rows = [
                        {**row, "sources": [name for name in row["sources"].split("|") if name]}
                        for row in csv.DictReader(file)
                    ]
                return cls(tuple(thick(row) for row in rows), {})
            content = json.loads(path.read_text())
            return cls(tuple(thick(row) for row in content["rows"]), content.get("diagnostics", {}))
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(
                f"{path} is no affinity table ({type(error).__name__}: {error}); expected "
                "rows of sources, target, affinity, ..."
            ) from error


def flat(row: Row) -> dict:
    """a row as one level of JSON."""
    transfer = {
        "sources": list(row.transfer.sources),
        "target": row.transfer.target,
        "regime": row.transfer.regime,
        "control": row.transfer.control,
    }
    numbers = {
        "affinity": row.affinity,
        "gain": row.gain,
        "quality": row.quality,
        "mean_loss": row.mean_loss,
    }
    return {
        **transfer,
        **numbers,
        **({name: getattr(row.spread, name) for name in SPREADS} if row.spread else {}),
    }


def thick(row: Mapping) -> Row:
    number = lambda name: None if row.get(name) in (None, "") else float(row[name])
    transfer = Transfer(
        tuple(row["sources"]), row["target"], row.get("regime") or "", row.get("control") or None
    )
    spread = (
        Spread(**{name: number(name) for name in SPREADS})
        if number("affinity_low") is not None
        else None
    )
    return Row(
        transfer,
        float(row["affinity"]),
        number("gain"),
        number("quality"),
        number("mean_loss"),
        spread,
    )
