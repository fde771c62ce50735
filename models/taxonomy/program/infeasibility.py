"""Explains why no policy satisfies a request: a minimal set of rules that contradict each other,
and the cheapest way out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from models.taxonomy.affinities import Affinities
from models.taxonomy.program.digits import at_least, cost_text, enough
from models.taxonomy.program.policies import Policies
from models.taxonomy.program.program import SLACK, make_program
from models.taxonomy.program.request import Request
from models.taxonomy.program.solver import solve_glpk

AMPLE = 1e12  # a budget that forbids nothing


class Infeasible(ValueError):
    """No policy satisfies the request; the message names what conflicts and the cheapest
    relaxation.
    """


@dataclass(frozen=True)
class Rule:
    """One rule of a request in words, and a function that returns a request without it."""

    text: str
    lifted: Callable[[Request], Request]

    @property
    def of_budget(self) -> bool:
        return self.text.startswith("budget")


def rules(table: Affinities, request: Request) -> list[Rule]:
    """Returns every rule that could make the request infeasible, those first that people would give
    up most easily, because they are tried for lifting first.
    """
    # the order decides which rules are blamed: a rule stays lifted if lifting it does not help
    standing = [
        Rule(f"{field} {name}", without_name(field, name))
        for field in ("forbidden", "forced", "target_only")
        for name in sorted(getattr(request, field))
    ]
    # an order that no transfer has forbids nothing
    most = max((row.transfer.order for row in table.rows), default=1)
    if most > request.order:
        standing.append(Rule(f"order {request.order}", lambda each: replace(each, order=most)))
    # networks from scratch may have amounts of data that no transfer has
    controls = (None, "scratch") if request.scratch else (None,)
    amounts = {row.transfer.regime for row in table.rows if row.transfer.control in controls}
    if request.regimes and not amounts <= request.regimes:
        names = ", ".join(name or "the one without a name" for name in sorted(request.regimes))
        # by name, because shares are on offer by name alone
        every = request.regimes | amounts
        standing.append(Rule(f"regimes {names}", lambda each: replace(each, regimes=every)))
    if request.second:
        text = f"{request.second.name} of at most {cost_text(request.second.limit)}"
        standing.append(Rule(text, lambda each: replace(each, second=None)))
    everything = cost_of_everything(table, request)
    standing.append(
        Rule(
            f"budget {cost_text(request.budget)}",
            # never below the given budget, because lifting must not restrict
            lambda each: replace(each, budget=max(everything, each.budget)),
        )
    )
    return standing


def without_name(field: str, name: str) -> Callable[[Request], Request]:
    """Returns a function that takes `name` out of the set `field` of a request."""

    def lifted(request: Request) -> Request:
        rest: dict[str, frozenset[str]] = {field: getattr(request, field) - {name}}
        return replace(request, **rest)  # type: ignore[arg-type]

    return lifted


def cost_of_everything(table: Affinities, request: Request) -> float:
    """Returns more than any policy can cost: the price of all tasks and of the dearest way into
    every target, plus 1.
    """
    dearest: dict[str, float] = {}
    for row in table.rows:
        cost = request.edge_cost_of(row.transfer)
        dearest[row.transfer.target] = max(cost, dearest.get(row.transfer.target, 0.0))
    tasks = sum(request.cost_of(name) for name in {*table.sources, *table.targets})
    # a little more than the sum, so that rounding cannot make it binding
    return 1.0 + tasks + sum(dearest.values())


def feasible(table: Affinities, request: Request) -> bool:
    """Returns whether any policy meets the request."""
    program = make_program(table, request)
    # without rewards the first policy found ends the search
    indifferent = replace(program, reward=np.zeros(len(program.reward)))
    return solve_glpk(indifferent, request.time_limit).status != "infeasible"


def conflict(table: Affinities, request: Request) -> list[Rule] | None:
    """Returns rules that contradict each other, each of them needed for the contradiction (an
    irreducible infeasible set, found by lifting one rule after the other). Returns None if lifting
    all rules would not help, because the table itself has no way into a target.
    """
    standing = rules(table, request)
    # infeasible even without any rule: the table itself lacks a way
    if not feasible(table, without(request, standing)):
        return None
    guilty = []
    current = request
    for rule in standing:
        # deletion filter: a rule is not part of the conflict if lifting it cures nothing
        trial = rule.lifted(current)
        if feasible(table, trial):
            guilty.append(rule)
        else:
            current = trial
    return guilty


def cheapest_budget(table: Affinities, request: Request) -> float | None:
    """Returns the least label cost at which the other rules can be met, or None if they
    never can.
    """
    rule = next(rule for rule in rules(table, request) if rule.of_budget)
    least = None
    cost = lower_cost(table, rule.lifted(request))
    # the solver does not tell apart costs that differ by 1e-7 of them, but a budget does
    while cost is not None:
        least = cost
        if least == 0:
            break
        cost = lower_cost(table, replace(request, budget=least * (1 - 3 * SLACK)))
    return least


def lower_cost(table: Affinities, request: Request) -> float | None:
    """Returns the cost of a policy that meets the request, the least that the solver can tell, or
    None if no policy does or none was found in time.
    """
    program = make_program(table, request)
    costs = [request.cost_of(name) for name in program.nodes]
    costs += [request.edge_cost_of(edge) for edge in program.edges]
    # the same program with costs for rewards
    solution = solve_glpk(replace(program, reward=-np.array(costs)), request.time_limit)
    # a minimum of 0 comes out as -0.0
    return None if solution.x is None else -solution.objective + 0.0


def explain_infeasible(table: Affinities, request: Request) -> str:
    """Returns the reason in words: the rules in conflict and what to change."""
    return reason(table, request) + way_by_scratch(table, request)


def reason(table: Affinities, request: Request) -> str:
    guilty = conflict(table, request)
    if guilty is None:
        free = without(request, rules(table, request))
        return (
            f"{', '.join(unreachable(table, free))} cannot be reached: the table has no "
            "transfer into it and no supervised network of it; drop the target"
        )
    cheapest = cheapest_budget(table, request)
    if cheapest is not None and [rule.of_budget for rule in guilty] == [True]:
        return (
            f"budget {cost_text(request.budget)} is too small: reaching every target costs at "
            f"least {at_least(cheapest, request.budget)}; raise the budget to {enough(cheapest)}"
        )
    # budgets that forbid nothing: targets that are still out of reach are so for another reason
    reaching = unreachable(table, replace(request, budget=AMPLE, second=None))
    where = ""
    if reaching:
        where = (
            f" (no allowed transfer reaches {', '.join(reaching)}, and it may not be supervised)"
        )
    price = ""
    if cheapest is not None and cheapest > request.budget:
        price = f"; the other rules cost at least {at_least(cheapest, request.budget)}"
    conflicting = " together with ".join(rule.text for rule in guilty)
    return f"no policy meets {conflicting}{where}{price}: {cures(table, request, guilty, cheapest)}"


def cures(table: Affinities, request: Request, guilty: list[Rule], cheapest: float | None) -> str:
    """Returns in words what to change; each change alone is enough. A request may hold several
    contradictions, of which `guilty` is only one, so every change is tried before it is named.
    """
    ways = [] if cheapest is None else [f"raise the budget to {enough(cheapest)}"]
    # the budget is not lifted but raised to what is needed
    others = [rule for rule in guilty if not rule.of_budget]
    ways += ["lift " + one.text for one in others if feasible(table, one.lifted(request))]
    if len(ways) > (cheapest is not None):
        return " or ".join(ways)
    together = needed(table, request)
    if not together:
        return " or ".join(ways)
    words = "lift " + " together with ".join(rule.text for rule in together)
    rest = without(request, together)
    if not feasible(table, rest):
        least = cheapest_budget(table, rest)
        words += "" if least is None else f" and raise the budget to {enough(least)}"
    return " or ".join([*ways, words])


def without(request: Request, lifted: Iterable[Rule]) -> Request:
    """Returns the request with the rules `lifted` taken out."""
    for rule in lifted:
        request = rule.lifted(request)
    return request


def needed(table: Affinities, request: Request) -> list[Rule]:
    """Returns the rules other than the budget that must all be lifted, none of which can be kept;
    [] if that does not help. The budget stays as it is if a way exists with it, otherwise it is
    lifted too.
    """
    standing = rules(table, request)
    others = [rule for rule in standing if not rule.of_budget]
    budget = [rule for rule in standing if rule.of_budget]
    for each in (request, without(request, budget)):
        lifted = others
        if not feasible(table, without(each, lifted)):
            continue
        # the rules that people would give up last are kept first
        for rule in reversed(others):
            fewer = [other for other in lifted if other is not rule]
            if feasible(table, without(each, fewer)):
                lifted = fewer
        return lifted
    return []


def way_by_scratch(table: Affinities, request: Request) -> str:
    """Returns in words that learning targets from scratch would help, which is no rule of the
    request; "" if it would not.
    """
    if request.scratch or not table.knows_scratch:
        return ""
    if not feasible(table, replace(request, scratch=True)):
        return ""
    return "; or allow targets to be learned from scratch on the little data (--scratch on)"


def unreachable(table: Affinities, request: Request) -> list[str]:
    """Returns the targets that no allowed edge and no supervision of their own reaches, whatever
    the budget.
    """
    # the open edges of all allowed nodes: what could reach a target at best
    program = make_program(table, request)
    nodes = program.high[: len(program.nodes)] > 0
    policies = Policies(program)
    by_edge = set(policies.target_of[policies.open_edges(nodes)].tolist())
    by_itself = set(policies.own[nodes & (policies.own >= 0)].tolist())
    return [target for i, target in enumerate(program.targets) if i not in by_edge | by_itself]
