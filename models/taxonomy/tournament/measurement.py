"""Losses -> tournaments -> the affinity table. One tournament a target and regime (amount of data);
of several regimes one decides, and the transfers of the others are placed on its scale.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.special import chdtrc

from models.provenance.closure import closure_of
from models.provenance.seals import read_sealed_json, write_sealed_json
from models.tasks.arrays import Floats
from models.tasks.ranks import ranks_of
from models.taxonomy.affinities import Affinities, Row, flat, row_of
from models.taxonomy.facts import Facts
from models.taxonomy.tournament.ahp import Ahp, affinities, placed
from models.taxonomy.tournament.buildings import buildings_of, error_of_mean
from models.taxonomy.tournament.loss_rows import Losses, images_of, parts_of, rows_of
from models.taxonomy.tournament.losses import LossStore, TransferLosses
from models.taxonomy.tournament.scale import named
from models.taxonomy.tournament.tournament import win_matrix, win_rate, wins_over
from models.taxonomy.transfer import Transfer

Stores = Iterable[LossStore] | LossStore
Played = tuple[list[Row], Facts]  # rows and diagnostics of a tournament


@dataclass(frozen=True)
class Tournament:
    """The losses of one target in one regime, the target's supervised network among the players.

    players: rows of `measured` that take part in the AHP: transfers and the supervised control.
    `scratch` is placed on their scale and changes nothing of theirs, and so are the transfers of
    other regimes (`on_scale_of`); `average` is judged by win rates alone.
    """

    measured: TransferLosses
    players: tuple[int, ...]

    @property
    def target(self) -> str:
        return self.measured.transfers[0].target

    @property
    def regime(self) -> str:
        return self.measured.transfers[self.players[0]].regime

    @property
    def visitors(self) -> list[int]:
        """rows that are placed on the players' scale: networks from scratch."""
        transfers = self.measured.transfers
        return [i for i, transfer in enumerate(transfers) if transfer.control == "scratch"]

    def against(self, control: str) -> Floats | None:
        """losses [image] of a control, None if it was not measured."""
        for i, transfer in enumerate(self.measured.transfers):
            if transfer.control == control:
                return self.measured.losses[i]
        return None


def stores_of(stores: Stores) -> list[LossStore]:
    return [stores] if isinstance(stores, LossStore) else list(stores)


def tournaments(store: LossStore, target: str, only: str | None = None) -> Iterator[Tournament]:
    """one a regime, or that of the regime `only`. Raises ValueError for a target with controls
    only.
    """
    everything = store.read(target)
    transfers = everything.transfers
    # a control alone is no regime
    regimes = sorted({transfer.regime for transfer in transfers if transfer.control is None})
    if only not in (None, *regimes) or not regimes:
        raise ValueError(
            f"the tournament of {target} is empty: no transfer into it was measured, only "
            f"{', '.join(str(transfer.control) for transfer in transfers)}"
        )
    for regime in regimes if only is None else [only]:
        yield tournament_of(everything, regime)


def tournament_of(everything: TransferLosses, regime: str) -> Tournament:
    """the rows of one regime, transfers first."""
    transfers = everything.transfers
    rows = [i for i, transfer in enumerate(transfers) if belongs(transfer, regime, transfers)]
    # `Tournament.regime` reads the first player, which must be a transfer: the supervised network
    # is of no regime
    rows.sort(key=lambda i: transfers[i].control is not None)
    part = TransferLosses(
        # a copy of the rows, of those in memory: tournaments of other regimes have others
        tuple(transfers[i] for i in rows),
        everything.images,
        rows_of(everything.losses, rows),
    )
    players = tuple(
        i for i, transfer in enumerate(part.transfers) if transfer.control in (None, "supervised")
    )
    return Tournament(part, players)


def belongs(transfer: Transfer, regime: str, all_transfers: Sequence[Transfer]) -> bool:
    """transfers of this regime; controls of this regime or, where it has none of its own, of no
    regime in particular. A network from scratch is of the data that taught it alone.
    """
    if transfer.regime == regime:
        return True
    if transfer.control == "scratch":
        return False
    own = any(
        other.control == transfer.control and other.regime == regime for other in all_transfers
    )
    return transfer.control is not None and transfer.regime == "" and not own


def played(tournament: Tournament) -> Played:
    """(rows, diagnostics) of one tournament, affinities of the players summing to 1."""
    measured = tournament.measured
    losses = rows_of(measured.losses, tournament.players)
    result = affinities(win_matrix(losses))
    affinity = dict(zip(tournament.players, result.affinity.tolist()))
    for i in tournament.visitors:
        # `win_rate` counts who beats the visitor, and half a tie: the rest is the visitor's own
        rates = 1 - win_rate(losses, measured.losses[i])
        affinity[i] = float(placed(rates, result.affinity, result.eigenvalue))
    # rates of every row, of controls too: tables show them
    gain = rates_against(tournament, "scratch")
    quality = rates_against(tournament, "supervised")
    rows = [
        Row(transfer, affinity.get(i, 0.0), gain[i], quality[i], float(measured.losses[i].mean()))
        for i, transfer in enumerate(measured.transfers)
    ]
    return rows, diagnosis(tournament, result, rows)


def on_scale_of(deciding: Tournament, decided: Played, other: Tournament, rows: list[Row]) -> None:
    """give `rows`, those of another regime's tournament, affinities on the scale of the deciding
    one, whose own stay as they are.
    """
    losses = rows_of(deciding.measured.losses, deciding.players)
    affinity = np.array([decided[0][i].affinity for i in deciding.players])
    for i in (*other.players, *other.visitors):
        # as in `played`
        rates = 1 - win_rate(losses, other.measured.losses[i])
        value = float(placed(rates, affinity, decided[1]["eigenvalue"]))
        rows[i] = replace(rows[i], affinity=value)


def rates_against(tournament: Tournament, control: str) -> list[float | None]:
    """win rate of every row against a control, None where it was not measured."""
    against = tournament.against(control)
    if against is None:
        return [None] * len(tournament.measured.transfers)
    rates: list[float | None] = list(win_rate(tournament.measured.losses, against).tolist())
    return rates


def diagnosis(tournament: Tournament, result: Ahp, rows: list[Row]) -> Facts:
    """the AHP's health, and whether the best first-order source beats the average at all."""
    measured = tournament.measured
    # first order alone: sets share sources, and are not independent
    first = [i for i in tournament.players if measured.transfers[i].order == 1]
    return {
        "transfers": len(tournament.players),
        "images": len(measured.images),
        "buildings": number_of_buildings(measured.images),
        "eigenvalue": result.eigenvalue,
        "consistency": result.consistency,
        "clipped": result.clipped,
        "gap": result.gap,
        "reducible": bool(result.reducible),
        # sources are compared as one group: is there any difference at all?
        "friedman": friedman(rows_of(measured.losses, first), buildings_of(measured.images)),
        **over_average(tournament, rows, first),
    }


def number_of_buildings(images: Sequence[str]) -> int | None:
    """None where they are not told apart."""
    buildings = buildings_of(images)
    return None if buildings is None else len(set(buildings))


def over_average(tournament: Tournament, rows: list[Row], first: Sequence[int]) -> Facts:
    """{"over_average": win rate against the average of the best first-order source that is not the
    target itself, None where either was not measured; "over_average_error": its standard error over
    buildings, None where they are not told apart}.
    """
    average = tournament.against("average")
    others = [i for i in first if not rows[i].transfer.own_encoder]
    if average is None or not others:
        return {"over_average": None, "over_average_error": None}
    # by affinity, which counts all images against all players
    best = max(others, key=lambda i: rows[i].affinity)
    wins = wins_over(tournament.measured.losses[best], average)
    buildings = buildings_of(tournament.measured.images)
    return {
        "over_average": float(wins.mean()),
        "over_average_error": None if buildings is None else error_of_mean(wins, buildings),
    }


def friedman(losses: Losses, buildings: Sequence[str] | None = None) -> float | None:
    """p-value of "all first-order transfers are equally good" (Friedman's test over images, or over
    buildings [image], by the mean ranks on their images); None for fewer than three. losses
    [transfer, image].
    """
    if buildings is not None and len(losses) >= 3:
        return friedman(ranks_by_building(losses, buildings))
    if len(losses) < 3 or losses.shape[1] < 2:
        return None
    # ranks within an image, not within a transfer
    count, images = losses.shape
    middle = (count + 1) / 2
    sums = np.zeros(count)
    squares = 0.0
    for _, part in parts_of(losses):
        ranks = ranks_of(part.T)
        sums += ranks.sum(0)
        squares += ((ranks - middle) ** 2).sum()
    # of ranks within images; smaller than count (count + 1) / 12 where there are ties
    spread = squares / (images * (count - 1))
    if spread == 0:
        return 1.0
    statistic = images * ((sums / images - middle) ** 2).sum() / spread
    # chi squared's tail by itself: scipy.stats takes longer to load than to compute this (`ranks`)
    return float(chdtrc(count - 1, statistic))


def ranks_by_building(losses: Losses, buildings: Sequence[str]) -> Floats:
    """losses [transfer, image], buildings [image] -> [transfer, building]: mean rank on the images
    of each.
    """
    names, at = np.unique(buildings, return_inverse=True)
    sums = np.zeros((len(names), len(losses)))
    for images, part in parts_of(losses):
        np.add.at(sums, at[images], ranks_of(part.T))
    return np.asarray(sums.T / np.bincount(at))


def measure(
    stores: Stores,
    *,
    cache: str | Path | None = None,
    regime: str | None = None,
    images: Callable[[str], bool] | None = None,
) -> Affinities:
    """tournaments of all targets of all stores -> the table. cache: folder in which finished
    tournaments are kept by the address of their losses, so that one more task or regime computes
    only its own. regime: that of this name alone; all of them on the scale of the first one if
    None (`on_one_scale`), whose rows are as in a table of it alone. images: which test images count
    (by name), all if None.
    """
    rows: list[Row] = []
    diagnostics: Facts = {}
    for store in stores_of(stores):
        for target in store.targets():
            several = [
                whole if images is None else restricted(whole, images)
                for whole in tournaments(store, target, regime)
            ]
            parts = [kept(tournament, cache) for tournament in several]
            for tournament, (_, facts) in zip(several, parts):
                # by the name of the tournament: a target has one in every regime
                diagnostics[named(target, tournament.regime)] = facts
            rows += on_one_scale(several, parts)
    if not rows:
        raise ValueError(
            "no losses were measured: the stores hold no target; train transfers first"
        )
    return Affinities(tuple(rows), diagnostics)


def on_one_scale(tournaments: Sequence[Tournament], parts: Sequence[Played]) -> list[Row]:
    """rows of one target of several regimes (tournaments, and what was played of each). The first
    regime, which is the one named "" where there is one, decides: its rows are as they were, and
    the others' are placed on its scale, outside the sum of 1.
    """
    # tournaments that differ in who plays have scales of their own, which no common player brings
    # together: a share of 27 players is none of 352
    rows = {row.transfer: row for row in parts[0][0]}
    for tournament, (others, _) in zip(tournaments[1:], parts[1:]):
        on_scale_of(tournaments[0], parts[0], tournament, others)
        for row in others:
            # the supervised network, and controls of no regime in particular, are in several
            rows.setdefault(row.transfer, row)
    return list(rows.values())


def restricted(tournament: Tournament, images: Callable[[str], bool]) -> Tournament:
    """the tournament on some of its images. Raises ValueError if none is left."""
    measured = tournament.measured
    columns = [i for i, name in enumerate(measured.images) if images(name)]
    if not columns:
        raise ValueError(
            f"none of the {len(measured.images)} test images of {tournament.target} is left; "
            "measure more of them, from several buildings"
        )
    part = TransferLosses(
        measured.transfers,
        tuple(measured.images[i] for i in columns),
        images_of(measured.losses, columns),
    )
    return Tournament(part, tournament.players)


def address(tournament: Tournament) -> str:
    """content address of a tournament: its transfers, images and losses, and the code it is played
    by.
    """
    measured = tournament.measured
    names = [str(transfer) for transfer in measured.transfers]
    # the code, too: an edited tournament must not be read back from the cache
    content = [closure_of(played).digest(), names, measured.images]
    digest = hashlib.sha256(json.dumps(content).encode())
    # bytes of all losses: the address is as exact as the table
    for row in measured.losses:
        digest.update(row.tobytes())
    return digest.hexdigest()[:32]


def kept(tournament: Tournament, cache: str | Path | None) -> Played:
    """played, or read back from the cache."""
    if cache is None:
        return played(tournament)
    path = Path(cache) / f"{address(tournament)}.json"
    # sealed: a file that a crash left half is played again
    content = read_sealed_json(path)
    if content is not None:
        return [row_of(entry) for entry in content["rows"]], content["diagnostics"]
    rows, diagnostics = played(tournament)
    write_sealed_json(path, {"rows": [flat(row) for row in rows], "diagnostics": diagnostics})
    return rows, diagnostics
