"""Turns losses into tournaments and these into the affinity table. There is one tournament for each
target and regime (amount of data). If a target has several regimes, one decides, and the transfers
of the others are placed on its scale.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.special import chdtrc

from models.provenance.address import code_digest
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
    """The losses of one target in one regime; the target's supervised network is among the players.

    players: rows of `measured` that take part in the AHP, which are transfers and the supervised
    control. The control "scratch" is placed on their scale without changing their affinities, and
    so are the transfers of other regimes (`on_scale_of`). The control "average" is judged by win
    rates alone.
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
        """The rows of networks from scratch, which are placed on the players' scale."""
        transfers = self.measured.transfers
        return [i for i, transfer in enumerate(transfers) if transfer.control == "scratch"]

    def against(self, control: str) -> Floats | None:
        """Returns the losses [image] of a control, or None if it was not measured."""
        for i, transfer in enumerate(self.measured.transfers):
            if transfer.control == control:
                return self.measured.losses[i]
        return None


def stores_of(stores: Stores) -> list[LossStore]:
    return [stores] if isinstance(stores, LossStore) else list(stores)


def tournaments(store: LossStore, target: str, only: str | None = None) -> Iterator[Tournament]:
    """Yields the tournament of each regime, or only that of the regime `only`. Raises ValueError
    for a target that has only controls and for a regime without transfers.
    """
    everything = store.read(target)
    transfers = everything.transfers
    # controls do not make a regime
    regimes = sorted({transfer.regime for transfer in transfers if transfer.control is None})
    if only not in (None, *regimes) or not regimes:
        raise ValueError(
            f"the tournament of {target} is empty: no transfer into it was measured, only "
            f"{', '.join(str(transfer.control) for transfer in transfers)}"
        )
    for regime in regimes if only is None else [only]:
        yield tournament_of(everything, regime)


def tournament_of(everything: TransferLosses, regime: str) -> Tournament:
    """Returns the tournament of one regime, with transfers before controls."""
    transfers = everything.transfers
    rows = [i for i, transfer in enumerate(transfers) if belongs(transfer, regime, transfers)]
    # `Tournament.regime` reads the first player, which must be a transfer: the supervised network
    # may be of no regime
    rows.sort(key=lambda i: transfers[i].control is not None)
    part = TransferLosses(
        tuple(transfers[i] for i in rows),
        everything.images,
        rows_of(everything.losses, rows),
    )
    players = tuple(
        i for i, transfer in enumerate(part.transfers) if transfer.control in (None, "supervised")
    )
    return Tournament(part, players)


def belongs(transfer: Transfer, regime: str, all_transfers: Sequence[Transfer]) -> bool:
    """Returns whether a row takes part in the tournament of `regime`. It does if it is of that
    regime, or if it is a control of no particular regime and the regime has no such control of its
    own. A network from scratch belongs only to the regime of its training data, one of a share of
    the labels to none (`share_rows`).
    """
    if transfer.control == "share":
        return False
    if transfer.regime == regime:
        return True
    if transfer.control == "scratch":
        return False
    own = any(
        other.control == transfer.control and other.regime == regime for other in all_transfers
    )
    return transfer.control is not None and transfer.regime == "" and not own


def played(tournament: Tournament) -> Played:
    """Returns (rows, diagnostics) of one tournament. The affinities of the players sum to 1."""
    measured = tournament.measured
    losses = rows_of(measured.losses, tournament.players)
    result = affinities(win_matrix(losses))
    affinity = dict(zip(tournament.players, result.affinity.tolist()))
    for i in tournament.visitors:
        # `win_rate` is the rate of the players over the visitor; the rest is the visitor's
        rates = 1 - win_rate(losses, measured.losses[i])
        affinity[i] = float(placed(rates, result.affinity, result.eigenvalue))
    # also for controls, because tables show their rates
    gain = rates_against(tournament, "scratch")
    quality = rates_against(tournament, "supervised")
    rows = [
        Row(transfer, affinity.get(i, 0.0), gain[i], quality[i], float(measured.losses[i].mean()))
        for i, transfer in enumerate(measured.transfers)
    ]
    return rows, diagnosis(tournament, result, rows)


def on_scale_of(deciding: Tournament, decided: Played, other: Tournament, rows: list[Row]) -> None:
    """Gives `rows`, those of another regime's tournament, affinities on the scale of the deciding
    tournament, whose own do not change.
    """
    losses = rows_of(deciding.measured.losses, deciding.players)
    affinity = np.array([decided[0][i].affinity for i in deciding.players])
    for i in (*other.players, *other.visitors):
        # as in `played`
        rates = 1 - win_rate(losses, other.measured.losses[i])
        value = float(placed(rates, affinity, decided[1]["eigenvalue"]))
        rows[i] = replace(rows[i], affinity=value)


def rates_against(tournament: Tournament, control: str) -> list[float | None]:
    """Returns the win rate of every row against a control; None for every row if the control was
    not measured.
    """
    against = tournament.against(control)
    if against is None:
        return [None] * len(tournament.measured.transfers)
    rates: list[float | None] = list(win_rate(tournament.measured.losses, against).tolist())
    return rates


def diagnosis(tournament: Tournament, result: Ahp, rows: list[Row]) -> Facts:
    """Returns the diagnostics of a tournament: the state of its AHP, and whether the best
    first-order source beats the average at all.
    """
    measured = tournament.measured
    # first order only, because sets that share sources are not independent
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
        # tests all sources as one group for any difference
        "friedman": friedman(rows_of(measured.losses, first), buildings_of(measured.images)),
        **over_average(tournament, rows, first),
    }


def number_of_buildings(images: Sequence[str]) -> int | None:
    """Returns the number of buildings that the images were taken in, or None if their names do not
    tell.
    """
    buildings = buildings_of(images)
    return None if buildings is None else len(set(buildings))


def over_average(tournament: Tournament, rows: list[Row], first: Sequence[int]) -> Facts:
    """Returns {"over_average", "over_average_error"}. over_average: the win rate against the
    average of the best first-order source that is not the target itself, None if either was not
    measured. over_average_error: its standard error over buildings, None if the images' names tell
    no buildings.
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
    """Returns the p-value of "all these transfers are equally good" by Friedman's test over images,
    or None for fewer than three transfers or two images. losses: [transfer, image]. buildings:
    [image]; if given, the test is over buildings, by the mean ranks on their images.
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
    # variance of the ranks within images; below count (count + 1) / 12 if there are ties
    spread = squares / (images * (count - 1))
    if spread == 0:
        return 1.0
    statistic = images * ((sums / images - middle) ** 2).sum() / spread
    # scipy.special's tail of chi squared, because scipy.stats is slow to import (`ranks`)
    return float(chdtrc(count - 1, statistic))


def ranks_by_building(losses: Losses, buildings: Sequence[str]) -> Floats:
    """Returns the mean rank [transfer, building] on the images of each building. losses: [transfer,
    image]. buildings: [image].
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
    """Returns the affinity table of all targets of all stores.

    cache: folder in which finished tournaments are kept by the address of their losses, so that one
    more task or regime computes only its own. regime: the name of the only regime to measure; None
    means all, on the scale of the first one (`on_one_scale`), whose rows are the same as in a table
    of it alone, and supervised networks of shares of the labels (`share_rows`). images: accepts the
    names of the test images that count; None means all. Raises ValueError if the stores hold no
    target.
    """
    rows: list[Row] = []
    diagnostics: Facts = {}
    for store in stores_of(stores):
        for target in store.targets():
            several = [
                whole if images is None else restricted(whole, images)
                for whole in tournaments(store, target, regime)
            ]
            parts = [result_of(tournament, cache) for tournament in several]
            for tournament, (_, facts) in zip(several, parts):
                # by the tournament's name, because a target has one in every regime
                diagnostics[named(target, tournament.regime)] = facts
            rows += on_one_scale(several, parts)
            if regime is None:
                rows += share_rows(store.read(target), several[0], parts[0])
    if not rows:
        raise ValueError(
            "no losses were measured: the stores hold no target; train transfers first"
        )
    return Affinities(tuple(rows), diagnostics)


def on_one_scale(tournaments: Sequence[Tournament], parts: Sequence[Played]) -> list[Row]:
    """Returns the rows of one target with several regimes on one scale. tournaments, parts: each
    regime's tournament and its result (`played`). The first regime, which is the one named "" if
    there is one, decides: its rows do not change. The others' are placed on its scale, outside the
    sum of 1.
    """
    # Tournaments with different players have different scales, and a common player does not align
    # them: a share among 27 players is no share among 352.
    rows = {row.transfer: row for row in parts[0][0]}
    for tournament, (others, _) in zip(tournaments[1:], parts[1:]):
        on_scale_of(tournaments[0], parts[0], tournament, others)
        for row in others:
            # the supervised network and controls of no particular regime are in several
            rows.setdefault(row.transfer, row)
    return list(rows.values())


def share_rows(everything: TransferLosses, deciding: Tournament, decided: Played) -> list[Row]:
    """Returns the rows of a target's supervised networks of shares of its labels, the fewest labels
    first, on the scale of the deciding tournament, in which they do not play.
    """
    views = {i: transfer.share_views for i, transfer in enumerate(everything.transfers)}
    shares = sorted((count, i) for i, count in views.items() if count is not None)
    if not shares:
        return []
    there = set(deciding.measured.images)
    columns = [i for i, name in enumerate(everything.images) if name in there]
    players = rows_of(deciding.measured.losses, deciding.players)
    affinity = np.array([decided[0][i].affinity for i in deciding.players])
    rows = []
    for count, i in shares:
        losses = np.asarray(everything.losses[i])[columns]
        # as in `played`
        value = placed(1 - win_rate(players, losses), affinity, decided[1]["eigenvalue"])
        transfer = Transfer((), everything.transfers[i].target, str(count), "share")
        gain = rate_of(losses, deciding.against("scratch"))
        quality = rate_of(losses, deciding.against("supervised"))
        rows.append(Row(transfer, float(value), gain, quality, float(losses.mean())))
    return rows


def rate_of(losses: Floats, against: Floats | None) -> float | None:
    """Returns the win rate of losses [image] against others, or None if these were not measured."""
    return None if against is None else float(wins_over(losses, against).mean())


def restricted(tournament: Tournament, images: Callable[[str], bool]) -> Tournament:
    """Returns the tournament on the images whose names `images` accepts. Raises ValueError if none
    is left.
    """
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
    """Returns the content address of a tournament: a hash of its transfers, images and losses, and
    of the code that plays it.
    """
    measured = tournament.measured
    names = [str(transfer) for transfer in measured.transfers]
    # with the code, so that results of edited code are not read from the cache
    content = [code_digest(played), names, measured.images]
    digest = hashlib.sha256(json.dumps(content).encode())
    # all bytes, so that any change of a loss changes the address
    for row in measured.losses:
        digest.update(row.tobytes())
    return digest.hexdigest()[:32]


def result_of(tournament: Tournament, cache: str | Path | None) -> Played:
    """Returns the result of a tournament, from the cache if it is there, otherwise computed and
    then cached.
    """
    if cache is None:
        return played(tournament)
    path = Path(cache) / f"{address(tournament)}.json"
    # the seal shows a file that a crash left half written; its tournament is then played again
    content = read_sealed_json(path)
    if content is not None:
        return [row_of(entry) for entry in content["rows"]], content["diagnostics"]
    rows, diagnostics = played(tournament)
    write_sealed_json(path, {"rows": [flat(row) for row in rows], "diagnostics": diagnostics})
    return rows, diagnostics
