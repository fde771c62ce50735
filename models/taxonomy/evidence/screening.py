"""Chooses which transfers are worth measuring: predicts affinities cheaply, picks the promising
share, and computes by replay what measuring only that share would have cost in quality.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.tasks.arrays import Floats
from models.tasks.ranks import ranks_of, spearman
from models.taxonomy.affinities import Affinities
from models.taxonomy.evidence.chance import band
from models.taxonomy.evidence.priors import prior_of
from models.taxonomy.evidence.proxies import PROXIES
from models.taxonomy.facts import Facts
from models.taxonomy.program.answers import attempt
from models.taxonomy.program.request import Request
from models.taxonomy.transfer import Transfer

DRAWS = 20
BY_ORDER = 0.8
FEWEST = 4  # transfers below which a rank correlation says nothing

Scores = dict[Transfer, float]  # higher is better; compared within a target only


def promising(scores: Mapping[Transfer, float], share: float) -> set[Transfer]:
    """Returns the best `share` of the transfers into each target, at least one for each. scores:
    higher is better.

    First-order transfers get at least `BY_ORDER` of their share, because a small budget can use
    nothing else; the rest goes to the highest scores. Raises ValueError for a share outside (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"the share of transfers to measure lies in (0, 1], got {share}")
    into: dict[str, list[Transfer]] = {}
    # ties by name, so that the choice does not depend on the order of a dict
    for transfer in sorted(scores, key=lambda transfer: (-scores[transfer], str(transfer))):
        into.setdefault(transfer.target, []).append(transfer)
    transfers: set[Transfer] = set()
    for ranked in into.values():
        first = [transfer for transfer in ranked if transfer.order == 1]
        # at least one, so that a small budget has something to choose
        singles = first[: max(1, int(BY_ORDER * share * len(first)))]
        early = set(singles)
        rest = [transfer for transfer in ranked if transfer not in early]
        # the share of all transfers, including the first-order ones
        transfers.update([*singles, *rest][: max(1, int(share * len(ranked)))])
    return transfers


def predictor_agreement(
    table: Affinities, scores: Mapping[Transfer, float], order: int = 1
) -> dict[str, dict[str, float]]:
    """Returns regime -> target -> Spearman correlation of scores and measured affinities over
    transfers of `order`, without own encoders. Targets with fewer than four transfers are left out.

    Regimes are ranked separately, because more data helps every source alike and a prediction earns
    no credit for that.
    """
    into: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in table.rows:
        transfer = row.transfer
        if transfer in scores and transfer.order == order and not transfer.own_encoder:
            into.setdefault((transfer.regime, transfer.target), []).append(
                (scores[transfer], row.affinity)
            )
    agreed: dict[str, dict[str, float]] = {}
    for (regime, target), pairs in into.items():
        if len(pairs) >= FEWEST:
            agreed.setdefault(regime, {})[target] = float(spearman(np.array(pairs).T))
    return agreed


def replay(
    table: Affinities,
    scores: Mapping[Transfer, float],
    request: Request,
    *,
    share: float = 0.5,
    seed: int = 0,
    luck: Facts | None = None,
) -> Facts:
    """Returns what measuring only the promising share would have led to, on a table in which
    everything was measured.

    {"measured", "of": numbers of transfers; "full", "screened": quality (or objective if quality is
    unknown) of the policy from all and from the promising ones; "random", "failed": as in
    `by_luck`}. luck: the result of `by_luck` for the same table, request, share and seed, for
    callers that replay several predictions. Raises ValueError for transfers without a prediction.
    """
    offered = measurable(table, request)
    lacking = [transfer for transfer in offered if transfer not in scores]
    if lacking:
        raise ValueError(
            f"{len(lacking)} of {len(offered)} transfers have no prediction, such as {lacking[0]}"
        )
    transfers = promising({transfer: scores[transfer] for transfer in offered}, share)
    return {
        "measured": len(transfers),
        "screened": policy_value(table, request, transfers),
        **(luck or by_luck(table, request, share=share, seed=seed)),
    }


def by_luck(table: Affinities, request: Request, *, share: float = 0.5, seed: int = 0) -> Facts:
    """Returns what the replay of any prediction is compared with: {"of": number of transfers;
    "full": value of the policy from all; "random": {"mean", "low", "high", "worst"} over draws of
    as many random transfers for each target, None if none reaches a policy; "failed": number of
    draws whose transfers reach no policy}.
    """
    offered = measurable(table, request)
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(DRAWS):
        luck = dict(zip(offered, rng.random(len(offered)).tolist()))
        values.append(policy_value(table, request, promising(luck, share)))
    reached = np.array([value for value in values if value is not None])
    return {
        "of": len(offered),
        "full": policy_value(table, request, set(offered)),
        # the worst draw too, because a random choice may fail
        "random": {**(band(reached) or {}), "worst": float(reached.min())}
        if len(reached)
        else None,
        "failed": DRAWS - len(reached),
    }


def measurable(table: Affinities, request: Request) -> list[Transfer]:
    """Returns the transfers that a replay may leave out: those with sources, up to the request's
    order, without a task's own encoder.
    """
    return [
        row.transfer
        for row in table.rows
        if row.transfer.control is None
        and row.transfer.order <= request.order
        and not row.transfer.own_encoder
    ]


def policy_value(table: Affinities, request: Request, keep: set[Transfer]) -> float | None:
    """Returns the mean quality (objective if it was not measured) of the best policy that uses only
    the transfers in `keep`, or None if they reach no policy.
    """
    part = table.only(lambda row: row.transfer.control is not None or row.transfer in keep)
    # a source without any kept transfer is no task of this part
    own = request.within({*part.sources, *part.targets}, part.amounts)
    if request.regimes and not own.regimes:
        return None
    policy = attempt(part, own)
    if policy is None:
        return None
    return policy.objective if policy.quality is None else policy.quality


def from_cheaper(table: Affinities, cheap: Affinities) -> Scores:
    """Returns predictions for `table` from a table measured with less data (1k images for 16k): the
    same transfer's affinity if it was measured there, otherwise the sum of its sources' first-order
    ones. Compare them within a target only.
    """
    first = {
        (row.transfer.sources[0], row.transfer.target): row.affinity
        for row in cheap.rows
        if row.transfer.order == 1
    }
    same = {
        # as a set, because the order of concatenation does not matter here
        (frozenset(row.transfer.sources), row.transfer.target): row.affinity
        for row in cheap.rows
        if row.transfer.control is None
    }
    scores = {}
    for row in table.rows:
        transfer = row.transfer
        if transfer.control is None:
            affinity = same.get((frozenset(transfer.sources), transfer.target))
            # an unknown source adds nothing
            parts = [first.get((name, transfer.target), 0.0) for name in transfer.sources]
            scores[transfer] = sum(parts) if affinity is None else affinity
    return scores


def static_predictions(table: Affinities, *, seed: int = 0) -> dict[str, Scores]:
    """Returns the predictions that every cheap predictor must be compared with: name -> {transfer:
    score} of all transfers of the table. "static order": one list of sources for all targets, by
    their mean rank share over the *other* targets; it knows everything except the target. "family
    prior": same family 2, 3D source 1, else 0; it knows nothing measured. "random order". In the
    first two, sets of sources have the sum of their sources' scores.
    """
    transfers = [row.transfer for row in table.rows if row.transfer.control is None]
    order = static_order(table)
    luck = np.random.default_rng(seed).random(len(transfers)).tolist()
    return {
        "static order": {
            transfer: sum(order.get((name, transfer.target), 0.0) for name in transfer.sources)
            for transfer in transfers
        },
        "family prior": {
            transfer: sum(prior_of(transfer.target, name) for name in transfer.sources)
            for transfer in transfers
        },
        "random order": dict(zip(transfers, luck)),
    }


def static_order(table: Affinities) -> dict[tuple[str, str], float]:
    """Returns (source, target) -> mean rank share in [0, 1] of the source over the other targets,
    from first-order transfers of all regimes without a task's own encoder.
    """
    into: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for row in table.rows:
        transfer = row.transfer
        if transfer.order == 1 and not transfer.own_encoder:
            pair = (transfer.sources[0], row.affinity)
            into.setdefault((transfer.target, transfer.regime), []).append(pair)
    shares: dict[str, list[tuple[str, float]]] = {}
    for (target, _), pairs in into.items():
        ranks = ranks_of(np.array([affinity for _, affinity in pairs]))
        # as shares in [0, 1], because targets measure different numbers of sources
        for (source, _), rank in zip(pairs, (ranks - 1) / max(1, len(pairs) - 1)):
            shares.setdefault(source, []).append((target, float(rank)))
    order = {}
    for source, by_target in shares.items():
        for target in table.targets:
            # without the target itself, so that it does not help to predict itself
            others = [share for other, share in by_target if other != target]
            order[source, target] = float(np.mean(others)) if others else 0.0
    return order


def read_predictions(path: str | Path) -> dict[str, Scores] | None:
    """Returns proxy -> {transfer: score} from a run's proxies.json, or None for a file of another
    kind. "mean rank" joins all proxies. Raises ValueError for a damaged JSON file.
    """
    path = Path(path)
    if path.suffix != ".json" or not path.is_file():
        return None
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no whole JSON file: {error}") from error
    if not isinstance(content, dict) or "proxies" not in content:
        return None
    return predictions(content["proxies"])


def promising_sets(path: str | Path, share: float) -> dict[str, list[tuple[str, ...]]] | None:
    """Returns target -> source sets of the most promising `share` of its transfers, by the mean
    rank of all proxies in the proxies.json at `path`. Returns None for a share of 1, which means
    all of them.
    """
    if share >= 1:
        return None
    sets: dict[str, list[tuple[str, ...]]] = {}
    by_proxy = read_predictions(path) or {}
    for transfer in promising(by_proxy["mean rank"], share):
        sets.setdefault(transfer.target, []).append(transfer.sources)
    return sets


def predictions(rows: Sequence[Mapping[str, Any]]) -> dict[str, Scores]:
    """Returns proxy -> {transfer: score} from rows of {"sources", "target", and each of PROXIES},
    and "mean rank", the mean of the proxies' ranks within a target.
    """
    by_proxy = {
        name: {Transfer(tuple(row["sources"]), row["target"]): float(row[name]) for row in rows}
        for name in PROXIES
    }
    into: dict[str, list[Transfer]] = {}
    for transfer in by_proxy[PROXIES[0]]:
        into.setdefault(transfer.target, []).append(transfer)
    joined: Scores = {}
    for transfers in into.values():
        ranks = [
            positions(np.array([scores[transfer] for transfer in transfers]))
            for scores in by_proxy.values()
        ]
        # ranks are averaged, because proxies have different scales
        joined |= dict(zip(transfers, np.mean(ranks, 0).tolist()))
    return {**by_proxy, "mean rank": joined}


def positions(values: Floats) -> Floats:
    """Returns the position of each value in ascending order, from 0: [n]. Ties get different
    positions.
    """
    return np.argsort(np.argsort(values)).astype(float)
