"""The affinity table: affinity, gain and quality of every transfer and control, read from and
written to JSON and CSV.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from models.provenance.atomic import atomic_file, write_text
from models.taxonomy.facts import Facts
from models.taxonomy.table_files import SPREADS, read_entries
from models.taxonomy.transfer import Transfer

# the field of `Spread` that decides; the point estimate is the row's own
RISKS = {"point": None, "lower": "affinity_low", "expected": "affinity_expected"}


# A target's numbers that sum to more than this are probably no affinities: rounding alone never
# takes a sum this far from 1.
FAR_ABOVE = 1.5


@dataclass(frozen=True)
class Spread:
    """The 95 % intervals of a row's numbers over redrawn test sets, and its mean affinity over
    them. A field is None where it was not measured. rank: place among the target's transfers of the
    same order, where 1 is best.
    """

    affinity_low: float | None
    affinity_high: float | None
    affinity_expected: float | None
    gain_low: float | None = None
    gain_high: float | None = None
    quality_low: float | None = None
    quality_high: float | None = None
    rank_low: float | None = None
    rank_high: float | None = None


@dataclass(frozen=True)
class Row:
    """One transfer or control of an affinity table.

    affinity: sums to 1 over a target's transfers and its supervised control. Training from scratch
    has its affinity on the same scale but outside that sum (0: not placed on the scale), and so
    have transfers with amounts of data that do not decide (`measurement.on_one_scale`). The control
    "average" has 0. gain: win rate against training from scratch. quality: win rate against the
    supervised network (0.5: as good). Both are None where that control was not measured. mean_loss:
    mean over the test images, None in imported tables. spread: intervals of these numbers.
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

    def at(self, risk: str) -> Row:
        """Returns the row with the affinity that `risk` chooses, or the row unchanged if it has no
        interval.
        """
        field = RISKS[risk]
        value = None if field is None else getattr(self.spread, field, None)
        # gain and quality stay as measured, because only the affinity decides
        return self if value is None else replace(self, affinity=value)


@dataclass(frozen=True)
class Affinities:
    """An affinity table. rows: one for each transfer or control, none twice. diagnostics: target ->
    the state of its AHP.
    """

    rows: tuple[Row, ...]
    diagnostics: Facts

    def __post_init__(self) -> None:
        if not self.rows:
            raise ValueError(
                "an affinity table without rows decides nothing; measure transfers first"
            )
        ways = set()
        for row in self.rows:
            transfer = row.transfer
            # transfers that differ only in the order of their sources are the same
            way = (frozenset(transfer.sources), transfer.target, transfer.regime, transfer.control)
            if way in ways:
                raise ValueError(
                    f"transfer {transfer} stands twice in the table, perhaps with its sources in "
                    "another order; keep one"
                )
            ways.add(way)

    @cached_property
    def targets(self) -> list[str]:
        # in the order of the rows, so that tables print alike from run to run
        return list(dict.fromkeys(row.transfer.target for row in self.rows))

    @cached_property
    def sources(self) -> list[str]:
        return list(dict.fromkeys(name for row in self.rows for name in row.transfer.sources))

    @cached_property
    def regimes(self) -> list[str]:
        """The amounts of data that transfers were trained with, sorted; [""] if there is
        only one.
        """
        return sorted({row.transfer.regime for row in self.rows if row.transfer.control is None})

    @cached_property
    def shares(self) -> list[str]:
        """The numbers of labels of supervised networks of a share of them, fewest first."""
        names = {row.transfer.regime for row in self.rows if row.transfer.control == "share"}
        return sorted(names, key=int)

    @cached_property
    def amounts(self) -> list[str]:
        """The amounts of labels that a target may take: `regimes`, then those that networks from
        scratch or of a share alone have.
        """
        alone = {row.transfer.regime for row in self.rows if row.transfer.control == "scratch"}
        return list(dict.fromkeys([*self.regimes, *sorted(alone), *self.shares]))

    @cached_property
    def of(self) -> Mapping[Transfer, Row]:
        return {row.transfer: row for row in self.rows}

    @cached_property
    def measured_here(self) -> bool:
        """Whether the table was made from losses and not imported from the results of others."""
        return any(row.mean_loss is not None for row in self.rows)

    @cached_property
    def knows_scratch(self) -> bool:
        """Whether training from scratch is placed on the scale of the transfers, so that it can be
        chosen.
        """
        return any(row.transfer.control == "scratch" and row.affinity > 0 for row in self.rows)

    def control(self, target: str, name: str) -> Row | None:
        """Returns the row of a control of `target` ("supervised", "scratch", "pixels" or
        "average"), or None if there is none. If several regimes have the control, the first
        regime's row is returned.
        """
        return self._controls.get((target, name))

    def supervised(self, target: str) -> Row | None:
        """Returns the row of the target's own fully supervised network, or None if there
        is none.
        """
        return self.control(target, "supervised")

    @cached_property
    def _controls(self) -> Mapping[tuple[str, str], Row]:
        return {
            (row.transfer.target, row.transfer.control): row
            # reversed, so that of several regimes the first one's row stays
            for row in reversed(self.rows)
            if row.transfer.control
        }

    def only(self, keep: Callable[[Row], bool]) -> Affinities:
        """Returns the table with only the rows that `keep` accepts."""
        return Affinities(tuple(row for row in self.rows if keep(row)), self.diagnostics)

    def at(self, risk: str) -> Affinities:
        """Returns the table with the affinities that `risk` chooses: "point" as measured, "lower"
        the lower end of the interval (cautious), "expected" the mean over resamples.

        Raises ValueError for an unknown risk, or if the table has no intervals.
        """
        if risk not in RISKS:
            raise ValueError(f"risk is one of {', '.join(RISKS)}; got {risk!r}")
        if risk == "point":
            return self
        # only players need an interval; other rows stay as they are without one
        players = [row for row in self.rows if row.transfer.control in (None, "supervised")]
        field = RISKS[risk]
        lacking = [row for row in players if getattr(row.spread, str(field), None) is None]
        if lacking:
            raise ValueError(
                f"risk {risk!r} needs intervals, and this table has no {field} of "
                f"{lacking[0].transfer}: they come from per-image losses (`bootstrap`), released "
                "files lack them"
            )
        return Affinities(tuple(row.at(risk) for row in self.rows), self.diagnostics)

    def save(self, path: str | Path) -> None:
        """Writes the table as JSON, or as CSV without the diagnostics if the name ends in .csv. The
        file appears whole or not at all.
        """
        path = Path(path)
        entries = [flat(row) for row in self.rows]
        if path.suffix.lower() != ".csv":
            # a row a line: with an indent, Python writes every number by itself
            rows = ",\n".join(json.dumps(entry) for entry in entries)
            diagnostics = json.dumps(self.diagnostics, indent=1)
            write_text(path, f'{{"rows": [\n{rows}\n],\n"diagnostics": {diagnostics}}}')
            return
        with atomic_file(path) as file:
            # rows without an interval have fewer columns; the header is that of the fullest
            fullest = max(entries, key=lambda entry: len(entry))
            writer = csv.DictWriter(file, list(fullest))
            writer.writeheader()
            writer.writerows({**entry, "sources": "|".join(entry["sources"])} for entry in entries)

    @classmethod
    def load(cls, path: str | Path) -> Affinities:
        """Returns the table in a file that `save` or a person wrote. Raises ValueError for anything
        else: one line that names the file and the place in it.
        """
        path = Path(path)
        entries, diagnostics = read_entries(path)
        rows = []
        for place, entry in entries:
            try:
                rows.append(row_of(entry))
            except ValueError as error:
                raise ValueError(f"{place}: {error}") from error
        try:
            check_imported(rows)
            return cls(tuple(rows), diagnostics)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error


def check_imported(rows: Iterable[Row]) -> None:
    """Raises ValueError if a row that was not measured here has an affinity above 1. Rewards end at
    1, so the program could not tell affinities above 1 apart.
    """
    for row in rows:
        # a measured one may exceed 1: a network from scratch may beat all players
        if row.mean_loss is None and row.affinity > 1:
            raise ValueError(
                f"the affinity of {row.transfer} is {row.affinity:g}; affinities sum to 1 over a "
                "target: divide each by its target's sum (percent by 100)"
            )


def sums_doubt(table: Affinities) -> str | None:
    """Returns in words why imported numbers are probably no affinities: over most targets they sum
    to far more than 1. Returns None for other tables and for tables that were measured here.
    """
    sums: dict[str, dict[str, float]] = {}
    for row in table.rows:
        # controls have their affinities outside the sum, or one that changes little
        if row.mean_loss is None and row.transfer.control is None:
            by_regime = sums.setdefault(row.transfer.target, {})
            regime = row.transfer.regime
            by_regime[regime] = by_regime.get(regime, 0.0) + row.affinity
    # one amount of data decides; the transfers of the others are on its scale
    totals = {target: min(by_regime.values()) for target, by_regime in sums.items()}
    far = {target: total for target, total in totals.items() if total > FAR_ABOVE}
    if 2 * len(far) <= len(totals):
        return None
    worst = max(far, key=lambda target: far[target])
    return (
        f"affinities sum to 1 over a target, these to {far[worst]:.3g} over {worst}. They look "
        "like win rates or scores, and an answer from them means little: `measure` makes "
        "affinities of losses"
    )


def flat(row: Row) -> Facts:
    """Returns a row as one JSON object without nesting."""
    spread = {name: getattr(row.spread, name) for name in SPREADS} if row.spread else {}
    return {
        **row.transfer.to_json(),
        "affinity": row.affinity,
        "gain": row.gain,
        "quality": row.quality,
        "mean_loss": row.mean_loss,
        **spread,
    }


def row_of(entry: Mapping[str, Any]) -> Row:
    """Returns the row of an entry that `flat` wrote or that `table_files.read_entries` read."""
    interval = {name: entry.get(name) for name in SPREADS}
    # `flat` writes all fields of an interval or none; a person may give some
    measured = any(value is not None for value in interval.values())
    return Row(
        Transfer.from_json(entry),
        entry["affinity"],
        entry.get("gain"),
        entry.get("quality"),
        entry.get("mean_loss"),
        Spread(**interval) if measured else None,
    )
