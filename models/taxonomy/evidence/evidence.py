"""Collects the evidence for a taxonomy: whether it is better than chance, than a greedy choice and
than one good source, how sure it is, what it saves, and which tasks are alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from models.taxonomy.affinities import Affinities
from models.taxonomy.evidence.baselines import baselines
from models.taxonomy.evidence.chance import band, random_policies, significance
from models.taxonomy.evidence.crossfit import cross_fitted
from models.taxonomy.evidence.expenses import Expenses, headline, ledger
from models.taxonomy.evidence.screening import (
    Scores,
    by_luck,
    predictions,
    predictor_agreement,
    replay,
    static_predictions,
)
from models.taxonomy.evidence.similarity import similarity_tree
from models.taxonomy.evidence.stability import over_seeds, stability
from models.taxonomy.evidence.standing import not_ranked
from models.taxonomy.facts import Facts
from models.taxonomy.program.answers import answer, attempt
from models.taxonomy.program.request import Request
from models.taxonomy.program.taxonomy import Taxonomy
from models.taxonomy.tournament.resamples import Resamples


def evaluate(
    table: Affinities,
    answers: Iterable[Taxonomy],
    *,
    budget: float,
    order: int,
    policies: int = 1000,
    seed: int = 0,
    resamples: Resamples | None = None,
    expenses: Expenses | None = None,
    proxies: Sequence[Mapping[str, Any]] | None = None,
    halves: Sequence[Affinities] | None = None,
    seeds: Sequence[Affinities] = (),
    **request: Any,
) -> Facts:
    """Returns evidence about all answers, and about the one at (budget, order) in depth, ready for
    JSON. Further keywords: the fields of the `Request` that the answers were solved with.

    {"free": tasks whose labels cost nothing; "curves": rows of budget, order, gain, quality, random
    bands; "tasks": rows of target, budget, order, gain, quality; "significance", "baselines",
    "tree", "diagnostics", "not_ranked" (target -> why; seeds: tables of other seeds); with
    resamples "stability" and the "cautious" policies (lower bound, expected affinity); with
    expenses "ledger", "headline"; with proxies (rows of `proxies.scores` and their target)
    "predictors"; with halves (`crossfit.halves`) "crossfit": the policy judged on test images that
    did not choose it, without training from scratch and with it; if the table knows training from
    scratch, "offers": the policy without it and with it; with seeds "seeds": the choice of this run
    and how often other seeds choose it again}. "crossfit" and "offers" leave out a row whose policy
    would not reach every target.
    """
    answers = list(answers)
    chosen = answer_at(answers, budget, order)
    # the same table and request that the answers were solved with
    policy_request = Request(budget, order, **request)
    book: Facts = {
        "budget": budget,
        "order": order,
        "scratch": policy_request.scratch,
        "free": sorted(policy_request.free),
        "curves": [curve(table, policy_request, policy, policies, seed) for policy in answers],
        "tasks": by_task(answers),
        "significance": significance(table, policy_request, chosen, policies=policies, seed=seed),
        "baselines": baselines(table, policy_request, chosen),
        "tree": similarity_tree(table, seed=seed),
        "diagnostics": table.diagnostics,
        "not_ranked": not_ranked(table, seeds),
        "warnings": [
            f"{target}: {facts['warning']}"
            for target, facts in table.diagnostics.items()
            if facts.get("warning")
        ],
    }
    if table.knows_scratch:
        book["offers"] = offers(table, policy_request)
    if resamples is not None:
        book["stability"] = stability(table, resamples, policy_request, chosen)
        book["cautious"] = cautious(table, policy_request)
    if expenses is not None:
        book["ledger"] = ledger(chosen, expenses)
        book["headline"] = headline(table, answers, expenses)
    if proxies is not None:
        book["predictors"] = predictors(table, policy_request, proxies, seed)
    if seeds:
        # the run's own table is one of the seeds
        book["seeds"] = over_seeds([table, *seeds], policy_request, chosen)
    if halves is not None:
        # both, because a policy may look better merely because more is on offer
        either = [
            cross_fitted(halves, replace(policy_request, scratch=scratch))
            for scratch in (False, True)
        ]
        book["crossfit"] = [row for row in either if row is not None]
    return book


def offers(table: Affinities, request: Request) -> list[Facts]:
    """Returns the policy without training from scratch on offer and the policy with it: rows of
    scratch, supervised, gain, quality, ways. A policy that does not reach every target is left out.
    """
    rows = []
    for scratch in (False, True):
        policy = attempt(table, replace(request, scratch=scratch))
        if policy is not None:
            rows.append(
                {
                    "scratch": scratch,
                    "supervised": list(policy.supervised),
                    "gain": policy.gain,
                    "quality": policy.quality,
                    "ways": policy.ways,
                }
            )
    return rows


def answer_at(answers: Sequence[Taxonomy], budget: float, order: int) -> Taxonomy:
    """Returns the taxonomy at (budget, order). Raises LookupError that lists those that exist."""
    for policy in answers:
        if (policy.budget, policy.order) == (budget, order):
            return policy
    raise LookupError(
        f"no taxonomy at budget {budget}, order {order}; there are "
        f"{[(policy.budget, policy.order) for policy in answers]}"
    )


def predictors(
    table: Affinities, request: Request, rows: Sequence[Mapping[str, Any]], seed: int
) -> list[Facts]:
    """Returns how well each proxy predicted what was measured, and what measuring only the half
    that it prefers would have cost. Rows of predictor, static (whether it is one of the baselines
    that every predictor is compared with), spearman (mean over targets and regimes, first order),
    targets (regime -> target -> spearman), and the fields of `screening.replay`.

    Proxies know no amount of data, so a prediction holds for the transfer in every regime.
    """
    by_name = {
        name: in_every_regime(scores, table.regimes) for name, scores in predictions(rows).items()
    }
    predicted = set(next(iter(by_name.values())))
    static = {
        name: {transfer: score for transfer, score in scores.items() if transfer in predicted}
        for name, scores in static_predictions(table, seed=seed).items()
    }
    # `replay` refuses transfers without a prediction: both sides are compared without them
    predictable = table.only(
        lambda row: row.transfer.control is not None or row.transfer in predicted
    )
    # computed once, because random choices are the same for all predictors of a table
    luck = by_luck(predictable, request, seed=seed)
    return [
        {
            **agreement(table, name, scores, static=name in static),
            **replay(predictable, scores, request, seed=seed, luck=luck),
        }
        for name, scores in {**by_name, **static}.items()
    ]


def in_every_regime(scores: Scores, regimes: Sequence[str]) -> Scores:
    return {
        replace(transfer, regime=regime): score
        for transfer, score in scores.items()
        for regime in regimes
    }


def agreement(table: Affinities, name: str, scores: Scores, *, static: bool) -> Facts:
    """Returns how well one prediction agrees with what was measured, as a part of a row of
    `predictors`.
    """
    agreed = predictor_agreement(table, scores)
    values = [value for targets in agreed.values() for value in targets.values()]
    ranked = [value for value in values if np.isfinite(value)]
    return {
        "predictor": name,
        "static": static,
        "spearman": float(np.mean(ranked)) if ranked else None,
        "targets": agreed,
    }


def curve(
    table: Affinities, policy_request: Request, policy: Taxonomy, policies: int, seed: int
) -> Facts:
    """Returns one point of the curves: an answer with random policies of its budget."""
    request = replace(policy_request, budget=policy.budget, order=policy.order)
    # a seed takes whole numbers, a budget need not be one
    rng = np.random.default_rng([seed, round(100 * policy.budget), policy.order])
    # fewer than for the chosen policy, because every budget gets a band
    draws = random_policies(table, request, max(50, policies // 10), rng)
    return {
        "budget": policy.budget,
        "order": policy.order,
        "gain": policy.gain,
        "quality": policy.quality,
        "ways": policy.ways,
        "objective": policy.objective,
        "random_gain": band(draws.gain),
        "random_quality": band(draws.quality),
        "random_transferred": band(draws.transferred),
        "random_not_bought": band(draws.not_bought),
    }


def by_task(answers: Iterable[Taxonomy]) -> list[Facts]:
    """Returns gain and quality of every target at every budget and order."""
    return [
        {
            "target": edge.transfer.target,
            "budget": policy.budget,
            "order": policy.order,
            "sources": list(edge.transfer.sources),
            "supervised": edge.way == "supervised",
            "way": edge.way,
            "gain": edge.gain,
            "quality": edge.quality,
        }
        for policy in answers
        for edge in policy.edges
    ]


def cautious(table: Affinities, request: Request) -> list[Facts]:
    """Returns the taxonomies that maximise the measured, the expected and the lower-bound affinity:
    rows of risk, supervised, gain, quality, ways.
    """
    # chosen by one affinity, judged by the measured quality
    policies = {risk: answer(table.at(risk), request) for risk in ("point", "expected", "lower")}
    return [
        {
            "risk": risk,
            "supervised": list(policy.supervised),
            "gain": policy.gain,
            "quality": policy.quality,
            "ways": policy.ways,
        }
        for risk, policy in policies.items()
    ]
