"""Is a taxonomy better than chance, than greed, than one good source? And which tasks resemble each other?"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from models.taxonomy.affinities import Affinities
from models.taxonomy.similarity import similarity_tree
from models.taxonomy.solving import Infeasible
from models.taxonomy.taxonomy import Taxonomy


def evaluate(table: Affinities, answers: Iterable[Taxonomy], *, budget: float, order: int, policies: int = 1000, seed: int = 0) -> dict:
    """evidence about all answers, and about the one at (budget, order) in depth; JSON-ready.

    {"curves": rows of budget, order, gain, quality, random bands; "significance", "baselines", "tree", "diagnostics"}.
    """
    answers = list(answers)
    chosen = next((answer for answer in answers if (answer.budget, answer.order) == (budget, order)), None)
    if chosen is None:
        raise LookupError(f"no taxonomy at budget {budget}, order {order}; there are {[(answer.budget, answer.order) for answer in answers]}")
    curves = []
    for answer in answers:
        drawn = random_policies(
            table, len(answer.supervised), answer.order, max(50, policies // 10), np.random.default_rng([seed, int(answer.budget), answer.order])
        )
        curves.append(
            {
                "budget": answer.budget,
                "order": answer.order,
                "gain": answer.gain,
                "quality": answer.quality,
                "objective": answer.objective,
                "random_gain": band([draw["gain"] for draw in drawn]),
                "random_quality": band([draw["quality"] for draw in drawn]),
            }
        )
    return {
        "budget": budget,
        "order": order,
        "curves": curves,
        "significance": significance(table, chosen, policies, seed),
        "baselines": baselines(table, chosen),
        "tree": similarity_tree(table),
        "diagnostics": table.diagnostics,
    }


def band(values: list) -> dict | None:
    values = [value for value in values if value is not None]
    return {"mean": float(np.mean(values)), "low": float(np.quantile(values, 0.05)), "high": float(np.quantile(values, 0.95))} if values else None


def offers(table: Affinities, order: int) -> dict[str, list]:
    """target -> its rows: transfers up to `order` from other tasks, and its own supervision."""
    found: dict[str, list] = {target: [] for target in table.targets}
    for row in table.rows:
        transfer = row.transfer
        if transfer.control == "supervised" or (transfer.control is None and transfer.order <= order and transfer.target not in transfer.sources):
            found[transfer.target].append(row)
    return found


def random_policies(table: Affinities, size: int, order: int, count: int, rng: np.random.Generator) -> list[dict]:
    """`count` random feasible policies: `size` supervised tasks drawn evenly, every target by an evenly drawn transfer that they allow, or itself.

    {"objective", "gain", "quality"} each; gain and quality None where not measured.
    """
    names, choices, drawn = table.sources, offers(table, order), []
    for _ in range(count * 20):
        if len(drawn) == count:
            break
        nodes = set(rng.choice(names, min(size, len(names)), replace=False).tolist())
        rows = []
        for target, offered in choices.items():
            own = [row for row in offered if row.transfer.control and target in nodes]
            open_ = own or [row for row in offered if row.transfer.control is None and set(row.transfer.sources) <= nodes]
            if not open_:
                break
            rows.append(open_[rng.integers(len(open_))])
        if len(rows) == len(choices):
            drawn.append(measures(rows))
    return drawn


def measures(rows: list) -> dict:
    average = lambda values: None if any(value is None for value in values) else float(np.mean(values))
    quality = [0.5 if row.transfer.control else row.quality for row in rows]
    return {"objective": float(sum(np.sqrt(row.affinity) for row in rows)), "gain": average([row.gain for row in rows]), "quality": average(quality)}


def significance(table: Affinities, chosen: Taxonomy, policies: int, seed: int) -> dict:
    """the chosen policy against random feasible ones of the same size (paper, section 4.3): p-value = share at least as good, verdict at 1 %."""
    drawn = random_policies(table, len(chosen.supervised), chosen.order, policies, np.random.default_rng(seed))
    measure = "quality" if chosen.quality is not None and drawn and drawn[0]["quality"] is not None else "objective"
    own = chosen.quality if measure == "quality" else float(sum(np.sqrt(edge.affinity) for edge in chosen.edges))
    values = np.array([draw[measure] for draw in drawn])
    if not len(values):
        return {"measure": measure, "observed": own, "policies": 0, "verdict": "no random policy of this size reaches every target; nothing to compare with"}
    p = float((1 + (values >= own).sum()) / (1 + len(values)))
    verdict = f"better than random policies (p = {p:.3f})" if p <= 0.01 else f"not distinguishable from random policies at 1 % (p = {p:.3f})"
    return {"measure": measure, "observed": own, "random": band(list(values)), "policies": len(values), "p": p, "verdict": verdict}


def baselines(table: Affinities, chosen: Taxonomy) -> list[dict]:
    """other ways to spend the same budget: greedy addition of sources, and one source for everything."""
    budget, order = chosen.budget, chosen.order
    rows = [{"name": "this taxonomy", "supervised": list(chosen.supervised), "objective": chosen.objective, "gain": chosen.gain, "quality": chosen.quality}]
    picked: list[str] = []
    while len(picked) < budget:
        tried = [
            (value, name) for name in table.sources if name not in picked for value in [attempt(table, budget, order, [*picked, name])] if value is not None
        ]
        if not tried:
            break
        picked.append(max(tried, key=lambda pair: pair[0].objective)[1])
    for name, nodes in (("greedy", picked), ("single best source", best_single(table, order))):
        found = attempt(table, max(budget, len(nodes)), order, nodes)
        if found is not None:
            rows.append({"name": name, "supervised": list(found.supervised), "objective": found.objective, "gain": found.gain, "quality": found.quality})
    return rows


def attempt(table: Affinities, budget: float, order: int, nodes: list[str]) -> Taxonomy | None:
    """the best edges for exactly these sources, or None if they do not reach every target. Picking each target's best is optimal here."""
    from models.taxonomy.program import Request
    from models.taxonomy.taxonomy import read_policy

    edges, allowed, total = [], set(nodes), 0.0
    for target, offered in offers(table, order).items():
        own = next((row for row in offered if row.transfer.control and target in allowed), None)
        reached = [row for row in offered if row.transfer.control is None and set(row.transfer.sources) <= allowed]
        best = max(reached, key=lambda row: row.affinity, default=None)
        if own is not None and (best is None or own.affinity >= best.affinity):
            total += np.sqrt(own.affinity)
            continue
        if best is None:
            return None
        total += np.sqrt(best.affinity)
        edges.append(best.transfer)
    try:
        return read_policy(table, Request(budget, order), frozenset(nodes), edges, ("feasible", float(total), np.inf))
    except (Infeasible, ValueError):
        return None


def best_single(table: Affinities, order: int) -> list[str]:
    """the one source whose transfers into all targets are worth most."""
    found = [(answer.objective, name) for name in table.sources for answer in [attempt(table, 1, order, [name])] if answer is not None]
    return [max(found)[1]] if found else []
