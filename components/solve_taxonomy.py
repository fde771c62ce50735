"""The boolean integer program at every budget and order, each answer with its certificate."""

import json
import os
from typing import Any, Dict, List, Sequence

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import AffinityTable, TaxonomyList


@component
def SolveTaxonomy(
    affinities: InputArtifact[AffinityTable],
    taxonomies: OutputArtifact[TaxonomyList],
    budgets: Parameter[str],
    orders: Parameter[str],
    scratch: Parameter[int],
    costs: Parameter[str],
    unserved: Parameter[str],
    code: Parameter[str],
) -> None:
    """budgets, orders: JSON lists. scratch: is training from scratch on offer (0 or 1)? costs:
    preset of label costs, `models.taxonomy.program.costs`. unserved: JSON list of sources that no
    bundle can hold: they are measured, and no policy takes them.
    """
    from components.content import files_below, say_content
    from models.taxonomy import Affinities, solve_all

    os.makedirs(taxonomies.uri, exist_ok=True)
    table = Affinities.load(os.path.join(affinities.uri, "affinities.json"))
    answers = solve_all(
        table,
        json.loads(budgets),
        json.loads(orders),
        **request_of(table, scratch, costs, json.loads(unserved)),
    )
    with open(os.path.join(taxonomies.uri, "taxonomies.json"), "w") as file:
        json.dump([answer.to_json() for answer in answers], file, indent=1)
    say_content(taxonomies, files_below(taxonomies.uri))


def request_of(
    table: Any, scratch: int, costs: str, unserved: Sequence[str] = ()
) -> Dict[str, Any]:
    """the fields of the run's requests beside budget and order. table: `Affinities`; one without
    networks from scratch offers none. Sources from outside need no labels here.
    """
    from models.taxonomy import free_tasks, outside

    names = {*table.sources, *table.targets}
    return {
        "scratch": bool(scratch) and table.knows_scratch,
        "free": free_tasks(costs, names) | outside(names),
        # names that the table lacks would be refused
        "target_only": frozenset(unserved) & names,
    }


def chosen(uri: str, budget: int, order: int) -> Dict[str, Any]:
    """the entry of taxonomies.json below `uri` at (budget, order), as a dict."""
    with open(os.path.join(uri, "taxonomies.json")) as file:
        entries: List[Dict[str, Any]] = json.load(file)
    for entry in entries:
        if (entry["budget"], entry["order"]) == (budget, order):
            return entry
    raise LookupError(
        f"no taxonomy at budget {budget}, order {order}; there are "
        f"{[(e['budget'], e['order']) for e in entries]}"
    )
