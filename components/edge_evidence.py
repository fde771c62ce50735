"""What stands behind the edges of a run's policies: losses on every test picture, the runner-up and
how likely it is the better one, pictures where the edge wins and loses most clearly.
"""

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any, DefaultDict, Dict, FrozenSet, List, Optional, Sequence, Tuple

import numpy as np

from components.report_pictures import resize_to_height
from models.examples.label_store import LabelStore
from models.tasks.arrays import Floats
from models.taxonomy import LossStore, Resamples, Transfer

BINS = 20
SHOWN = 3  # pictures where an edge wins most clearly, and as many where it loses
SIDE = 72  # pixels of such a picture


Facts = Dict[str, Any]
Policies = DefaultDict[str, DefaultDict[Tuple[str, ...], List[FrozenSet[str]]]]


def edge_evidence(
    folder: str,
    losses: Sequence[str],
    affinities: str,
    taxonomies: List[Facts],
    policy: Facts,
    store: LabelStore,
) -> Dict[str, Facts]:
    """Facts of edge_evidence.json, by the edge's key (`key_of`): "edges" (borders of bins),
    "losses" and "supervised" (number of test pictures in each bin), "rivals" (key of the runner-up
    -> share of resamples in which it is better), and, of edges of the `policy`, "wins" and
    "loses" (pictures, which are saved below `folder`).

    losses: folders of loss stores; affinities: the folder with resamples.npz; taxonomies: all
    policies of the run.
    """
    resamples = Resamples.load(os.path.join(affinities, "resamples.npz"))
    # shards hold targets apart: a target is in one of them
    stores = {
        name: shard for path in losses for shard in [LossStore(path)] for name in shard.targets()
    }
    evidence: Dict[str, Facts] = {}
    edge_keys = {key_of(edge["sources"], edge["target"]) for edge in policy["edges"]}
    for target, edges in edges_by_target(taxonomies).items():
        # a target without losses was left out of the measurement
        if target not in stores:
            continue
        measured = stores[target].read(target)
        row = {transfer: i for i, transfer in enumerate(measured.transfers)}
        own = row.get(Transfer((), target, control="supervised"))
        for sources, supervised in edges.items():
            transfer = Transfer(sources, target)
            # transfers that were not measured (a share of them) have no pictures
            if transfer not in row:
                continue
            values = measured.losses[row[transfer]]
            beside = None if own is None else measured.losses[own]
            facts = histograms(values, beside)
            facts["rivals"] = rivals(resamples, transfer, supervised)
            # only of edges that the page shows: others are in the table alone
            key = key_of(sources, target)
            if key in edge_keys and beside is not None:
                facts |= clearest_pictures(folder, store, target, values - beside)
            evidence[key] = facts
    return evidence


def key_of(sources: Sequence[str], target: str) -> str:
    """Name of an edge, the same that `explorer/src/views/evidence.js` gives it."""
    return json.dumps([sorted(sources), target], separators=(",", ":"), ensure_ascii=False)


def edges_by_target(taxonomies: List[Facts]) -> Policies:
    """Target -> sources of an edge -> sets of supervised tasks of the policies with that edge."""
    edges: Policies = defaultdict(lambda: defaultdict(list))
    for policy in taxonomies:
        for edge in policy["edges"]:
            if edge["sources"]:
                edges[edge["target"]][tuple(edge["sources"])].append(
                    frozenset(policy["supervised"])
                )
    return edges


def histograms(values: Floats, beside: Optional[Floats]) -> Facts:
    """Histograms of losses, on one scale, which the largest two per cent do not stretch: {"edges",
    "losses", "supervised"}. values, beside: float [image] of the transfer and of the supervised
    network, None for one that was not measured.
    """
    everything = values if beside is None else np.concatenate([values, beside])
    # from the least: losses begin near 0, while a few are very large
    low, high = np.percentile(everything, [0, 98])
    # losses that are all alike have no range
    borders = np.linspace(low, max(high, low + 1e-9), BINS + 1)
    return {
        "edges": [float(f"{border:.4g}") for border in borders],
        "losses": bin_counts(values, borders),
        "supervised": None if beside is None else bin_counts(beside, borders),
    }


def bin_counts(values: Floats, borders: Floats) -> List[int]:
    """Number of values [n] in each bin between borders [bins + 1]; those beyond the last border
    count in the last bin.
    """
    # into the last bin, so that counts add up to the pictures
    inside = np.clip(values, borders[0], borders[-1])
    return [int(number) for number in np.histogram(inside, borders)[0]]


def rivals(
    resamples: Resamples, transfer: Transfer, policies: List[FrozenSet[str]]
) -> Dict[str, float]:
    """Key of the runner-up among each policy's sources -> share of resamples in which it beats
    `transfer`. policies: sets of supervised tasks.
    """
    into = [
        other
        for other in resamples.transfers
        if other.target == transfer.target
        and other.control is None
        and other != transfer
        # a source that is the target itself is full supervision, no transfer
        and transfer.target not in other.sources
    ]
    means = {other: resamples.affinity[:, resamples.column[other]].mean() for other in into}
    ours = resamples.affinity[:, resamples.column[transfer]]
    shares: Dict[str, float] = {}
    for supervised in policies:
        # what this policy could have taken: sources that it supervises
        open_ones = [other for other in into if supervised.issuperset(other.sources)]
        # two: where the edge itself is one of the first, the other is its rival
        for other in sorted(open_ones, key=lambda other: -float(means[other]))[:2]:
            better = resamples.affinity[:, resamples.column[other]] > ours
            shares[key_of(other.sources, other.target)] = round(float(better.mean()), 3)
    return shares


def clearest_pictures(
    folder: str, store: LabelStore, target: str, difference: Floats
) -> Dict[str, List[Dict[str, str]]]:
    """Saves the pictures on which a transfer's loss is most below ("wins") and most above ("loses")
    the supervised network's, and returns their rows. difference: float [image], transfer's loss
    less the supervised network's.
    """
    # transfer minus supervised: the least is where the transfer wins most clearly
    order = np.argsort(difference)
    views = store.samples(target, "test").views
    # fewer than SHOWN where it wins on fewer
    wins = [i for i in order[:SHOWN] if difference[i] < 0]
    loses = [i for i in order[::-1][:SHOWN] if difference[i] > 0]
    return {
        name: [thumbnail(folder, store, int(views[i][0])) for i in some]
        for name, some in (("wins", wins), ("loses", loses))
    }


def thumbnail(folder: str, store: LabelStore, view: int) -> Dict[str, str]:
    """Saves a test picture below `folder` and returns its row: {"name", "picture"}."""
    from PIL import Image

    path = f"pictures/test_{view}.webp"
    file = Path(folder) / path
    # several edges show the same picture
    if not file.exists():
        os.makedirs(file.parent, exist_ok=True)
        Image.fromarray(resize_to_height(store.images("test")[view], SIDE)).save(
            file, "WEBP", quality=80
        )
    return {"name": store.views("test")[view], "picture": path}
