"""Label-efficiency curves from per-image losses: what a target reaches by amount of labels, with
intervals over test buildings.

There are four ways at every amount: transfer (the best first-order source, chosen on one half of
the test buildings and judged on the other), scratch (the target's own network, trained on these
data alone), pixels (a readout of pixels, the closed form's way without a source), own code (a
readout of the representation of the target's own network, which has seen all labels, so it is no
fair price for so few). The network itself, trained on all labels, has 0.5 by definition; what it
reaches with shares of them says `supervised_curves.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.tasks.arrays import Bools, Floats, Integers
from models.tasks.ranks import ranks_of
from models.taxonomy.evidence.amounts import by_size
from models.taxonomy.evidence.crossfit import split_of
from models.taxonomy.facts import Facts
from models.taxonomy.tournament.buildings import group_of
from models.taxonomy.tournament.loss_rows import array_of, rows_of
from models.taxonomy.tournament.losses import TransferLosses
from models.taxonomy.tournament.measurement import Stores, stores_of
from models.taxonomy.tournament.resampling import LEVEL
from models.taxonomy.tournament.tournament import wins_over

WAYS = ("transfer", "scratch", "pixels", "own_code")
Wins = dict[str, Floats]  # way -> [image] wins over the supervised network
DEPTHS = {"building": 1, "image": 3}  # parts of an image's name that name the unit


@dataclass(frozen=True)
class Drawing:
    """Test buildings drawn again, the same ones for all targets; images where there is a single
    building, which would always be the same.
    """

    unit: str  # "building" or "image"
    place: Mapping[str, int]  # name of a unit -> column of the weights
    weights: Floats  # [resample, unit], how often each was drawn

    def means(self, images: Sequence[str], values: Floats) -> Floats:
        """Returns the mean [resample] of values [image] in each draw."""
        at = np.array([self.place[group_of(image, DEPTHS[self.unit])] for image in images])
        return drawn_means(values, at, self.weights)


def drawing_of(several: Sequence[TransferLosses], resamples: int, seed: int) -> Drawing:
    """Returns the draws of the test images of some targets."""
    images = {image for one in several for image in one.images}
    places = {group_of(image, DEPTHS["building"]) for image in images}
    unit = "building" if len(places) > 1 else "image"
    # one order for all targets, so that a draw takes the same buildings for each
    groups = sorted({group_of(image, DEPTHS[unit]) for image in images})
    place = {group: i for i, group in enumerate(groups)}
    return Drawing(unit, place, drawn_weights(len(groups), resamples, seed))


def curves(stores: Stores, *, resamples: int = 1000, seed: int = 0) -> Facts:
    """Returns the label-efficiency curves of all targets that have a supervised network's losses.

    The result is {"unit": what is drawn again ("building", or "image" if there is one building),
    "units": how many, "resamples", "targets": rows of target, regime, sources (the choices of both
    halves) and for each of WAYS {"quality", "low", "high"} or None, "mean": rows of regime, and the
    same means over the targets that have a way at every amount at which any target has it, with
    "targets", how many}.
    """
    comparable = comparable_losses(stores)
    if not comparable:
        return {"unit": "building", "units": 0, "resamples": 0, "targets": [], "mean": []}
    of_first = split_or_none(comparable)
    drawing = drawing_of(comparable, resamples, seed)
    rows: list[Facts] = []
    rates: dict[tuple[str, str], dict[str, Floats]] = {}
    for one in comparable:
        target = one.transfers[0].target
        for regime in by_size(t.regime for t in one.transfers if t.control is None):
            wins, sources = wins_of(one, regime, of_first)
            drawn = {way: drawing.means(one.images, values) for way, values in wins.items()}
            for way, values in drawn.items():
                # by regime and way, so that means over targets use the same draws
                rates.setdefault((regime, way), {})[target] = values
            means = {way: (float(wins[way].mean()), drawn[way]) for way in wins}
            rows.append({"target": target, "regime": regime, "sources": sources, **ways(means)})
    return {
        "unit": drawing.unit,
        "units": len(drawing.place),
        "resamples": resamples,
        "targets": rows,
        "mean": means_of(rows, rates),
    }


def comparable_losses(stores: Stores) -> list[TransferLosses]:
    """Returns the losses of those targets whose supervised network was measured."""
    measured = [store.read(target) for store in stores_of(stores) for target in store.targets()]
    return [one for one in measured if supervised_row(one) is not None]


def split_or_none(several: Sequence[TransferLosses]) -> Callable[[str], bool] | None:
    """Returns the split into halves that cross-fitting uses, or None if there is none."""
    try:
        return split_of({one.transfers[0].target: one.images for one in several})
    except ValueError:
        return None


def supervised_row(one: TransferLosses) -> Floats | None:
    """Returns the losses [image] of the supervised network, or None if it was not measured."""
    for i, transfer in enumerate(one.transfers):
        # those of a share of the labels have the name of an amount
        if transfer.control == "supervised" and not transfer.regime:
            return one.losses[i]
    return None


def wins_of(
    one: TransferLosses, regime: str, of_first: Callable[[str], bool] | None
) -> tuple[Wins, list[str]]:
    """Returns (wins over the supervised network by way, the sources that the halves choose) of one
    regime. Raises ValueError if the supervised network was not measured.
    """
    own = supervised_row(one)
    if own is None:
        raise ValueError("a curve is held against the supervised network; measure it")
    here = [i for i, transfer in enumerate(one.transfers) if transfer.regime == regime]
    singles = [i for i in here if one.transfers[i].order == 1 and not one.transfers[i].own_encoder]
    own_codes = [i for i in here if one.transfers[i].own_encoder and one.transfers[i].order == 1]
    rows = {"own_code": own_codes}
    for control in ("scratch", "pixels"):
        rows[control] = [i for i in here if one.transfers[i].control == control]
    # kept by image, so that groups can be drawn again without comparing again
    wins = {way: wins_over(one.losses[places[0]], own) for way, places in rows.items() if places}
    if not singles:
        return wins, []
    side = np.array([of_first(image) for image in one.images]) if of_first else None
    alone = array_of(rows_of(one.losses, singles))
    chosen = choices(alone, side)
    wins["transfer"] = wins_over(alone[chosen, np.arange(len(one.images))], own)
    names = [one.transfers[singles[i]].sources[0] for i in dict.fromkeys(chosen.tolist())]
    return wins, names


def choices(losses: Floats, side: Bools | None) -> Integers:
    """Returns for each image the row of losses [source, image] that has the best mean rank on the
    images of the other side: [image] int. side: mask [image] of the first half; None means that all
    images choose.
    """
    # ranks within each image, so that images with large losses do not decide alone
    ranks = ranks_of(losses.T)
    if side is None:
        return np.full(losses.shape[1], ranks.mean(0).argmin())
    first, second = (int(ranks[part].mean(0).argmin()) for part in (side, ~side))
    return np.where(side, second, first)


def drawn_weights(count: int, resamples: int, seed: int) -> Floats:
    """Returns how often each unit was drawn in each resample: [resample, unit] float64."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1 / count), size=resamples).astype("float64")


def drawn_means(values: Floats, at: Integers, weights: Floats) -> Floats:
    """Returns the means [resample] of values [image], NaN where no image was drawn. at: [image],
    the unit of each image. weights: [resample, unit].
    """
    # sums by unit first: a resample is then one product of matrices
    sums = np.bincount(at, values, weights.shape[1])
    counts = np.bincount(at, minlength=weights.shape[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((weights @ sums) / (weights @ counts))


def ways(means: dict[str, tuple[float, Floats]]) -> Facts:
    """Returns `interval` for each of WAYS, None where it has no mean. means: way -> (value,
    [resamples]).
    """
    return {way: interval(*means[way]) if way in means else None for way in WAYS}


def interval(value: float, drawn: Floats) -> Facts:
    """Returns a measured value with the 95 % interval of its resampled values [resamples]:
    {"quality", "low", "high"}.
    """
    # a draw without an image of this target has no mean
    low, high = np.nanquantile(drawn, LEVEL)
    return {"quality": value, "low": float(low), "high": float(high)}


def means_of(rows: Iterable[Facts], rates: dict[tuple[str, str], dict[str, Floats]]) -> list[Facts]:
    """Returns one row for each amount with the means over the targets that have a way at every
    amount at which any target has it. rates: (regime, way) -> target -> resampled means
    [resamples].
    """
    rows = list(rows)
    regimes = by_size(row["regime"] for row in rows)
    shared: dict[str, list[str]] = {}
    for way in WAYS:
        # the same targets at every amount, because otherwise the mean would change with its targets
        named = [set(rates[regime, way]) for regime in regimes if (regime, way) in rates]
        shared[way] = sorted(set.intersection(*named)) if named else []
    means: list[Facts] = []
    for regime in regimes:
        here = {row["target"]: row for row in rows if row["regime"] == regime}
        row: Facts = {"regime": regime, "targets": {way: len(shared[way]) for way in WAYS}}
        for way in WAYS:
            row[way] = None
            if shared[way] and (regime, way) in rates:
                value = float(np.mean([here[name][way]["quality"] for name in shared[way]]))
                # averaged draw by draw, because targets share their buildings and so their noise
                drawn = np.mean([rates[regime, way][name] for name in shared[way]], 0)
                row[way] = interval(value, drawn)
        means.append(row)
    return means
