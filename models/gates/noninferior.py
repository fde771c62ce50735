"""Checks whether a candidate is as good as what is served: paired losses on the same test samples,
with intervals.

A target is refused if it is worse by more than the margin with certainty (all of its interval); the
whole, the geometric mean over targets, must be good enough with certainty. Asking the second of
each of twenty targets would refuse nearly every candidate on a small test set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.gates.check import Check
from models.tasks.arrays import Array, Floats

RESAMPLES = 2000
# Confidence of the interval of one target, of which there are about twenty; and of the whole.
TARGET_INTERVAL = 0.99
WHOLE_INTERVAL = 0.95
# Fewer buildings cannot be resampled: then samples are, as if they were independent.
BUILDINGS = 5
WHOLE = "as good as the served version on the whole"
TARGETS = "no target is worse than the served one"


@dataclass(frozen=True)
class Pair:
    """Losses of one target. candidate, served: [n], on the same samples; places: their
    buildings.
    """

    candidate: Floats
    served: Floats
    places: Sequence[str]

    def __post_init__(self) -> None:
        if not len(self.candidate) == len(self.served) == len(self.places) > 0:
            raise ValueError(
                f"expected losses of the same samples, got {len(self.candidate)} of the candidate, "
                f"{len(self.served)} of the served version, {len(self.places)} buildings"
            )

    @property
    def ratio(self) -> float:
        """Ratio of the summed losses, candidate over served."""
        sums = [np.array([part.sum()]) for part in (self.candidate, self.served)]
        return float(ratio(sums[0], sums[1])[0])


@dataclass(frozen=True)
class Change:
    """Loss of the candidate over that of the served version, less 1: 0.1 is a tenth worse. low,
    high: its interval.
    """

    change: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.change:+.1%} ({self.low:+.1%} to {self.high:+.1%})"


def changes(pairs: Mapping[str, Pair], seed: int = 0) -> tuple[dict[str, Change], Change]:
    """Returns (the change of every target, the change of the whole), by one bootstrap of buildings
    that all targets share. Raises ValueError without targets.
    """
    if not pairs:
        raise ValueError("no target in common with the served version: nothing to compare")
    everywhere = sorted({place for pair in pairs.values() for place in pair.places})
    random = np.random.default_rng(seed)
    if len(everywhere) < BUILDINGS:
        ratios = {name: by_samples(pair, random) for name, pair in pairs.items()}
    else:
        weights = random.multinomial(
            len(everywhere), np.full(len(everywhere), 1 / len(everywhere)), RESAMPLES
        )
        ratios = {name: by_places(pair, everywhere, weights) for name, pair in pairs.items()}
    points = {name: pair.ratio for name, pair in pairs.items()}
    of_targets = {
        name: between(points[name], ratios[name], TARGET_INTERVAL) for name in sorted(pairs)
    }
    together = np.exp(np.mean([np.log(row) for row in ratios.values()], 0))
    whole = float(np.exp(np.mean(np.log(list(points.values())))))
    return of_targets, between(whole, together, WHOLE_INTERVAL)


def by_samples(pair: Pair, random: np.random.Generator) -> Floats:
    """Returns [RESAMPLES] ratios of mean losses, by a bootstrap of samples."""
    count = len(pair.candidate)
    weights = random.multinomial(count, np.full(count, 1 / count), RESAMPLES)
    return ratio(weights @ pair.candidate, weights @ pair.served)


def by_places(pair: Pair, everywhere: Sequence[str], weights: Array) -> Floats:
    """Returns [RESAMPLES] ratios of mean losses, by a bootstrap of whole buildings. weights:
    [RESAMPLES, buildings].
    """
    place = np.searchsorted(everywhere, list(pair.places))
    sums = [
        np.bincount(place, part, len(everywhere)).astype("float64")
        for part in (pair.candidate, pair.served)
    ]
    there = weights @ np.bincount(place, minlength=len(everywhere)) > 0
    ratios = ratio(weights @ sums[0], weights @ sums[1])
    # A draw without a building of this target says nothing of it.
    return np.where(there, ratios, pair.ratio)


def ratio(candidate: Floats, reference: Floats) -> Floats:
    """Returns candidate over reference [...], never 0 or infinite: losses below 1e-9 count
    as 1e-9.
    """
    return np.maximum(candidate, 1e-9) / np.maximum(reference, 1e-9)


def between(point: float, ratios: Floats, share: float) -> Change:
    """Returns the change that a ratio says, with the range that holds `share` of `ratios`
    [resamples].
    """
    low, high = np.quantile(ratios, [(1 - share) / 2, (1 + share) / 2])
    return Change(float(point) - 1, float(low) - 1, float(high) - 1)


def judge(pairs: Mapping[str, Pair], margin: float, ways: Mapping[str, str]) -> list[Check]:
    """Returns the checks of a candidate's losses. margin: share by which losses may be larger;
    ways: target -> how it is answered now and was before, where that changed.
    """
    of_targets, whole = changes(pairs)
    worse = [name for name, change in of_targets.items() if change.low > margin]
    figures = {name: change.change for name, change in of_targets.items()}
    checks = [
        Check(
            TARGETS,
            False,
            f"{name}: its loss changed by {of_targets[name]} against the served version's, "
            f"{margin:+.0%} is allowed" + (f"; {ways[name]}" if name in ways else ""),
            {
                "loss": float(pairs[name].candidate.mean()),
                "served": float(pairs[name].served.mean()),
            },
        )
        for name in worse
    ]
    largest = max(of_targets, key=figures.__getitem__)
    words = f"of {len(of_targets)}, {largest} changed for the worst: {of_targets[largest]}"
    checks = checks or [Check(TARGETS, True, words, figures)]
    return [
        *checks,
        Check(
            WHOLE,
            whole.high <= margin,
            f"losses changed by {whole} on the geometric mean of {len(of_targets)} targets; their "
            f"interval must end below {margin:+.0%}",
            {"change": whole.change, "low": whole.low, "high": whole.high, "margin": margin},
        ),
    ]
