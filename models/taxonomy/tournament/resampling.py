"""Efron's bootstrap, which says how sure a table's numbers are: the test buildings are drawn with
replacement, thousands of times, and every number is computed anew.

The drawn units are buildings with all their images, because images of one building are alike. The
same buildings are drawn for all targets, so that a policy's mean over targets varies as it would.
If a target's images name no building or a single one, images are drawn instead; targets with the
same test images then draw the same ones. Beyond `UNITS` names (fewer for tournaments of thousands
of players, to bound memory), a unit is a random block of names, all blocks of equal size, which
estimates the same spread of a mean. Few buildings say little about other buildings and make
intervals rather too narrow; `Resamples.units` says how many there are.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from models.tasks.arrays import Bools, Floats, Integers
from models.taxonomy.tournament.ahp import leading_pairs, placed, reciprocal_of_pairs
from models.taxonomy.tournament.buildings import buildings_of
from models.taxonomy.tournament.loss_rows import Losses, parts_of, rows_of
from models.taxonomy.tournament.losses import LossStore
from models.taxonomy.tournament.measurement import Stores, Tournament, stores_of, tournaments
from models.taxonomy.tournament.resamples import Resamples
from models.taxonomy.tournament.tournament import CACHE, margins_of, wins_over
from models.taxonomy.transfer import Transfer

UNITS = 1000
MEMORY = 1 << 28  # bytes of float32 that a step may hold at once
LEVEL = (0.025, 0.975)
LARGE = 1000  # players; below, a tournament holds some hundred megabytes at most
ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Draws:
    """The drawn test images of one tournament. unit: [image] int, the unit that an image is in.
    share: [resample, unit] float32, the weight of each image of the unit.
    """

    unit: Integers
    share: Floats

    @property
    def units(self) -> int:
        return self.share.shape[1]

    def rates(self, wins: Floats) -> Floats:
        """Returns the weighted share of images [resample, row] in [0, 1], from sums over images
        [row, unit].
        """
        return self.share @ wins.T


def draws(
    names: Sequence[str], resamples: int, seed: int, most: int = UNITS
) -> tuple[Integers, Floats]:
    """Returns (unit of each name [name] int, weights [resample, unit] float32, each row summing to
    the number of units) for the names of images or buildings. The same names and seed give the same
    result.
    """
    rng = generator_of(names, seed)
    units = min(len(names), most)
    # assigned in turn and then shuffled, so that the sizes of blocks differ by one at most
    unit = np.arange(len(names)) % units
    rng.shuffle(unit)
    # how often each unit is drawn
    weights = rng.multinomial(units, np.full(units, 1 / units), size=resamples)
    return unit, weights.astype("float32")


def generator_of(names: Sequence[str], seed: int) -> np.random.Generator:
    """Returns a random generator that depends only on the test set's names and the seed, so that
    targets with the same test set share their draws.
    """
    digest = hashlib.sha256("\n".join(names).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])


def drawn(
    tournament: Tournament, resamples: int, seed: int, buildings: Sequence[str] = ()
) -> Draws:
    """Returns the draws of a tournament, with as many units as the memory bound allows. buildings:
    those of all targets, this one's among them; if empty, this one's alone.
    """
    pairs = len(tournament.players) ** 2 // 2
    # 2 bytes a margin (`pair_margins`)
    most = min(UNITS, max(100, 4 * MEMORY // (2 * max(1, pairs))))
    images = tournament.measured.images
    own = buildings_of(images)
    if own is None:
        unit, weights = draws(images, resamples, seed, most)
    else:
        every = sorted({*buildings, *own})
        of_building, weights = draws(every, resamples, seed, most)
        place = dict(zip(every, of_building.tolist()))
        unit = np.array([place[name] for name in own])
    # divided by the drawn images, because units differ in size and shares are of images
    size = np.bincount(unit, minlength=weights.shape[1]).astype("float32")
    empty = weights @ size == 0
    if empty.any():
        # a draw without any building of this target says nothing about it: draw among its own
        there = size > 0
        some = there.sum()
        again = generator_of(images, seed).multinomial(some, there / some, size=empty.sum())
        weights[empty] = again
    return Draws(unit, weights / (weights @ size)[:, None])


def resample(
    tournament: Tournament,
    resamples: int,
    seed: int,
    others: Sequence[Tournament] = (),
    buildings: Sequence[str] = (),
) -> Resamples:
    """Returns `resamples` resamples of one tournament and, on its scale and of the same drawn
    images, of the transfers of `others`, which are the same target's tournaments in other regimes.
    buildings: those of all targets (`drawn`). Safe to call from several threads: large tournaments,
    of which each fills the memory bound, run one at a time.
    """
    if len(tournament.players) > LARGE:
        with ONE_AT_A_TIME:
            return resampled(tournament, resamples, seed, others, buildings)
    return resampled(tournament, resamples, seed, others, buildings)


def resampled(
    tournament: Tournament,
    resamples: int,
    seed: int,
    others: Sequence[Tournament],
    buildings: Sequence[str],
) -> Resamples:
    """Returns the resamples of a tournament as `resample` does, of any size, without waiting for
    others.
    """
    measured = tournament.measured
    draw = drawn(tournament, resamples, seed, buildings)
    players = list(tournament.players)
    losses = rows_of(measured.losses, players)
    affinity = np.zeros((resamples, len(measured.losses)), "float32")
    affinity[:, players], eigenvalue = resampled_affinities(losses, draw)

    def place(visitor: Floats) -> Floats:
        """Returns the affinities [resample] of a row of losses [image], on the scale of each
        resample.
        """
        rates = draw.rates(wins_by_unit(losses, visitor, draw, turned=True))
        return placed(rates, affinity[:, players], eigenvalue)

    for i in tournament.visitors:
        affinity[:, i] = place(measured.losses[i])
    columns: dict[Transfer, tuple[Floats, Floats, Floats]] = {}
    for one in (tournament, *others):
        values = affinity
        if one is not tournament:
            values = np.zeros((resamples, len(one.measured.losses)), "float32")
            for i in (*one.players, *one.visitors):
                values[:, i] = place(one.measured.losses[i])
        # rates are against the controls of the tournament's own regime
        gain = resampled_rates(one, draw, "scratch")
        quality = resampled_rates(one, draw, "supervised")
        for i, transfer in enumerate(one.measured.transfers):
            # a control of no particular regime is in several tournaments; the first one counts
            columns.setdefault(transfer, (values[:, i], gain[:, i], quality[:, i]))
    stacked = (np.stack(column, 1) for column in zip(*columns.values()))
    return Resamples(tuple(columns), *stacked)


def resampled_rates(tournament: Tournament, draw: Draws, control: str) -> Floats:
    """Returns the win rates against a control in every resample, [resample, transfer] float32; NaN
    if the control was not measured.
    """
    losses = tournament.measured.losses
    against = tournament.against(control)
    if against is None:
        return np.full((len(draw.share), len(losses)), np.nan, "float32")
    return draw.rates(wins_by_unit(losses, against, draw))


def wins_by_unit(losses: Losses, against: Floats, draw: Draws, *, turned: bool = False) -> Floats:
    """Returns the wins of the rows over `against` [image], summed over the images of each unit:
    [row, unit] float32. turned: count the wins of `against` over the rows instead. Ties are halves,
    whose sums are exact in float32.
    """
    sums = np.zeros((len(losses), draw.units), "float32")
    step = max(1, MEMORY // (8 * max(1, len(losses))))
    for some, part in parts_of(losses):
        for start in range(0, part.shape[1], step):
            these = part[:, start : start + step]
            other = against[some][start : start + step]
            unit = draw.unit[some][start : start + step]
            wins = wins_over(other, these) if turned else wins_over(these, other)
            sums += by_unit(wins, unit, draw.units)
    return sums


def by_unit(values: Floats | Bools, unit: Integers, units: int) -> Floats:
    """Returns the sums of values [row, image] over the images of each unit: [row, unit] float32."""
    order = np.argsort(unit, kind="stable")
    there, starts = np.unique(unit[order], return_index=True)
    sums = np.zeros((len(values), units), "float32")
    # sorted by unit, so that no loop over images is needed
    sums[:, there] = np.add.reduceat(values[:, order].astype("float32"), starts, axis=1)
    return sums


def resampled_affinities(losses: Losses, draw: Draws) -> tuple[Floats, Floats]:
    """Returns (affinities [resample, player], eigenvalues [resample]) of losses [player, image].
    The win rates of all resamples are one matrix product: resamples x units x pairs.
    """
    count = len(losses)
    margins = pair_margins(losses, draw)
    step = max(1, MEMORY // (4 * draw.units) // 4)
    # the ratios get half of the bound, because the rates of one triangle are held at the same time
    height = max(1, min(len(draw.share), MEMORY // (4 * max(1, count * count)) // 2))
    affinity = np.empty((len(draw.share), count), "float32")
    eigenvalue = np.empty(len(draw.share), "float32")
    upper, lower = triangles(count)
    for start in range(0, len(draw.share), height):
        rows = slice(start, start + height)
        share = draw.share[rows]
        rates = np.empty((len(share), margins.shape[1]), "float32")
        for pair in range(0, margins.shape[1], step):
            block = slice(pair, pair + step)
            # a rate is (1 + share won - share lost) / 2, in which ties cancel
            rates[:, block] = (1 + share @ margins[:, block].astype("float32")) / 2
        ratio = np.empty((len(share), count * count), "float32")
        ratio[:, :: count + 1] = 1  # the diagonal: a player against itself
        # one resample at a time, so that its matrix stays in the cache
        for matrix, wins in zip(ratio, rates):
            odds = reciprocal_of_pairs(wins)
            matrix[upper] = odds
            matrix[lower] = 1 / odds
        pairs = leading_pairs(ratio.reshape(-1, count, count))
        affinity[rows], eigenvalue[rows] = pairs
    return affinity, eigenvalue


def triangles(count: int) -> tuple[Integers, Integers]:
    """Returns the positions of the pairs of `numpy.triu_indices` in a flattened matrix [count,
    count], and the positions of the mirrored pairs.
    """
    first, second = np.triu_indices(count, 1)
    return first * count + second, second * count + first


def pair_margins(losses: Losses, draw: Draws) -> Integers:
    """Returns the number of images that the first player of a pair wins minus the number that it
    loses, for every unit and pair: [unit, pair], with pairs in the order of `numpy.triu_indices`.
    """
    count = len(losses)
    largest = int(np.bincount(draw.unit).max())
    kind = "int16" if largest < 1 << 15 else "int32"
    margins = np.zeros((draw.units, count * (count - 1) // 2), kind)
    blocks = list(row_blocks(count))
    for some, part in parts_of(losses):
        unit = draw.unit[some]
        order = np.argsort(unit, kind="stable")
        there, starts = np.unique(unit[order], return_index=True)
        for number, images in zip(there.tolist(), np.split(order, starts[1:])):
            turned = np.ascontiguousarray(part[:, images].T)
            for rows, pairs, places in blocks:
                block = margins_of(turned, rows).reshape(-1)
                margins[number, pairs] += block[places].astype(kind)
    return margins


def row_blocks(count: int) -> Iterator[tuple[slice, slice, Integers]]:
    """Yields (rows, their pairs among all pairs, [n] positions of these pairs in the flattened
    `margins_of` the rows) for blocks of rows that fit the cache.
    """
    height = max(1, min(count, CACHE // count))
    end = 0
    for start in range(0, count, height):
        rows = slice(start, min(start + height, count))
        # columns begin at the block's first row
        first, second = np.triu_indices(rows.stop - start, 1, count - start)
        begin, end = end, end + len(first)
        yield rows, slice(begin, end), first * (count - start) + second


def bootstrap(
    stores: Stores,
    *,
    resamples: int = 1000,
    seed: int = 0,
    regime: str | None = None,
) -> Resamples:
    """Returns the resamples of all tournaments of the stores: of one regime, or of several on one
    scale as in `measure`. Raises ValueError if the stores hold no target.
    """

    def part(place: tuple[LossStore, str]) -> Resamples:
        """Returns the resamples of one target in all its regimes."""
        # the first regime decides (`measurement.on_one_scale`)
        deciding, *others = tournaments(*place, regime)
        return resample(deciding, resamples, seed, others, buildings)

    every = [(store, target) for store in stores_of(stores) for target in store.targets()]
    images, buildings = units_of(every)
    cores = len(os.sched_getaffinity(0))
    # one thread for each target, because one matrix product does not fill all cores
    with ThreadPoolExecutor(cores) as pool, threadpool_limits(1, "blas"):
        parts = list(pool.map(part, every))
    if not parts:
        raise ValueError("no losses to resample: the stores hold no target")
    return Resamples(
        tuple(transfer for part in parts for transfer in part.transfers),
        np.concatenate([part.affinity for part in parts], 1),
        np.concatenate([part.gain for part in parts], 1),
        np.concatenate([part.quality for part in parts], 1),
        "building" if buildings else "image",
        len(buildings) or images,
    )


def units_of(places: Sequence[tuple[LossStore, str]]) -> tuple[int, list[str]]:
    """Returns (number of test images, names of the buildings that are drawn) of all targets
    together.
    """
    images: set[str] = set()
    buildings: set[str] = set()
    for store, target in places:
        names = store.images(target)
        images.update(names)
        buildings.update(buildings_of(names) or ())
    return len(images), sorted(buildings)
