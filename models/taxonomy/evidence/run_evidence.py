"""Makes the evidence book of a pipeline's run: the result of `evaluate` and, if the run has them,
the policy as served, amounts of data, sources from outside and seeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.taxonomy.affinities import Affinities
from models.taxonomy.evidence.amounts import by_amount
from models.taxonomy.evidence.evidence import answer_at, evaluate
from models.taxonomy.evidence.expenses import Expenses
from models.taxonomy.evidence.seeds import seed_rows
from models.taxonomy.evidence.served import ServedLosses, served_evidence
from models.taxonomy.evidence.spending import spending
from models.taxonomy.facts import Facts
from models.taxonomy.program.costs import outside
from models.taxonomy.program.request import Request
from models.taxonomy.program.taxonomy import Taxonomy
from models.taxonomy.tournament.resamples import Resamples

BUDGETS = (1, 2, 4)  # of the rows of "spending", besides the run's own


@dataclass(frozen=True)
class EvidenceInputs:
    """Everything that the evidence book of a run is made from."""

    table: Affinities  # transfers with the amount of data that decides
    answers: Sequence[Taxonomy]  # all policies of the run
    # budget and order of the policy that the evidence is about
    budget: int
    order: int
    request: Mapping[str, Any]  # `request_fields` that the answers were solved with
    policies: int  # number of random policies to compare with
    seed: int
    resamples: Resamples
    exported: ServedLosses  # losses of the policy's edges as exported
    train_images: int
    transfer_split_images: int  # images of the split that transfers learn from
    transfer_images: int  # images requested for a transfer whose amount has no name
    seconds: Mapping[str, float]  # task -> training seconds of its network
    proxies: Sequence[Mapping[str, Any]]
    # the fields below are None or empty if the run did not measure them
    halves: Sequence[Affinities] | None = None  # tables of the two halves of the test images
    seeds: Sequence[Affinities] = ()  # tables of the same measurement with other seeds
    every_amount: Affinities | None = None  # all amounts on one scale, without intervals
    curves: object = None  # label-efficiency curves, JSON
    sources: object = None  # ranks of the sources from outside, JSON

    @property
    def policy(self) -> Taxonomy:
        """The answer at (budget, order). Raises LookupError if there is none."""
        return answer_at(self.answers, self.budget, self.order)

    @property
    def asked(self) -> Request:
        """The request that the policy answers."""
        return Request(self.budget, self.order, **self.request)

    @property
    def expenses(self) -> Expenses:
        """The images and seconds that the run's networks took."""
        # a transfer cannot learn from more pictures than the split has
        most = min(self.train_images, self.transfer_split_images)
        return Expenses(
            self.train_images,
            images_by_regime(self.table.regimes, self.transfer_images, most),
            # sources from outside took no training of ours
            {**dict.fromkeys(outside(self.table.sources), 0.0), **self.seconds},
            free=self.request["free"],
        )


def evidence_book(inputs: EvidenceInputs) -> Facts:
    """Returns the evidence of a run, ready for JSON: the keys of `evaluate`, "served"
    (`served_evidence`), "transfers" (how many were measured), and, if the run has them, "amounts"
    (`amounts_evidence`) and "sources".
    """
    policy, expenses = inputs.policy, inputs.expenses
    book = evaluate(
        inputs.table,
        inputs.answers,
        budget=inputs.budget,
        order=inputs.order,
        policies=inputs.policies,
        seed=inputs.seed,
        resamples=inputs.resamples,
        expenses=expenses,
        proxies=inputs.proxies,
        halves=inputs.halves,
        seeds=inputs.seeds,
        **inputs.request,
    )
    book["served"] = served_evidence(
        inputs.table, policy, inputs.asked, expenses, inputs.exported, inputs.halves
    )
    if inputs.every_amount is not None:
        book["amounts"] = amounts_evidence(inputs, inputs.every_amount)
    if inputs.sources:
        book["sources"] = inputs.sources
    measured = inputs.table if inputs.every_amount is None else inputs.every_amount
    book["transfers"] = sum(row.transfer.control is None for row in measured.rows)
    return book


def amounts_evidence(inputs: EvidenceInputs, table: Affinities) -> Facts:
    """Returns {"images": amount -> images, "targets": `by_amount`, "curves", "spending"}. table:
    all amounts on one scale. It has no intervals and is never mixed with the table that decides.
    """
    images = images_by_regime(table.regimes, inputs.transfer_images, inputs.transfer_split_images)
    # a share's name is its number of labels
    shares = {name: float(name) for name in table.shares}
    return {
        "images": images,
        "targets": by_amount(table),
        "curves": inputs.curves,
        "spending": spending(
            table,
            inputs.asked,
            inputs.policy,
            full=inputs.train_images,
            amounts=shares | images,
            budgets=sorted({*BUDGETS, inputs.budget}),
        ),
    }


def seeds_page(inputs: EvidenceInputs) -> list[Facts] | None:
    """Returns the rows of `seed_rows` for the run and its repetitions, or None if nothing was
    repeated.
    """
    if not inputs.seeds:
        return None
    return seed_rows([inputs.table, *inputs.seeds], inputs.asked, inputs.policy)


def images_by_regime(regimes: Iterable[str], images: int, most: int) -> dict[str, int]:
    """Returns regime -> number of images that a transfer learns from, at most `most`. A regime's
    name is its number of images (`models.networks.transfers.regimes`); the one that decides, named
    "", has `images`.
    """
    return {name: min(int(name or images), most) for name in regimes}


def reasons_against(inputs: EvidenceInputs) -> list[str]:
    """Returns in words why the policy may not be served; [] for one that is proven best."""
    status = inputs.policy.status
    if status == "optimal":
        return []
    return [
        f"the taxonomy at budget {inputs.budget}, order {inputs.order} is {status}, not optimal"
    ]
