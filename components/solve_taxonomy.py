"""The boolean integer program at every budget and order, each answer with its certificate."""

import json
import os

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
    """Writes taxonomies.json: the policy of every budget and order. budgets, orders: JSON lists.
    scratch: 1 to offer training from scratch, else 0. costs: preset of label costs,
    `models.taxonomy.program.costs`. unserved: JSON list of sources that no bundle can hold: they
    are measured, and no policy takes them.
    """
    from components.content import files_below, say_content
    from models.provenance.atomic import write_json
    from models.taxonomy import Affinities, solve_all
    from models.taxonomy.program.run_request import request_fields

    table = Affinities.load(os.path.join(affinities.uri, "affinities.json"))
    answers = solve_all(
        table,
        json.loads(budgets),
        json.loads(orders),
        **request_fields(table, scratch=bool(scratch), costs=costs, unserved=json.loads(unserved)),
    )
    entries = [answer.to_json() for answer in answers]
    write_json(os.path.join(taxonomies.uri, "taxonomies.json"), entries, indent=1)
    say_content(taxonomies, files_below(taxonomies.uri))
