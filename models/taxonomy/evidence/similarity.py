"""The task similarity tree: tasks that help the same targets are alike (paper, section 4.4:
clustering of the affinity matrix's columns).
"""

from __future__ import annotations

import numpy as np

from models.tasks.arrays import Floats
from models.taxonomy.affinities import Affinities
from models.taxonomy.facts import Facts


def first_order(table: Affinities) -> tuple[Floats, list[str], list[str]]:
    """Returns (matrix [target, source] of first-order affinities, NaN where not measured; names of
    targets; names of sources).
    """
    targets = table.targets
    sources = sorted(table.sources)
    place = {name: i for i, name in enumerate(targets)}
    column = {name: i for i, name in enumerate(sources)}
    matrix = np.full((len(targets), len(sources)), np.nan)
    for row in table.rows:
        if row.transfer.order == 1:
            matrix[place[row.transfer.target], column[row.transfer.sources[0]]] = row.affinity
    return matrix, targets, sources


def profiles(table: Affinities) -> tuple[Floats, list[str]]:
    """Returns ([target, source] standardised log-affinities, sources). Each target's row has mean 0
    and deviation 1, so that its scale does not count.

    Only sources that are measured for all targets are included. A table may lack a task as source
    of itself; that entry then counts as the best of its row.
    """
    matrix, targets, sources = first_order(table)
    whole = [
        i for i, name in enumerate(sources) if measured_everywhere(matrix[:, i], name, targets)
    ]
    if not whole:
        return np.empty((len(targets), 0)), []
    # an affinity of 0 has no logarithm
    logs = np.log(np.maximum(matrix[:, whole], 1e-6))
    if len(whole) > 1:
        # the target's own entry counts as the best of its row
        logs = np.where(np.isfinite(logs), logs, np.nanmax(logs, axis=1, keepdims=True))
    # a target whose sources are all alike has no deviation
    standardised = (logs - logs.mean(1, keepdims=True)) / (logs.std(1, keepdims=True) + 1e-9)
    return standardised, [sources[i] for i in whole]


def measured_everywhere(column: Floats, source: str, targets: list[str]) -> bool:
    """Returns whether a source's column [target] is known for every target except the source
    itself.
    """
    others = np.delete(column, [targets.index(source)] if source in targets else [])
    return bool(np.isfinite(others).all())


def similarity_tree(
    table: Affinities, method: str = "ward", *, replicates: int = 200, seed: int = 0
) -> Facts:
    """Returns the tree as {"names", "linkage" [n - 1, 4] (scipy's), "cophenetic": correlation of
    the tree's distances with the data's, "support" [n - 1]: share of replicates in which the same
    tasks form a cluster}.

    Support is Felsenstein's bootstrap (Evolution 1985): the targets, which are the characters by
    which sources are compared, are drawn again with replacement.
    """
    # imported here, because it takes a third of a second and most commands do not need it
    from scipy.cluster.hierarchy import cophenet, linkage
    from scipy.spatial.distance import pdist

    data, names = profiles(table)
    if len(names) < 3:
        return {"names": names, "linkage": [], "cophenetic": None, "support": []}
    distance = pdist(data.T)
    tree = linkage(distance, method)
    rng = np.random.default_rng(seed)
    again = [
        # targets are drawn again (Felsenstein's characters)
        set(members(linkage(pdist(data[rng.integers(len(data), size=len(data))].T), method)))
        for _ in range(replicates)
    ]
    return {
        "names": names,
        "linkage": tree.tolist(),
        "cophenetic": float(cophenet(tree, distance)[0]),
        "support": [
            # a cluster counts if exactly the same tasks form it
            sum(cluster in clusters for clusters in again) / replicates
            for cluster in (members(tree) if replicates else [])
        ],
    }


def members(tree: Floats) -> list[frozenset[int]]:
    """Returns the leaves below every inner node of scipy's linkage [leaves - 1, 4]."""
    leaves = len(tree) + 1
    clusters: list[frozenset[int]] = []
    for first, second, *_ in tree:
        parts = [
            # scipy numbers inner nodes after the leaves
            frozenset([int(node)]) if node < leaves else clusters[int(node) - leaves]
            for node in (first, second)
        ]
        clusters.append(parts[0] | parts[1])
    return clusters
