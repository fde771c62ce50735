"""Is the policy better than chance? Gain, quality, significance, baselines, stability, costs,
predictors, tree; blesses the policy or says why not.
"""

import json
import os
from typing import Any, Dict, Iterable, List, Sequence

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts

from components.artifacts import (
    AffinityTable,
    EvidenceBook,
    LabelBank,
    LossBank,
    NetworkBank,
    ProxyTable,
    SeedTables,
    TaxonomyList,
    TransferBank,
)


@component
def EvaluateTaxonomy(
    affinities: InputArtifact[AffinityTable],
    taxonomies: InputArtifact[TaxonomyList],
    proxies: InputArtifact[ProxyTable],
    labels: InputArtifact[LabelBank],
    networks: InputArtifact[List[NetworkBank]],
    losses: InputArtifact[List[LossBank]],
    transfers: InputArtifact[TransferBank],
    evidence: OutputArtifact[EvidenceBook],
    blessing: OutputArtifact[standard_artifacts.ModelBlessing],
    budget: Parameter[int],
    order: Parameter[int],
    policies: Parameter[int],
    transfer_images: Parameter[int],
    transfer_split: Parameter[str],
    seed: Parameter[int],
    scratch: Parameter[int],
    costs: Parameter[str],
    unserved: Parameter[str],
    published: Parameter[str],
    code: Parameter[str],
    # optional inputs come last: TFX reads them as arguments with a default
    repeats: InputArtifact[SeedTables] = None,
) -> None:
    """losses: the shards of TrainTransfers, which hold the controls that the exported edges of
    `transfers` are judged against. policies: random feasible policies that the answer at (budget,
    order) is compared with. transfer_images, transfer_split: what transfers learned from. scratch,
    costs, unserved: as the taxonomies were solved. published: JSON, {"folder", "digest"} of the
    released tables, or null. repeats: tables of the same measurement with other seeds.
    """
    from components.content import files_below, say_content
    from components.solve_taxonomy import request_of
    from models.examples.label_store import LabelStore
    from models.taxonomy import (
        Affinities,
        Expenses,
        Resamples,
        Taxonomy,
        by_amount,
        evaluate,
        outside,
    )
    from models.taxonomy.evidence.seeds import seed_rows
    from models.taxonomy.evidence.served import served_evidence
    from models.taxonomy.evidence.spending import spending
    from models.taxonomy.program.request import Request

    # certificates are checked again when an answer is read back
    with open(os.path.join(taxonomies.uri, "taxonomies.json")) as file:
        answers = [Taxonomy.from_json(entry) for entry in json.load(file)]
    with open(os.path.join(proxies.uri, "proxies.json")) as file:
        predicted = json.load(file)["proxies"]
    store = LabelStore(os.path.join(labels.uri, "store"))
    table = Affinities.load(os.path.join(affinities.uri, "affinities.json"))
    # the very request that the taxonomies were solved for
    request = request_of(table, scratch, costs, json.loads(unserved))
    full, taught = len(store.views("train")), len(store.views(transfer_split))
    others = [] if repeats is None else tables_of_seeds(repeats.uri)
    expenses = Expenses(
        full,
        # a transfer cannot learn from more pictures than the split has
        images_of(table.regimes, transfer_images, min(full, taught)),
        # sources from outside took no training of ours
        {**dict.fromkeys(outside(table.sources), 0.0), **seconds_of(networks)},
        free=request["free"],
    )
    chosen = next(answer for answer in answers if (answer.budget, answer.order) == (budget, order))
    asked, tables = Request(budget, order, **request), halves_of(affinities.uri)
    book = evaluate(
        table,
        answers,
        budget=budget,
        order=order,
        policies=policies,
        seed=seed,
        resamples=Resamples.load(os.path.join(affinities.uri, "resamples.npz")),
        expenses=expenses,
        proxies=predicted,
        halves=tables,
        seeds=others,
        **request,
    )
    exported = exported_losses(transfers.uri, chosen, losses)
    book["served"] = served_evidence(table, chosen, asked, expenses, exported, tables)
    measured, every_amount = table, os.path.join(affinities.uri, "amounts.json")
    if os.path.exists(every_amount):
        # one scale for all amounts, without intervals: never mixed with the table that decides
        measured = Affinities.load(every_amount)
        images = images_of(measured.regimes, transfer_images, taught)
        book["amounts"] = {
            "images": images,
            "targets": by_amount(measured),
            "curves": curves_of(affinities.uri),
            "spending": spending(
                measured,
                asked,
                chosen,
                full=full,
                amounts=images,
                budgets=sorted({1, 2, 4, budget}),
            ),
        }
    foreign = read_or_none(os.path.join(affinities.uri, "sources.json"))
    if foreign:
        book["sources"] = foreign
    book["transfers"] = sum(row.transfer.control is None for row in measured.rows)
    os.makedirs(evidence.uri, exist_ok=True)
    with open(os.path.join(evidence.uri, "evidence.json"), "w") as file:
        json.dump(book, file, indent=1)
    # beside the book: a page of its own reads it
    if others:
        rows = seed_rows([table, *others], asked, chosen)
        with open(os.path.join(evidence.uri, "seeds.json"), "w") as file:
            json.dump(rows, file, indent=1)
    say_published(table, published, evidence.uri, seed)
    say_content(evidence, files_below(evidence.uri))
    # one answer is blessed: that of the budget and order which the policy is trained for
    reasons = (
        []
        # only a policy that is proved the best may be served
        if chosen.status == "optimal"
        else [f"the taxonomy at budget {budget}, order {order} is {chosen.status}, not optimal"]
    )
    bless(blessing, reasons)


def exported_losses(uri: str, policy: Any, shards: Sequence[Any]) -> Any:
    """`ServedLosses` of a policy's edges. uri: of `TrainPolicy`'s networks; shards: of losses."""
    import numpy as np

    from models.taxonomy import LossStore
    from models.taxonomy.evidence.served import ServedLosses

    edges = [edge.transfer for edge in policy.by("transferred")]
    return ServedLosses(
        {edge: np.load(os.path.join(uri, edge.target, "test_losses.npy")) for edge in edges},
        [LossStore(os.path.join(shard.uri, "losses")) for shard in shards],
    )


def say_published(table: Any, published: str, uri: str, seed: int) -> None:
    """published.json below `uri`, where released tables were given and share targets with ours.
    published: as `EvaluateTaxonomy` is given it.
    """
    from models.taxonomy import beside_published

    given = json.loads(published)
    facts = beside_published(table, given["folder"], seed) if given else None
    if facts is not None:
        with open(os.path.join(uri, "published.json"), "w") as file:
            json.dump(facts, file, indent=1)


def tables_of_seeds(uri: str) -> List[Any]:
    """the tables of `MeasureSeeds`, in the order of their seeds."""
    from models.taxonomy import Affinities

    # by number: seed-10 comes after seed-2
    numbers = sorted(int(name[5:-5]) for name in os.listdir(uri) if name.startswith("seed-"))
    return [Affinities.load(os.path.join(uri, f"seed-{number}.json")) for number in numbers]


def halves_of(uri: str) -> Any:
    """the tables of the two halves of the test images; None where they were not measured."""
    from models.taxonomy import Affinities

    # a target with a single test picture has no halves
    paths = [os.path.join(uri, f"half-{number}.json") for number in (0, 1)]
    if not all(map(os.path.exists, paths)):
        return None
    return [Affinities.load(path) for path in paths]


def curves_of(uri: str) -> Any:
    """the label-efficiency curves beside the affinities; None where they were not measured."""
    return read_or_none(os.path.join(uri, "curves.json"))


def read_or_none(path: str) -> Any:
    """the content of a JSON file; None where there is none."""
    if not os.path.exists(path):
        return None
    with open(path) as file:
        return json.load(file)


def images_of(regimes: Iterable[str], asked: int, most: int) -> Dict[str, int]:
    """regime -> images that teach a transfer, at most `most`: its name where there are several
    (`models.networks.regimes`), `asked` for the one named "".
    """
    # the regime that decides has no name, others are called by their pictures
    return {name: min(int(name or asked), most) for name in regimes}


def seconds_of(networks: Iterable[Any]) -> Dict[str, float]:
    """task -> training seconds of its network, from the records beside the weights."""
    found: Dict[str, float] = {}
    for shard in networks:
        for name in sorted(os.listdir(shard.uri)):
            with open(os.path.join(shard.uri, name, "network.json")) as file:
                found[name] = json.load(file).get("seconds", 0.0)
    return found


def bless(blessing: Any, reasons: Sequence[str]) -> None:
    """TFX's form of a blessing: a file and an integer property; the reasons in words beside it."""
    from components.content import say_content

    os.makedirs(blessing.uri, exist_ok=True)
    name = "NOT_BLESSED" if reasons else "BLESSED"
    with open(os.path.join(blessing.uri, name), "w") as file:
        file.write("\n".join(reasons))
    blessing.set_int_custom_property("blessed", int(not reasons))
    say_content(blessing, reasons)
