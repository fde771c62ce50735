"""Why no policy satisfies a request: the smallest set of rules that contradict each other, and the
cheapest way out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from models.taxonomy.affinities import Affinities
from models.taxonomy.policies import Policies
from models.taxonomy.program import make_program
from models.taxonomy.request import Request
from models.taxonomy.solver import solve_glpk


class Infeasible(ValueError):
    """No policy satisfies the request; the message names what conflicts and the cheapest
    relaxation.
    """


@dataclass(frozen=True)
class Rule:
    """One rule of a request in words, and the request without it."""

    text: str
    lifted: Callable[[Request], Request]


def rules(table: Affinities, request: Request) -> list[Rule]:
    """every rule that could stand in the way, those that people mind least to lift first (they are
    tried for lifting first).
    """
    everything = (
        1.0
        + sum(request.cost_of(name) for name in {*table.sources, *table.targets})
        + sum(
            max(
                (
                    request.edge_cost_of(row.transfer)
                    for row in table.rows
                    if row.transfer.target == target
                ),
                default=0.0,
            )
            for target in table.targets
        )
    )
    most = max((row.transfer.order for row in table.rows), default=1)
    without = lambda field, name: lambda r: replace(r, **{field: getattr(r, field) - {name}})
    found = [
        Rule(f"{field} {name}", without(field, name))
        for field in ("forbidden", "forced", "target_only")
        for name in sorted(getattr(request, field))
    ]
    if most > request.order:
        found.append(Rule(f"order {request.order}", lambda r: replace(r, order=most)))
    if request.regimes and set(request.regimes) != set(table.regimes):
        found.append(
            Rule(
                f"regimes {', '.join(sorted(request.regimes))}",
                lambda r: replace(r, regimes=frozenset()),
            )
        )
    if request.second:
        found.append(
            Rule(
                f"{request.second.name} of at most {request.second.limit:g}",
                lambda r: replace(r, second=None),
            )
        )
    found.append(
        Rule(f"budget {request.budget:g}", lambda r: replace(r, budget=max(everything, r.budget)))
    )
    return found


def feasible(table: Affinities, request: Request) -> bool:
    """is there a policy? (The first one will do: no rewards.)"""
    program = make_program(table, request)
    return (
        solve_glpk(
            replace(program, reward=np.zeros(len(program.reward))), request.time_limit
        ).status
        != "infeasible"
    )


def conflict(table: Affinities, request: Request) -> list[Rule] | None:
    """rules of which each is needed for the contradiction (an irreducible infeasible set, by
    lifting one after the other); None if lifting all of them would not help, because a target is
    out of reach in the table itself.
    """
    standing, lifted = rules(table, request), request
    for rule in standing:
        lifted = rule.lifted(lifted)
    if not feasible(table, lifted):
        return None
    guilty, current = [], request
    for rule in standing:
        trial = rule.lifted(current)
        if feasible(table, trial):
            guilty.append(rule)
        else:
            current = trial
    return guilty


def cheapest_budget(table: Affinities, request: Request) -> float | None:
    """the least label cost at which the other rules can be met; None if they never can."""
    ample = next(rule for rule in rules(table, request) if rule.text.startswith("budget")).lifted(
        request
    )
    program = make_program(table, ample)
    costs = [request.cost_of(name) for name in program.nodes] + [
        request.edge_cost_of(edge) for edge in program.edges
    ]
    found = solve_glpk(replace(program, reward=-np.array(costs)), request.time_limit)
    return None if found.x is None else -found.objective + 0.0


def explain_infeasible(table: Affinities, request: Request) -> str:
    """the reason in words: rules in conflict, and what to change."""
    guilty = conflict(table, request)
    if guilty is None:
        return (
            f"{', '.join(unreachable(table, request))} cannot be reached: the table has no "
            "transfer into it and no supervised network of it; drop the target"
        )
    cheapest, reaching = (
        cheapest_budget(table, request),
        unreachable(table, replace(request, budget=1e12, second=None)),
    )
    ways = [f"raise the budget to {cheapest:g}"] if cheapest is not None else []
    ways += ["lift " + rule.text for rule in guilty if not rule.text.startswith("budget")]
    if [rule.text.startswith("budget") for rule in guilty] == [True]:
        return (
            f"budget {request.budget:g} is too small: reaching every target costs at least "
            f"{cheapest:g}; raise the budget to {cheapest:g}"
        )
    what = f"no policy meets {' together with '.join(rule.text for rule in guilty)}"
    where = (
        f" (no allowed transfer reaches {', '.join(reaching)}, and it may not be supervised)"
        if reaching
        else ""
    )
    price = (
        f"; the other rules cost at least {cheapest:g}"
        if cheapest is not None and cheapest > request.budget
        else ""
    )
    return f"{what}{where}{price}: {' or '.join(ways)}"


def unreachable(table: Affinities, request: Request) -> list[str]:
    """targets without an allowed edge and without own supervision, whatever the budget."""
    program = make_program(table, request)
    nodes = program.high[: len(program.nodes)] > 0
    policies = Policies(program)
    reached = set(
        policies.target_of[(policies.uses @ nodes.astype(float)) == policies.order]
    ) | set(policies.own[nodes & (policies.own >= 0)])
    return [target for i, target in enumerate(program.targets) if i not in reached]
