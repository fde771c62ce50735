"""Is the policy better than chance? Gain, quality, significance, baselines, tree; blesses the policy or says why not."""

import json
import os

from tfx import v1 as tfx
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import AffinityTable, EvidenceBook, TaxonomyList


@component
def EvaluateTaxonomy(
    affinities: InputArtifact[AffinityTable],
    taxonomies: InputArtifact[TaxonomyList],
    evidence: OutputArtifact[EvidenceBook],
    blessing: OutputArtifact[tfx.types.standard_artifacts.ModelBlessing],
    budget: Parameter[int],
    order: Parameter[int],
    policies: Parameter[int],
    seed: Parameter[int],
    code: Parameter[str],
):
    """policies: random feasible policies that the answer at (budget, order) is compared with."""
    from models.taxonomy import Affinities, Taxonomy, evaluate

    with open(os.path.join(taxonomies.uri, "taxonomies.json")) as file:
        answers = [Taxonomy.from_json(entry) for entry in json.load(file)]
    book = evaluate(Affinities.load(os.path.join(affinities.uri, "affinities.json")), answers, budget=budget, order=order, policies=policies, seed=seed)
    os.makedirs(evidence.uri, exist_ok=True)
    with open(os.path.join(evidence.uri, "evidence.json"), "w") as file:
        json.dump(book, file, indent=1)
    chosen = next(answer for answer in answers if (answer.budget, answer.order) == (budget, order))
    reasons = [] if chosen.status == "optimal" else [f"the taxonomy at budget {budget}, order {order} is {chosen.status}, not optimal"]
    bless(blessing, reasons)


def bless(blessing, reasons):
    """TFX's form of a blessing: a file and an integer property; the reasons in words beside it."""
    os.makedirs(blessing.uri, exist_ok=True)
    name = "NOT_BLESSED" if reasons else "BLESSED"
    with open(os.path.join(blessing.uri, name), "w") as file:
        file.write("\n".join(reasons))
    blessing.set_int_custom_property("blessed", int(not reasons))
