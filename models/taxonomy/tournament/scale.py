"""Brings tables of several regimes (amounts of data) to one scale of affinities. For tables alone:
where there are losses, `measurement.on_one_scale` places one regime's transfers in the tournament
of another.
"""

from __future__ import annotations

from dataclasses import replace

from models.taxonomy.affinities import Affinities, Row
from models.taxonomy.transfer import Transfer


def named(target: str, regime: str) -> str:
    """Returns the name of a tournament in the diagnostics."""
    return f"{target} ({regime})" if regime else target


def joined(parts: dict[str, list[Row]]) -> list[Row]:
    """Returns the rows of one target with several regimes on one scale. parts: regime -> its rows.

    AHP's affinities are a ratio scale, and the supervised network plays in every regime's
    tournament. So each regime is divided by that network's affinity in it, the network is kept
    once, and all rows together are scaled to sum to 1 again (training from scratch stays outside
    the sum, as in each part). If the players of regimes differ much, this compares them only
    roughly, because a ratio to one player depends on who else plays.

    Raises ValueError if several regimes have no supervised control in common.
    """
    if len(parts) == 1:
        return next(iter(parts.values()))
    ratios: dict[Transfer, Row] = {}
    anchors = []
    for rows in parts.values():
        own = next((row for row in rows if row.transfer.control == "supervised"), None)
        if own is None:
            raise ValueError(
                f"regimes {', '.join(parts)} of {rows[0].transfer.target} have no supervised "
                "network in common to be compared by; measure it"
            )
        anchors.append(own)
        for row in rows:
            if row.transfer.control != "supervised":
                ratio = replace(row, affinity=row.affinity / own.affinity)
                # an equal transfer of a later regime is the same row
                ratios.setdefault(row.transfer, ratio)
    anchor = anchors[0]
    # the supervised network once, with 1 by definition: all others are ratios to it
    ratios[anchor.transfer] = replace(anchor, affinity=1.0)
    total = sum(row.affinity for row in ratios.values() if row.transfer.control != "scratch")
    return [replace(row, affinity=row.affinity / total) for row in ratios.values()]


def several(tables: dict[str, Affinities]) -> Affinities:
    """Returns one table joined from tables that were measured with different amounts of data, such
    as the released 1k and 16k files. tables: regime name -> table of that regime alone. A target
    that one table lacks gets rows only from the others.
    """
    rows: list[Row] = []
    for target in dict.fromkeys(target for table in tables.values() for target in table.targets):
        parts = {
            regime: [tagged(row, regime) for row in table.rows if row.transfer.target == target]
            for regime, table in tables.items()
        }
        rows += joined({regime: part for regime, part in parts.items() if part})
    diagnostics = {
        named(target, regime): facts
        for regime, table in tables.items()
        for target, facts in table.diagnostics.items()
    }
    return Affinities(tuple(rows), diagnostics)


def tagged(row: Row, regime: str) -> Row:
    """Returns the row as one of `regime`; the supervised network belongs to no regime."""
    name = "" if row.transfer.control == "supervised" else regime
    return replace(row, transfer=replace(row.transfer, regime=name))
