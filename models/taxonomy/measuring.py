"""Losses -> tournaments -> the affinity table. One tournament a target and regime (amount of data);
several regimes are put on one scale.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.taxonomy.affinities import Affinities, Row, flat, thick
from models.taxonomy.ahp import affinities
from models.taxonomy.losses import LossStore, TransferLosses, write
from models.taxonomy.tournament import win_matrix, win_rate


@dataclass(frozen=True)
class Tournament:
    """The losses of one target in one regime, the target's supervised network among the players.

    players: rows of `found` that take part in the AHP: transfers and the supervised control.
    `scratch` and `average` are judged by win rates alone, as `pixels` is in the released files.
    """

    found: TransferLosses
    players: tuple[int, ...]

    @property
    def target(self) -> str:
        return self.found.transfers[0].target

    @property
    def regime(self) -> str:
        return self.found.transfers[self.players[0]].regime

    def against(self, control: str) -> np.ndarray | None:
        """losses [image] of a control, None if it was not measured."""
        rows = [i for i, transfer in enumerate(self.found.transfers) if transfer.control == control]
        return self.found.losses[rows[0]] if rows else None


def tournaments(store: LossStore, target: str, only: str | None = None) -> Iterator[Tournament]:
    """one a regime, or that of the regime `only`. Raises ValueError for a target with controls
    only.
    """
    found = store.read(target)
    regimes = sorted({transfer.regime for transfer in found.transfers if transfer.control is None})
    if only not in (None, *regimes) or not regimes:
        raise ValueError(
            f"the tournament of {target} is empty: no transfer into it was measured, only "
            f"{', '.join(str(t.control) for t in found.transfers)}"
        )
    for regime in regimes if only is None else [only]:
        rows = [
            i
            for i, transfer in enumerate(found.transfers)
            if belongs(transfer, regime, found.transfers)
        ]
        rows.sort(key=lambda i: found.transfers[i].control is not None)  # transfers first
        part = TransferLosses(
            tuple(found.transfers[i] for i in rows), found.images, found.losses[rows]
        )
        yield Tournament(
            part,
            tuple(
                i
                for i, transfer in enumerate(part.transfers)
                if transfer.control in (None, "supervised")
            ),
        )


def belongs(transfer, regime: str, all_transfers: Sequence) -> bool:
    """transfers of this regime; controls of this regime or, where it has none of its own, of no
    regime in particular.
    """
    if transfer.regime == regime:
        return True
    own = any(
        other.control == transfer.control and other.regime == regime for other in all_transfers
    )
    return transfer.control is not None and transfer.regime == "" and not own


def played(tournament: Tournament) -> tuple[list[Row], dict]:
    """(rows, diagnostics) of one tournament, affinities summing to 1."""
    found, (scratch, supervised) = (
        tournament.found,
        (tournament.against(name) for name in ("scratch", "supervised")),
    )
    gain, quality = (
        None if control is None else win_rate(found.losses, control)
        for control in (scratch, supervised)
    )
    result = affinities(win_matrix(found.losses[list(tournament.players)]))
    share = dict(zip(tournament.players, result.affinity))
    number = lambda values, i: None if values is None else float(values[i])
    rows = [
        Row(
            transfer,
            float(share.get(i, 0.0)),
            number(gain, i),
            number(quality, i),
            float(found.losses[i].mean()),
        )
        for i, transfer in enumerate(found.transfers)
    ]
    return rows, {
        "transfers": len(tournament.players),
        "images": len(found.images),
        "eigenvalue": result.eigenvalue,
        "consistency": result.consistency,
        "clipped": result.clipped,
        "gap": result.gap,
        "reducible": bool(result.reducible),
        "friedman": friedman(
            found.losses[[i for i in tournament.players if found.transfers[i].order == 1]]
        ),
    }


def friedman(losses: np.ndarray) -> float | None:
    """p-value of "all first-order transfers are equally good" (Friedman's test over images); None
    for fewer than three. losses [transfer, image].
    """
    if len(losses) < 3 or losses.shape[1] < 2:
        return None
    from scipy.stats import chi2, rankdata

    count, images = losses.shape
    ranks = rankdata(losses, axis=0)
    spread = ((ranks - (count + 1) / 2) ** 2).sum() / (
        images * (count - 1)
    )  # smaller than count (count + 1) / 12 where there are ties
    if spread == 0:
        return 1.0
    statistic = images * ((ranks.mean(1) - (count + 1) / 2) ** 2).sum() / spread
    return float(chi2.sf(statistic, count - 1))


def measure(
    stores: Iterable[LossStore] | LossStore,
    *,
    cache: str | Path | None = None,
    regime: str | None = None,
) -> Affinities:
    """tournaments of all targets of all stores -> the table. cache: folder in which finished
    tournaments are kept by the address of their losses, so that one more task or regime computes
    only its own. regime: that of this name alone; all of them on one scale if None.
    """
    rows, diagnostics = [], {}
    for store in [stores] if isinstance(stores, LossStore) else stores:
        for target in store.targets():
            parts = {}
            for tournament in tournaments(store, target, regime):
                parts[tournament.regime] = kept(tournament, cache)
                diagnostics[named(target, tournament.regime)] = parts[tournament.regime][1]
            rows += joined({regime: found for regime, (found, _) in parts.items()})
    if not rows:
        raise ValueError(
            "no losses were measured: the stores hold no target; train transfers first"
        )
    return Affinities(tuple(rows), diagnostics)


def named(target: str, regime: str) -> str:
    return f"{target} ({regime})" if regime else target


def address(tournament: Tournament) -> str:
    """content address of a tournament: its transfers, images and losses."""
    digest = hashlib.sha256(
        json.dumps([[str(t) for t in tournament.found.transfers], tournament.found.images]).encode()
    )
    digest.update(tournament.found.losses.tobytes())
    return digest.hexdigest()[:32]


def kept(tournament: Tournament, cache: str | Path | None) -> tuple[list[Row], dict]:
    """played, or read back from the cache."""
    path = None if cache is None else Path(cache) / f"{address(tournament)}.json"
    if path is not None and path.exists():
        content = json.loads(path.read_text())
        return [thick(row) for row in content["rows"]], content["diagnostics"]
    rows, diagnostics = played(tournament)
    if path is not None:
        write(
            path,
            json.dumps({"rows": [flat(row) for row in rows], "diagnostics": diagnostics}).encode(),
        )
    return rows, diagnostics


def joined(parts: dict[str, list[Row]]) -> list[Row]:
    """rows of one target of several regimes on one scale. AHP's affinities are a ratio scale, and
    the supervised network plays in every regime's tournament: each regime is divided by its
    affinity there, all together are made to sum to 1 again, and it stays once.

    Raises ValueError if several regimes have no supervised control in common.
    """
    if len(parts) == 1:
        return next(iter(parts.values()))
    from dataclasses import replace

    made, anchor = {}, None
    for rows in parts.values():
        own = next((row for row in rows if row.transfer.control == "supervised"), None)
        if own is None:
            raise ValueError(
                f"regimes {', '.join(parts)} of {rows[0].transfer.target} have no supervised "
                "network in common to be compared by; measure it"
            )
        anchor = anchor or own
        for row in rows:
            if row.transfer.control != "supervised":
                made.setdefault(row.transfer, replace(row, affinity=row.affinity / own.affinity))
    made[anchor.transfer] = replace(anchor, affinity=1.0)
    total = sum(row.affinity for row in made.values())
    return [replace(row, affinity=row.affinity / total) for row in made.values()]


def several(tables: dict[str, Affinities]) -> Affinities:
    """tables that were measured with different amounts of data, joined: regime name -> table (of
    one regime each), such as the released 1k and 16k files. Targets that a table lacks have that
    regime's rows from the others only.
    """
    from dataclasses import replace

    rows = []
    tagged = lambda row, regime: replace(
        row,
        transfer=replace(
            row.transfer, regime="" if row.transfer.control == "supervised" else regime
        ),
    )
    for target in dict.fromkeys(target for table in tables.values() for target in table.targets):
        parts = {
            regime: [tagged(row, regime) for row in table.rows if row.transfer.target == target]
            for regime, table in tables.items()
        }
        rows += joined({regime: found for regime, found in parts.items() if found})
    return Affinities(
        tuple(rows),
        {
            named(target, regime): facts
            for regime, table in tables.items()
            for target, facts in table.diagnostics.items()
        },
    )
