"""One budget of labels or money: how many labels of which task to buy, and what the next thousand
labels are worth.

A task's labels come in steps: none; the amounts of data with which transfers into it, its network
from scratch, or its own network on a share of the train labels were measured (each larger amount
contains the smaller, by number); all. The program chooses one step for each task, and labels that
are owned already cost nothing. In the paper's variant a supervised source is a target of transfers
as well, and the few labels of its transfer are counted in addition to its full labels: the cost is
then too high, never too low.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from models.taxonomy.affinities import Affinities
from models.taxonomy.facts import Facts
from models.taxonomy.program.answers import answer, attempt
from models.taxonomy.program.costs import without_labels
from models.taxonomy.program.offers import check_name, on_offer
from models.taxonomy.program.request import Request, check_costs
from models.taxonomy.program.taxonomy import Taxonomy

NOTHING = 1e-9  # a budget that buys no label; a request's budget is positive
WORTH = 1e-9  # rewards closer than this are the same


@dataclass(frozen=True)
class Labels:
    """Numbers and prices of labels. full: labels that supervising a task takes. amounts: labels
    that a transfer, a network from scratch or one of a share takes, by regime name ("" if there is
    one). price: of one label, by task (1 if not named, 0 if in `free`). owned: labels bought
    already, by task. free: tasks whose labels cost nothing.
    """

    full: float
    amounts: Mapping[str, float]
    price: Mapping[str, float] | None = None
    owned: Mapping[str, float] | None = None
    free: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        check_costs({"full": self.full, **self.amounts}, "number of labels")
        check_costs(self.price or {}, "price of a label")
        check_costs(self.owned or {}, "number of owned labels")
        larger = [
            # spelled as in the options, where the amount that decides has no name
            f"{name}={amount:g}" if name else f"{amount:g}"
            for name, amount in self.amounts.items()
            if amount > self.full
        ]
        if larger:
            raise ValueError(
                f"full supervision takes {self.full:g} labels, fewer than the amounts "
                f"{', '.join(larger)}"
            )

    def price_of(self, name: str) -> float:
        return (self.price or {}).get(name, 0.0 if name in self.free else 1.0)

    def lacking(self, name: str, amount: float) -> float:
        """Returns how many labels of a task must still be bought to own `amount` of them. Where the
        network learns nothing (`without_labels`) there are none to buy.
        """
        if without_labels([name]):
            return 0.0
        return max(0.0, amount - (self.owned or {}).get(name, 0.0))

    def cost(self, name: str, amount: float) -> float:
        return self.price_of(name) * self.lacking(name, amount)

    def amount_of(self, regime: str) -> float:
        """Returns the number of labels of a regime. Raises KeyError that lists the known ones."""
        check_name(regime, list(self.amounts), "amount of data")
        return self.amounts[regime]

    def with_more(self, name: str, amount: float) -> Labels:
        """Returns these labels with `amount` labels of one task owned."""
        return replace(self, owned={**(self.owned or {}), name: amount})


def priced(table: Affinities, request: Request, labels: Labels, budget: float) -> Request:
    """Returns the request with every cost replaced by the price of the labels that are still to be
    bought.
    """
    names = {*table.sources, *table.targets}
    return replace(
        request,
        # a request refuses a budget of 0
        budget=max(budget, NOTHING),
        # the price of full supervision, less the labels that are owned
        cost={name: labels.cost(name, labels.full) for name in names},
        edge_cost={
            row.transfer: labels.cost(row.transfer.target, labels.amount_of(row.transfer.regime))
            for row in on_offer(table, request)
        },
        # edge_cost holds all of it already, and the costs of an edge add up
        # (`Request.edge_cost_of`)
        transfer_cost=None,
        regime_cost=None,
        free=frozenset(),
    )


def purchases(policy: Taxonomy, labels: Labels) -> list[Facts]:
    """Returns what a policy buys: rows of task, labels (to buy), cost, amount (owned then), means
    (what the labels are for), dearest first. Tasks of which enough labels are owned are left out.
    """
    in_full = (labels.full, "its own network in full")
    # a source that is also a target is bought once: full labels contain smaller amounts
    amounts = dict.fromkeys(policy.supervised, in_full)
    for edge in policy.edges:
        if edge.way != "supervised" and edge.transfer.target not in amounts:
            amount = labels.amount_of(edge.transfer.regime)
            amounts[edge.transfer.target] = (amount, edge.transfer.means)
    rows: list[Facts] = [
        {
            "task": name,
            "labels": labels.lacking(name, amount),
            "cost": labels.cost(name, amount),
            "amount": amount,
            "means": means,
        }
        for name, (amount, means) in amounts.items()
    ]
    bought = [row for row in rows if row["labels"] > 0]
    # ties by name, so that two runs print alike
    return sorted(bought, key=lambda row: (-row["cost"], -row["labels"], row["task"]))


def holdings(policy: Taxonomy, labels: Labels, names: Iterable[str]) -> list[Facts]:
    """Returns how many labels of every task a policy uses: rows of task, step ("full", the name of
    a regime, None without labels), amount (including those owned already), labels (still to be
    bought), cost; most labels first.
    """
    used: dict[str, tuple[str | None, float]] = dict.fromkeys(names, (None, 0.0))
    for edge in policy.edges:
        if edge.way != "supervised":
            regime = edge.transfer.regime
            used[edge.transfer.target] = (regime, labels.amount_of(regime))
    # last, because full labels contain every smaller amount
    bare = without_labels(policy.supervised)
    used |= {
        name: (None, 0.0) if name in bare else ("full", labels.full) for name in policy.supervised
    }
    rows: list[Facts] = [
        {
            "task": name,
            "step": step,
            "amount": amount,
            "labels": labels.lacking(name, amount),
            "cost": labels.cost(name, amount),
        }
        for name, (step, amount) in used.items()
    ]
    return sorted(rows, key=lambda row: (-row["amount"], row["task"]))


def with_bought(policy: Taxonomy, labels: Labels, names: Iterable[str]) -> Labels:
    """Returns the labels that are owned once the policy is bought."""
    owned = dict(labels.owned or {})
    for row in holdings(policy, labels, names):
        # never less than before, because unused labels are not given back
        owned[row["task"]] = max(owned.get(row["task"], 0.0), row["amount"])
    return replace(labels, owned=owned)


def next_labels(
    table: Affinities, request: Request, labels: Labels, more: float, *, alone: bool = True
) -> Facts:
    """Returns how the next labels are spent best: {"more", "before" (what the owned labels reach,
    None if not every target), "after" ({"quality", "objective", "ways"} with `more` spent in the
    best way), "gain" (after minus before: {"quality", "objective"}, None without before), "buy"
    (rows of `purchases`), "spent", "supervised", "edges", "alone" (rows of `steps`)}.

    request: its roles, values, order and the like count; its costs and budget are replaced. more:
    labels, or money if labels have prices. alone: whether single steps are tried even if `more`
    buys something. Raises Infeasible if `more` does not reach every target either.
    """
    # with nothing to spend
    before = attempt(table, priced(table, request, labels, 0.0))
    after = answer(table, priced(table, request, labels, more))
    buy = purchases(after, labels)
    tried = before is not None and (alone or not buy)
    return {
        "more": more,
        "before": None if before is None else scores(before),
        "after": scores(after),
        "gain": None if before is None else difference(after, before),
        "buy": buy,
        "spent": after.spent,
        "supervised": list(after.supervised),
        "edges": after.to_json()["edges"],
        # single steps take many programs, so only if asked for or if nothing is bought
        "alone": list(steps(table, request, labels, before)) if before and tried else [],
    }


def scores(policy: Taxonomy) -> Facts:
    return {
        "quality": policy.quality,
        "objective": policy.objective,
        "ways": policy.ways,
    }


def difference(after: Taxonomy, before: Taxonomy) -> Facts:
    measured = after.quality is not None and before.quality is not None
    return {
        "objective": after.objective - before.objective,
        "quality": (after.quality or 0.0) - (before.quality or 0.0) if measured else None,
    }


def steps(table: Affinities, request: Request, labels: Labels, before: Taxonomy) -> Iterator[Facts]:
    """Yields what the next step of one task alone is worth, all others unchanged: rows of task,
    amount (owned then), labels, cost, objective and quality gained; most objective for its cost
    first. Steps that gain nothing are left out.
    """
    rows = []
    for name in sorted({*table.sources, *table.targets}):
        for amount in sorted({*labels.amounts.values(), labels.full}):
            if labels.lacking(name, amount) == 0:
                continue
            # as if the step's labels were owned already, with nothing else to spend
            owned = labels.with_more(name, amount)
            policy = attempt(table, priced(table, request, owned, 0.0))
            if policy is not None and policy.objective > before.objective + WORTH:
                rows.append(
                    {
                        "task": name,
                        "amount": amount,
                        "labels": labels.lacking(name, amount),
                        "cost": labels.cost(name, amount),
                        **difference(policy, before),
                    }
                )
    # a step that costs nothing comes before all others
    worth = {id(row): row["objective"] / max(row["cost"], NOTHING) for row in rows}
    yield from sorted(rows, key=lambda row: -worth[id(row)])
