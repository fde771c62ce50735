"""Rankings of sources that need no measurement of the pair: a static order, and task families."""

from __future__ import annotations

import numpy as np

from models.tasks import TASKS
from models.tasks.arrays import Floats
from models.tasks.ranks import ranks_of

PUBLISHED = {entry.published: name for name, entry in TASKS.items() if entry.published}


def generic_ranks(values: Floats) -> Floats:
    """Returns for each pair [target, source] the mean over the *other* targets of the source's rank
    share in [0, 1]; NaN where the pair itself is missing. This is what one static list of sources
    knows about a target that did not help to make it.
    """
    shares = rank_shares(values)
    finite = np.isfinite(shares)
    filled = np.where(finite, shares, 0.0)
    # without the target itself, so that it does not help to predict itself
    others = finite.sum(0) - finite
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (filled.sum(0) - filled) / others
    return np.where(finite, means, np.nan)


def rank_shares(values: Floats) -> Floats:
    """Returns the rank of each source within a target as a share in [0, 1], 1 for the best:
    [target, source]. NaN stays NaN.
    """
    missing = np.isnan(values)
    ranks = ranks_of(np.where(missing, np.inf, values))
    count = (~missing).sum(-1, keepdims=True)
    # a single source has no rank, and divides by 1
    return np.where(missing, np.nan, (ranks - 1) / np.maximum(count - 1, 1))


def family_prior(targets: tuple[str, ...], sources: tuple[str, ...]) -> Floats:
    """Returns a prior [target, source] known before anything is measured: 2 for a source of the
    target's own family, 1 for another 3D source, 0 otherwise.
    """
    return np.array([[prior_of(target, source) for source in sources] for target in targets])


def prior_of(target: str, source: str) -> float:
    families = [family_of(name) for name in (target, source)]
    if families[0] and families[0] == families[1]:
        return 2.0
    return 1.0 if families[1] == "3d" else 0.0


def family_of(name: str) -> str:
    """Returns the family of a task, spelled as ours or as in the released files; "" for other
    names.
    """
    entry = TASKS.get(PUBLISHED.get(name, name))
    return entry.family if entry else ""
