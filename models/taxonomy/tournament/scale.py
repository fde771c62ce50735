"""Several regimes (amounts of data) on one scale of affinities, of tables alone: where there are
losses, `measurement.on_one_scale` places one regime's transfers in the tournament of another.
"""

from __future__ import annotations

from dataclasses import replace

from models.taxonomy.affinities import Affinities, Row
from models.taxonomy.transfer import Transfer


def named(target: str, regime: str) -> str:
    """the name of a tournament in the diagnostics."""
    return f"{target} ({regime})" if regime else target


def joined(parts: dict[str, list[Row]]) -> list[Row]:
    """rows of one target of several regimes on one scale. AHP's affinities are a ratio scale, and
    the supervised network plays in every regime's tournament: each regime is divided by its
    affinity there, all together are made to sum to 1 again (training from scratch outside the sum,
    as in each part), and it stays once. Regimes whose players differ much are no more than roughly
    comparable so: a ratio to one player depends on who else plays.

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
    # once, and 1 by definition: all others are ratios to it
    ratios[anchor.transfer] = replace(anchor, affinity=1.0)
    total = sum(row.affinity for row in ratios.values() if row.transfer.control != "scratch")
    return [replace(row, affinity=row.affinity / total) for row in ratios.values()]


def several(tables: dict[str, Affinities]) -> Affinities:
    """tables that were measured with different amounts of data, joined: regime name -> table (of
    one regime each), such as the released 1k and 16k files. Targets that a table lacks have that
    regime's rows from the others only.
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
    """the row as one of `regime`; the supervised network belongs to none."""
    name = "" if row.transfer.control == "supervised" else regime
    return replace(row, transfer=replace(row.transfer, regime=name))
