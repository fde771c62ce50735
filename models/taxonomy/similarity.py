"""The task similarity tree: tasks that help the same targets are alike (paper, section 4.4:
clustering of the affinity matrix's columns).
"""

from __future__ import annotations

import numpy as np

from models.taxonomy.affinities import Affinities


def first_order(table: Affinities) -> tuple[np.ndarray, list[str], list[str]]:
    """matrix [target, source] of first-order affinities, NaN where not measured; names of targets
    and sources.
    """
    targets, sources = table.targets, sorted(table.sources)
    matrix = np.full((len(targets), len(sources)), np.nan)
    for row in table.rows:
        if row.transfer.control is None and row.transfer.order == 1:
            matrix[targets.index(row.transfer.target), sources.index(row.transfer.sources[0])] = (
                row.affinity
            )
    return matrix, targets, sources


def profiles(table: Affinities) -> tuple[np.ndarray, list[str]]:
    """([target, source] standardised log-affinities, sources): each target's row to mean 0 and
    deviation 1, so that its scale does not count.

    Sources that are measured everywhere; a task's own column may be left out of a table and then
    counts as good as the best.
    """
    matrix, targets, sources = first_order(table)
    whole = [
        i
        for i, name in enumerate(sources)
        if np.isfinite(
            np.delete(matrix[:, i], [targets.index(name)] if name in targets else [])
        ).all()
    ]
    logs = np.log(np.maximum(matrix[:, whole], 1e-6))
    if len(whole) > 1:
        logs = np.where(np.isfinite(logs), logs, np.nanmax(logs, axis=1, keepdims=True))
    return (logs - logs.mean(1, keepdims=True)) / (logs.std(1, keepdims=True) + 1e-9), [
        sources[i] for i in whole
    ]


def similarity_tree(
    table: Affinities, method: str = "ward", *, replicates: int = 200, seed: int = 0
) -> dict:
    """{"names", "linkage" [n - 1, 4] (scipy's), "cophenetic": correlation of the tree's distances
    with the data's, "support" [n - 1]: share of replicates in which the same tasks form a cluster}.

    Support is Felsenstein's bootstrap (Evolution 1985): targets, the characters by which sources
    are compared, are drawn again with replacement.
    """
    from scipy.cluster.hierarchy import cophenet, linkage
    from scipy.spatial.distance import pdist

    data, names = profiles(table)
    if len(names) < 3:
        return {"names": names, "linkage": [], "cophenetic": None, "support": []}
    distance = pdist(data.T)
    tree = linkage(distance, method)
    rng, clusters = np.random.default_rng(seed), members(tree)
    again = [
        set(members(linkage(pdist(data[rng.integers(len(data), size=len(data))].T), method)))
        for _ in range(replicates)
    ]
    support = (
        [sum(cluster in found for found in again) / replicates for cluster in clusters]
        if replicates
        else []
    )
    return {
        "names": names,
        "linkage": tree.tolist(),
        "cophenetic": float(cophenet(tree, distance)[0]),
        "support": support,
    }


def members(tree: np.ndarray) -> list[frozenset[int]]:
    """the leaves below every inner node of scipy's linkage."""
    leaves = len(tree) + 1
    found: list[frozenset[int]] = []
    for first, second, *_ in tree:
        part = [
            frozenset([int(node)]) if node < leaves else found[int(node) - leaves]
            for node in (first, second)
        ]
        found.append(part[0] | part[1])
    return found


def agreement(
    first: Affinities,
    second: Affinities,
    rename: dict[str, str] | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> dict:
    """{"targets": target -> {"spearman", "low", "high", "sources"}, "mean": {"spearman", "low",
    "high", "targets"}}: the Spearman correlation of first-order affinities over shared sources,
    diagonal excluded; targets with fewer than four sources left out. 95 % intervals: over sources
    drawn again, over targets for the mean.

    rename: names of `second` -> names of `first`.
    """
    name = lambda text: (rename or {}).get(text, text)
    tables = [
        {
            (row.transfer.sources[0], row.transfer.target): row.affinity
            for row in table.rows
            if row.transfer.control is None and row.transfer.order == 1
        }
        for table in (first, second)
    ]
    other = {(name(source), name(target)): value for (source, target), value in tables[1].items()}
    rng, found = np.random.default_rng(seed), {}
    for target in first.targets:
        shared = [
            source
            for source, to in tables[0]
            if to == target and source != target and (source, target) in other
        ]
        if len(shared) >= 4:
            pair = np.array(
                [
                    [tables[0][source, target] for source in shared],
                    [other[source, target] for source in shared],
                ]
            )
            again = spearman(pair[:, rng.integers(len(shared), size=(resamples, len(shared)))])
            low, high = np.nanquantile(again, (0.025, 0.975))
            found[target] = {
                "spearman": float(spearman(pair)),
                "low": float(low),
                "high": float(high),
                "sources": len(shared),
            }
    values = np.array([entry["spearman"] for entry in found.values()])
    if not len(values):
        return {"targets": {}, "mean": None}
    low, high = np.quantile(
        values[rng.integers(len(values), size=(resamples, len(values)))].mean(1), (0.025, 0.975)
    )
    return {
        "targets": found,
        "mean": {
            "spearman": float(values.mean()),
            "low": float(low),
            "high": float(high),
            "targets": len(values),
        },
    }


def spearman(pair: np.ndarray) -> np.ndarray:
    """[2, ..., n] -> [...]: rank correlation along the last axis; NaN where one side is constant."""
    from scipy.stats import rankdata

    ranks = rankdata(pair, axis=-1)
    ranks = ranks - ranks.mean(-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return (ranks[0] * ranks[1]).sum(-1) / np.sqrt(
            (ranks[0] ** 2).sum(-1) * (ranks[1] ** 2).sum(-1)
        )
