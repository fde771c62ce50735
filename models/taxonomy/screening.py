"""Which transfers are worth measuring? Predict affinities cheaply, measure the promising share, and
say by replay what that would have cost in quality.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from models.taxonomy.affinities import Affinities
from models.taxonomy.chance import band
from models.taxonomy.infeasibility import Infeasible
from models.taxonomy.proxies import PROXIES
from models.taxonomy.request import Request
from models.taxonomy.similarity import spearman
from models.taxonomy.solving import answer
from models.taxonomy.transfer import Transfer

DRAWS = 20
BY_ORDER = 0.8


def promising(scores: Mapping[Transfer, float], share: float) -> set[Transfer]:
    """the best `share` of the transfers into each target, at least one each. scores: higher is
    better.

    First-order transfers get at least `BY_ORDER` of their share, because a small budget can use
    nothing else; the rest goes where scores are highest. Raises ValueError for a share outside (0,
    1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"the share of transfers to measure lies in (0, 1], got {share}")
    into: dict[str, list[Transfer]] = {}
    for transfer in sorted(scores, key=lambda transfer: (-scores[transfer], str(transfer))):
        into.setdefault(transfer.target, []).append(transfer)
    chosen: set[Transfer] = set()
    for ranked in into.values():
        first = [transfer for transfer in ranked if transfer.order == 1]
        kept = first[: max(1, int(BY_ORDER * share * len(first)))]
        rest = [transfer for transfer in ranked if transfer not in kept]
        chosen.update([*kept, *rest][: max(1, int(share * len(ranked)))])
    return chosen


def predictor_agreement(
    table: Affinities, scores: Mapping[Transfer, float], order: int = 1
) -> dict[str, dict[str, float]]:
    """regime -> target -> Spearman of scores and measured affinities over transfers of `order`, own
    encoder excluded; targets with fewer than four left out.

    Regimes are ranked apart: more data is better for every source alike, which is no merit of a
    prediction.
    """
    into: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in table.rows:
        transfer = row.transfer
        if (
            transfer in scores
            and transfer.order == order
            and transfer.target not in transfer.sources
        ):
            into.setdefault((transfer.regime, transfer.target), []).append(
                (scores[transfer], row.affinity)
            )
    made: dict[str, dict[str, float]] = {}
    for (regime, target), pairs in into.items():
        if len(pairs) >= 4:
            made.setdefault(regime, {})[target] = float(spearman(np.array(pairs).T))
    return made


def replay(
    table: Affinities,
    scores: Mapping[Transfer, float],
    request: Request,
    *,
    share: float = 0.5,
    seed: int = 0,
) -> dict:
    """what measuring only the promising share would have led to, on a table in which everything was
    measured.

    {"measured", "of": transfers; "full", "screened": quality (or objective where quality is
    unknown) of the policy from all, from the promising ones; "random": {"mean", "low", "high",
    "worst"} over draws of as many random transfers a target, "failed": draws whose transfers reach
    no policy}.
    """
    offered = [
        row.transfer
        for row in table.rows
        if row.transfer.control is None
        and row.transfer.order <= request.order
        and row.transfer.target not in row.transfer.sources
    ]
    lacking = [transfer for transfer in offered if transfer not in scores]
    if lacking:
        raise ValueError(
            f"{len(lacking)} of {len(offered)} transfers have no prediction, such as {lacking[0]}"
        )
    chosen = promising({transfer: scores[transfer] for transfer in offered}, share)
    value = lambda keep: policy_value(table, request, keep)
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(DRAWS):
        luck = dict(zip(offered, rng.random(len(offered))))
        drawn.append(value(promising(luck, share)))
    reached = np.array([number for number in drawn if number is not None])
    return {
        "measured": len(chosen),
        "of": len(offered),
        "full": value(set(offered)),
        "screened": value(chosen),
        "random": {**band(reached), "worst": float(reached.min())} if len(reached) else None,
        "failed": DRAWS - len(reached),
    }


def policy_value(table: Affinities, request: Request, keep: set[Transfer]) -> float | None:
    """mean quality (objective where it was not measured) of the policy that is best as far as
    `keep` shows; None if they reach no policy.
    """
    try:
        found = answer(
            table.only(lambda row: row.transfer.control is not None or row.transfer in keep),
            request,
        )
    except Infeasible:
        return None
    return found.objective if found.quality is None else found.quality


def from_cheaper(table: Affinities, cheap: Affinities) -> dict[Transfer, float]:
    """predictions for `table` from a table measured with less data (1k images for 16k): the same
    transfer's affinity where it was measured there, else the sum of its sources' first-order ones.
    Affinities are compared within a target only.
    """
    first = {
        (row.transfer.sources[0], row.transfer.target): row.affinity
        for row in cheap.rows
        if row.transfer.order == 1
    }
    same = {
        (frozenset(row.transfer.sources), row.transfer.target): row.affinity
        for row in cheap.rows
        if row.transfer.control is None
    }
    made = {}
    for row in table.rows:
        transfer = row.transfer
        if transfer.control is None:
            known = same.get((frozenset(transfer.sources), transfer.target))
            made[transfer] = (
                sum(first.get((name, transfer.target), 0.0) for name in transfer.sources)
                if known is None
                else known
            )
    return made


def read_predictions(path: str | Path) -> dict[str, dict[Transfer, float]] | None:
    """proxies.json of a run -> proxy -> {transfer: score}; None for a file of another kind. The
    proxies are joined in "mean rank" too.
    """
    if Path(path).suffix != ".json":
        return None
    content = json.loads(Path(path).read_text())
    if not isinstance(content, dict) or "proxies" not in content:
        return None
    return predictions(content["proxies"])


def predictions(rows: Sequence[Mapping]) -> dict[str, dict[Transfer, float]]:
    """rows of {"sources", "target", and each of PROXIES} -> proxy -> {transfer: score}, and "mean
    rank", their mean rank within a target.
    """
    made = {
        name: {Transfer(tuple(row["sources"]), row["target"]): float(row[name]) for row in rows}
        for name in PROXIES
    }
    into: dict[str, list[Transfer]] = {}
    for transfer in made[PROXIES[0]]:
        into.setdefault(transfer.target, []).append(transfer)
    joined = {}
    for found in into.values():
        ranks = np.mean(
            [
                np.argsort(np.argsort([scores[transfer] for transfer in found]))
                for scores in made.values()
            ],
            0,
        )
        joined |= dict(zip(found, ranks.tolist()))
    return {**made, "mean rank": joined}
