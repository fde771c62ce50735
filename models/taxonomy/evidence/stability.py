"""How much of a taxonomy depends on chance in the test set: the program is solved again on every
resample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from models.tasks.arrays import Floats
from models.taxonomy.affinities import Affinities
from models.taxonomy.evidence.standing import seed_agreement
from models.taxonomy.facts import Facts
from models.taxonomy.program.answers import attempt
from models.taxonomy.program.request import Request
from models.taxonomy.program.taxonomy import Taxonomy, mean, quality_of
from models.taxonomy.tournament.resamples import Resamples
from models.taxonomy.tournament.resampling import LEVEL


def stability(
    table: Affinities,
    resamples: Resamples,
    request: Request,
    policy: Taxonomy,
    *,
    solves: int = 100,
) -> Facts:
    """Returns how stable a policy is over resampled test sets.

    {"solves", "chosen" (source -> share of resamples whose taxonomy supervises it, most often
    first), "same" (share with exactly the chosen sources), "gain", "quality" (intervals of the
    chosen policy over all resamples, None if not measured), "transferred" (the interval of the
    quality of its targets that are reached by transfer), "not_bought" (of those reached by transfer
    or from scratch), "unit" and "units" (what was drawn again, "building" or "image", and how many
    there are), "resamples", "warning" or None}.
    """
    # each resample takes one program to solve, and a hundred estimate a share well enough
    choices = chosen_again(table, resamples, request, min(solves, len(resamples)))
    times = Counter(name for names in choices for name in names)
    by_frequency = sorted(times, key=lambda name: (-times[name], name))
    shares = {name: times[name] / len(choices) for name in by_frequency}
    # sources that more than half of the resamples do without
    doubtful = [name for name in policy.supervised if shares.get(name, 0) < 0.5]
    columns = [resamples.column.get(edge.transfer) for edge in policy.edges]
    ways = [edge.way for edge in policy.edges]
    reached = [column for column, way in zip(columns, ways) if way == "transferred"]
    not_bought = [column for column, way in zip(columns, ways) if way != "supervised"]
    own = frozenset(policy.supervised)
    return {
        "solves": len(choices),
        "chosen": shares,
        "same": float(np.mean([names == own for names in choices])),
        "gain": interval(resamples.gain, columns),
        "quality": interval(resamples.quality, columns),
        "transferred": interval(resamples.quality, reached),
        "not_bought": interval(resamples.quality, not_bought),
        "unit": resamples.unit,
        "units": resamples.units,
        "resamples": len(resamples),
        "warning": f"{', '.join(doubtful)}: chosen here, but in fewer than half of the resampled "
        "test sets; their choice is luck"
        if doubtful
        else None,
    }


def chosen_again(
    table: Affinities, resamples: Resamples, request: Request, solves: int
) -> list[frozenset[str]]:
    """Returns the supervised tasks of the taxonomy of each resample; resamples without a policy are
    left out.
    """
    policies = [attempt(resamples.table(table, number), request) for number in range(solves)]
    return [frozenset(policy.supervised) for policy in policies if policy is not None]


def interval(values: Floats, columns: Sequence[int | None]) -> Facts | None:
    """Returns {"low", "high"}, the 95 % interval of the mean over `columns` of values [resample,
    transfer], or None if a value was not measured or there are no columns.
    """
    measured = [column for column in columns if column is not None]
    # a mean over only some of the edges would be that of another policy
    if not measured or len(measured) < len(columns) or np.isnan(values[:, measured]).any():
        return None
    low, high = np.quantile(values[:, measured].mean(1), LEVEL)
    return {"low": float(low), "high": float(high)}


def over_seeds(tables: Sequence[Affinities], request: Request, chosen: Taxonomy) -> Facts:
    """Returns how a policy does when everything is measured again with other seeds. tables: one for
    each seed, the policy's own among them.

    {"seeds", "chosen" (source -> share of seeds whose taxonomy supervises it), "same" (share with
    exactly the chosen sources), "quality", "transferred", "not_bought" (of the chosen policy in
    each seed's table; None where an edge was not measured there), "spearman" (target -> mean rank
    correlation of its first-order affinities over all pairs of seeds)}. Seeds are few, so no
    intervals are made of these numbers.
    """
    policies = [attempt(table, request) for table in tables]
    # seeds without a policy count as not choosing it
    choices = [frozenset(policy.supervised) for policy in policies if policy is not None]
    times = Counter(name for names in choices for name in names)
    judgements = [judged_by(table, chosen) for table in tables]
    return {
        "seeds": len(tables),
        "chosen": {name: times[name] / len(tables) for name in sorted(times)},
        "same": sum(names == frozenset(chosen.supervised) for names in choices) / len(tables),
        **{name: [means[name] for means in judgements] for name in judgements[0]},
        "spearman": seed_agreement(tables),
    }


def judged_by(table: Affinities, policy: Taxonomy) -> Facts:
    """Returns {"quality", "transferred", "not_bought"}: the mean quality in another table of a
    policy's edges, of those by transfer, and of those by transfer or from scratch. A mean is None
    if the table lacks an edge.
    """
    # the other table may lack an edge
    rows = [(edge, table.of.get(edge.transfer)) for edge in policy.edges]
    qualities = [(edge.way, None if row is None else quality_of(row)) for edge, row in rows]
    return {
        "quality": mean([quality for _, quality in qualities]),
        "transferred": mean([quality for way, quality in qualities if way == "transferred"]),
        "not_bought": mean([quality for way, quality in qualities if way != "supervised"]),
    }
