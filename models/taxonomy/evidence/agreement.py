"""Measures how far two affinity tables rank sources alike, how noisy that is, and what to compare
it with.

A mean Spearman correlation says little alone. So these are computed as well: an interval over
sources and targets drawn again; the ceiling (what another measurement of the reference reaches on
the same pairs); what rankings without any measurement of the pair reach (the generic rank of a
source, a prior of task families, random orders); and the part that is specific to targets, with the
generic rank taken out of both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.tasks.arrays import Floats
from models.tasks.ranks import correlation, ranks_of, spearman
from models.taxonomy.affinities import Affinities
from models.taxonomy.evidence.priors import family_prior, generic_ranks, rank_shares
from models.taxonomy.facts import Facts

FEWEST = 4  # shared sources below which a rank correlation says nothing
LEVEL = (0.025, 0.975)


@dataclass(frozen=True)
class Pairs:
    """Two tables on the pairs that both have, without a task's own encoder. first, second: [target,
    source] float64, NaN where either table lacks the pair.
    """

    targets: tuple[str, ...]
    sources: tuple[str, ...]
    first: Floats
    second: Floats


def matched(
    first: Affinities, second: Affinities, rename: Mapping[str, str] | None = None
) -> Pairs:
    """Returns the first-order affinities of both tables on the pairs that both have. Targets with
    fewer than FEWEST shared sources are left out.

    rename: names of either table -> names that both share.
    """
    values = [first_order_values(table, rename or {}) for table in (first, second)]
    shared = [pair for pair in values[0] if pair in values[1]]
    by_target: dict[str, list[str]] = {}
    for source, target in shared:
        by_target.setdefault(target, []).append(source)
    targets = [target for target, sources in by_target.items() if len(sources) >= FEWEST]
    sources = sorted({source for target in targets for source in by_target[target]})
    # by name, because the tables list sources in different orders
    column = {name: i for i, name in enumerate(sources)}
    matrices = np.full((2, len(targets), len(sources)), np.nan)
    for i, target in enumerate(targets):
        for source in by_target[target]:
            for k in (0, 1):
                matrices[k, i, column[source]] = values[k][source, target]
    return Pairs(tuple(targets), tuple(sources), matrices[0], matrices[1])


def first_order_values(
    table: Affinities, rename: Mapping[str, str]
) -> dict[tuple[str, str], float]:
    """Returns (source, target) -> affinity of all first-order transfers, without a task's own
    encoder.
    """
    return {
        (
            # a task's own encoder is no transfer
            rename.get(row.transfer.sources[0], row.transfer.sources[0]),
            rename.get(row.transfer.target, row.transfer.target),
        ): row.affinity
        for row in table.rows
        if row.transfer.order == 1 and not row.transfer.own_encoder
    }


def spearman_of_shared(first: Floats, second: Floats) -> Floats:
    """Returns Spearman's rank correlations [...] of values [..., source] over the sources that both
    have (not NaN); NaN where one side is constant.
    """
    missing = np.isnan(first) | np.isnan(second)
    # missing values are ranked last, where they change no other rank, and have weight 0
    ranks = [ranks_of(np.where(missing, np.inf, values)) for values in (first, second)]
    weight = (~missing).astype(float)
    count = weight.sum(-1, keepdims=True)
    centred = [
        np.where(missing, 0.0, rank - (rank * weight).sum(-1, keepdims=True) / count)
        for rank in ranks
    ]
    return correlation(centred[0], centred[1])


def target_specific(values: Floats) -> Floats:
    """Returns the rank shares [target, source] minus the generic rank of each source."""
    # what a source is worth for all targets says nothing about this one
    return rank_shares(values) - generic_ranks(values)


def agreement(
    first: Affinities,
    second: Affinities,
    rename: Mapping[str, str] | None = None,
    *,
    ceiling: Affinities | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Facts:
    """Returns how far `first` ranks sources like the reference `second`, with 95 % intervals: of a
    target over sources drawn again, of means over sources and targets.

    The result is {"targets": target -> {"spearman", "low", "high", "sources"}, "mean": {"spearman",
    "low", "high", "targets"}, "target_specific": the same as "mean" with the generic rank of
    sources taken out, "baselines": {"generic rank", "own generic rank", "family prior"} -> mean
    Spearman with `second` of ranks that use no measurement of the pair, and {"random orders":
    {"spearman", "low", "high"}}, "ceiling": {"mean", "target_specific"} of the table `ceiling` with
    `second`, on those pairs that `first` has too, None without it}. If the tables share no target,
    "targets" is empty and the rest None.
    """
    pairs = matched(first, second, rename)
    rng = np.random.default_rng(seed)
    if not pairs.targets:
        nothing = dict.fromkeys(("mean", "target_specific", "baselines", "ceiling"))
        return {"targets": {}, **nothing}
    upper = None
    # on the shared pairs only: a ceiling of other pairs would not be comparable
    if ceiling is not None:
        other = matched(ceiling, second, rename)
        upper = means(restricted(other, pairs), rng, resamples)
    return {
        "targets": by_target(pairs, rng, resamples),
        **means(pairs, rng, resamples),
        "baselines": baselines(pairs, rng, resamples),
        "ceiling": upper,
    }


def restricted(pairs: Pairs, to: Pairs) -> Pairs:
    """Returns those of `pairs` that `to` has as well, so that both can be compared on
    equal terms.
    """
    rows = [i for i, target in enumerate(pairs.targets) if target in to.targets]
    columns = [j for j, source in enumerate(pairs.sources) if source in to.sources]
    targets = tuple(pairs.targets[i] for i in rows)
    sources = tuple(pairs.sources[j] for j in columns)
    place = [[to.targets.index(name) for name in targets], [to.sources.index(s) for s in sources]]
    lacking = np.isnan(to.second[np.ix_(*place)])
    first, second = (
        np.where(lacking, np.nan, values[np.ix_(rows, columns)])
        for values in (pairs.first, pairs.second)
    )
    return Pairs(targets, sources, first, second)


def by_target(pairs: Pairs, rng: np.random.Generator, resamples: int) -> Facts:
    """Returns target -> {"spearman", "low", "high", "sources"}, with an interval over sources drawn
    again.
    """
    facts = {}
    for target, ours, theirs in zip(pairs.targets, pairs.first, pairs.second):
        # `matched` puts NaN into both tables or into neither
        pair = np.stack([ours, theirs])[:, np.isfinite(ours)]
        count = pair.shape[1]
        # sources are drawn, not images: the interval says what another choice of sources would show
        again = spearman(pair[:, rng.integers(count, size=(resamples, count))])
        # a draw of a single source has no rank correlation
        low, high = np.nanquantile(again, LEVEL)
        facts[target] = {
            "spearman": float(spearman(pair)),
            "low": float(low),
            "high": float(high),
            "sources": count,
        }
    return facts


def means(pairs: Pairs, rng: np.random.Generator, resamples: int) -> Facts:
    """Returns {"mean", "target_specific"}: the mean correlation over targets, with and without the
    generic rank of sources, each with its interval.
    """
    specific = (target_specific(pairs.first), target_specific(pairs.second))
    return {
        "mean": with_interval(pairs.first, pairs.second, rng, resamples),
        "target_specific": with_interval(*specific, rng, resamples),
    }


def with_interval(first: Floats, second: Floats, rng: np.random.Generator, resamples: int) -> Facts:
    """Returns {"spearman", "low", "high", "targets"} of the mean over targets. Sources and targets
    are drawn again together, because both are a sample of what could have been measured. first,
    second: [target, source], NaN where nothing was measured.
    """
    targets, sources = first.shape
    rows = rng.integers(targets, size=(resamples, targets))[:, :, None]
    columns = rng.integers(sources, size=(resamples, sources))[:, None, :]
    scores = spearman_of_shared(first[rows, columns], second[rows, columns])
    finite = np.isfinite(scores)
    # a draw of few sources that ranks no target says nothing, and is left out
    again = np.where(finite, scores, 0.0).sum(1)[finite.any(1)] / finite.sum(1)[finite.any(1)]
    low, high = np.nanquantile(again, LEVEL)
    return {
        "spearman": float(np.nanmean(spearman_of_shared(first, second))),
        "low": float(low),
        "high": float(high),
        "targets": targets,
    }


def baselines(pairs: Pairs, rng: np.random.Generator, resamples: int) -> Facts:
    """Returns the mean Spearman correlation with the reference of rankings that use no measurement
    of the pair.
    """
    lacking = np.isnan(pairs.second)
    prior = np.where(lacking, np.nan, family_prior(pairs.targets, pairs.sources))
    # a guess cannot be compared where the reference lacks the pair
    luck = np.where(lacking, np.nan, rng.random((resamples, *lacking.shape)))
    chance = spearman_of_shared(luck, np.broadcast_to(pairs.second, luck.shape)).mean(1)
    low, high = np.nanquantile(chance, LEVEL)
    return {
        "generic rank": mean_agreement(generic_ranks(pairs.second), pairs.second),
        # over the other targets only, so that the target does not help to predict itself
        "own generic rank": mean_agreement(generic_ranks(pairs.first), pairs.second),
        "family prior": mean_agreement(prior, pairs.second),
        "random orders": {
            "spearman": float(np.nanmean(chance)),
            "low": float(low),
            "high": float(high),
        },
    }


def mean_agreement(first: Floats, second: Floats) -> float | None:
    """Returns the mean correlation over targets, or None if no target can be ranked. first, second:
    [target, source].
    """
    values = spearman_of_shared(first, second)
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else None
