"""The task similarity tree: tasks that help the same targets are alike (paper, section 4.4: clustering of the affinity matrix's columns)."""

from __future__ import annotations

import numpy as np

from models.taxonomy.affinities import Affinities


def first_order(table: Affinities) -> tuple[np.ndarray, list[str], list[str]]:
    """matrix [target, source] of first-order affinities, NaN where not measured; names of targets and sources."""
    targets, sources = table.targets, sorted(table.sources)
    matrix = np.full((len(targets), len(sources)), np.nan)
    for row in table.rows:
        if row.transfer.control is None and row.transfer.order == 1:
            matrix[targets.index(row.transfer.target), sources.index(row.transfer.sources[0])] = row.affinity
    return matrix, targets, sources


def similarity_tree(table: Affinities, method: str = "ward") -> dict:
    """{"names", "linkage" [n - 1, 4] (scipy's), "cophenetic": correlation of the tree's distances with the data's}.

    Columns of log-affinity, each target's row standardised, so that a target's scale does not count; sources that are measured everywhere.
    """
    from scipy.cluster.hierarchy import cophenet, linkage
    from scipy.spatial.distance import pdist

    matrix, targets, sources = first_order(table)
    whole = [i for i, name in enumerate(sources) if np.isfinite(np.delete(matrix[:, i], [targets.index(name)] if name in targets else [])).all()]
    if len(whole) < 3:
        return {"names": [sources[i] for i in whole], "linkage": [], "cophenetic": None}
    logs = np.log(np.maximum(matrix[:, whole], 1e-6))
    own = np.nanmax(logs, axis=1, keepdims=True)
    logs = np.where(np.isfinite(logs), logs, own)  # a task's own column may be left out of the release: as good as the best
    logs = (logs - logs.mean(1, keepdims=True)) / (logs.std(1, keepdims=True) + 1e-9)
    distance = pdist(logs.T)
    tree = linkage(distance, method)
    return {"names": [sources[i] for i in whole], "linkage": tree.tolist(), "cophenetic": float(cophenet(tree, distance)[0])}


def agreement(first: Affinities, second: Affinities, rename: dict[str, str] | None = None) -> dict[str, float]:
    """per target the Spearman correlation of first-order affinities over shared sources, diagonal excluded; targets with fewer than four sources left out.

    rename: names of `second` -> names of `first`.
    """
    from scipy.stats import spearmanr

    name = lambda text: (rename or {}).get(text, text)
    tables = [
        {(row.transfer.sources[0], row.transfer.target): row.affinity for row in table.rows if row.transfer.control is None and row.transfer.order == 1}
        for table in (first, second)
    ]
    other = {(name(source), name(target)): value for (source, target), value in tables[1].items()}
    found = {}
    for target in first.targets:
        shared = [source for source, to in tables[0] if to == target and source != target and (source, target) in other]
        if len(shared) >= 4:
            found[target] = float(spearmanr([tables[0][source, target] for source in shared], [other[source, target] for source in shared])[0])
    return found
