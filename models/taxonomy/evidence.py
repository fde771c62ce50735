"""Is a taxonomy better than chance, than greed, than one good source? How sure is it, what does it
save, and which tasks resemble each other?
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from models.taxonomy.affinities import Affinities
from models.taxonomy.baselines import baselines
from models.taxonomy.chance import band, random_policies, significance
from models.taxonomy.expenses import Expenses, headline, ledger
from models.taxonomy.request import Request
from models.taxonomy.resampling import Resamples
from models.taxonomy.screening import predictions, predictor_agreement, replay
from models.taxonomy.similarity import similarity_tree
from models.taxonomy.stability import stability
from models.taxonomy.taxonomy import Taxonomy


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
    proxies: Sequence[Mapping] | None = None,
    **request,
) -> dict:
    """evidence about all answers, and about the one at (budget, order) in depth; JSON-ready.
    Further keywords: the `Request` that the answers were solved with.

    {"curves": rows of budget, order, gain, quality, random bands; "tasks": rows of target, budget,
    order, gain, quality; "significance", "baselines", "tree", "diagnostics"; with resamples
    "stability" and the "cautious" policies (lower bound, expected affinity); with expenses
    "ledger", "headline"; with proxies (rows of `proxies.scores` and their target) "predictors"}.
    """
    answers = list(answers)
    chosen = next(
        (answer for answer in answers if (answer.budget, answer.order) == (budget, order)), None
    )
    if chosen is None:
        raise LookupError(
            f"no taxonomy at budget {budget}, order {order}; there are "
            f"{[(answer.budget, answer.order) for answer in answers]}"
        )
    asked = Request(budget, order, **request)
    book = {
        "budget": budget,
        "order": order,
        "curves": [
            curve(
                table,
                replace(asked, budget=answer.budget, order=answer.order),
                answer,
                policies,
                seed,
            )
            for answer in answers
        ],
        "tasks": by_task(answers),
        "significance": significance(table, asked, chosen, policies=policies, seed=seed),
        "baselines": baselines(table, asked, chosen),
        "tree": similarity_tree(table, seed=seed),
        "diagnostics": table.diagnostics,
        "warnings": [
            f"{target}: {facts['warning']}"
            for target, facts in table.diagnostics.items()
            if facts.get("warning")
        ],
    }
    if resamples is not None:
        book["stability"] = stability(table, resamples, asked, chosen)
        book["cautious"] = cautious(table, asked)
    if expenses is not None:
        book |= {"ledger": ledger(chosen, expenses), "headline": headline(table, answers, expenses)}
    if proxies is not None:
        book["predictors"] = predictors(table, asked, proxies, seed)
    return book


def predictors(
    table: Affinities, request: Request, rows: Sequence[Mapping], seed: int
) -> list[dict]:
    """how well each proxy foretold what was measured, and what measuring only its better half would
    have cost: rows of predictor, spearman (mean over targets and regimes, first order), targets
    (regime -> target -> spearman), and `screening.replay`'s fields.

    Proxies know no amount of data: a prediction holds for the transfer in every regime.
    """
    made = []
    for name, found in predictions(rows).items():
        scores = {
            replace(transfer, regime=regime): score
            for transfer, score in found.items()
            for regime in table.regimes
        }
        agreed = predictor_agreement(table, scores)
        known = table.only(
            lambda row, scores=scores: row.transfer.control is not None or row.transfer in scores
        )
        mean = (
            float(np.mean([value for targets in agreed.values() for value in targets.values()]))
            if agreed
            else None
        )
        made.append(
            {
                "predictor": name,
                "spearman": mean,
                "targets": agreed,
                **replay(known, scores, request, seed=seed),
            }
        )
    return made


def curve(table: Affinities, request: Request, answer: Taxonomy, policies: int, seed: int) -> dict:
    """one point of the curves: the answer beside random policies of its budget."""
    drawn = random_policies(
        table,
        request,
        max(50, policies // 10),
        np.random.default_rng([seed, round(100 * request.budget), request.order]),
    )
    return {
        "budget": answer.budget,
        "order": answer.order,
        "gain": answer.gain,
        "quality": answer.quality,
        "objective": answer.objective,
        "random_gain": band(drawn.gain),
        "random_quality": band(drawn.quality),
    }


def by_task(answers: Iterable[Taxonomy]) -> list[dict]:
    """gain and quality of every target at every budget and order."""
    return [
        {
            "target": edge.transfer.target,
            "budget": answer.budget,
            "order": answer.order,
            "sources": list(edge.transfer.sources),
            "supervised": edge.transfer.control == "supervised",
            "gain": edge.gain,
            "quality": edge.quality,
        }
        for answer in answers
        for edge in answer.edges
    ]


def cautious(table: Affinities, request: Request) -> list[dict]:
    """the taxonomies that maximise the measured, the expected and the lower-bound affinity: rows of
    risk, supervised, gain, quality.
    """
    from models.taxonomy.solving import answer

    found = {risk: answer(table.at(risk), request) for risk in ("point", "expected", "lower")}
    return [
        {
            "risk": risk,
            "supervised": list(policy.supervised),
            "gain": policy.gain,
            "quality": policy.quality,
        }
        for risk, policy in found.items()
    ]
