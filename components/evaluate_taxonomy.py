"""Is the policy better than chance? Its evidence: gain, quality, significance, baselines,
stability, costs, predictors, tree.
"""

import json
import os
from typing import Any, Dict, Iterable, List, Optional, Sequence

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
    """Writes the evidence book of the policy at (budget, order), and blesses that policy or says
    why not. losses: the shards of TrainTransfers, which hold the controls that the exported edges
    of `transfers` are judged against. policies: number of random feasible policies that the answer
    is compared with. transfer_images, transfer_split: what transfers learned from. scratch, costs,
    unserved: as the taxonomies were solved. published: JSON, {"folder", "digest"} of the released
    tables, or null. repeats: tables of the same measurement with other seeds.
    """
    from components.blessings import bless
    from components.content import files_below, say_content
    from models.examples.label_store import LabelStore
    from models.provenance.atomic import write_json
    from models.taxonomy import Affinities, Resamples, Taxonomy
    from models.taxonomy.evidence.evidence import answer_at
    from models.taxonomy.evidence.run_evidence import (
        EvidenceInputs,
        evidence_book,
        reasons_against,
        seeds_page,
    )
    from models.taxonomy.program.run_request import request_fields

    # certificates are checked again when an answer is read back
    answers = [Taxonomy.from_json(entry) for entry in read(taxonomies.uri, "taxonomies.json")]
    table = Affinities.load(os.path.join(affinities.uri, "affinities.json"))
    every_amount = os.path.join(affinities.uri, "amounts.json")
    store = LabelStore(os.path.join(labels.uri, "store"))
    inputs = EvidenceInputs(
        table=table,
        answers=answers,
        budget=budget,
        order=order,
        # the very request that the taxonomies were solved for
        request=request_fields(
            table, scratch=bool(scratch), costs=costs, unserved=json.loads(unserved)
        ),
        policies=policies,
        seed=seed,
        resamples=Resamples.load(os.path.join(affinities.uri, "resamples.npz")),
        exported=exported_losses(transfers.uri, answer_at(answers, budget, order), losses),
        train_images=len(store.views("train")),
        transfer_split_images=len(store.views(transfer_split)),
        transfer_images=transfer_images,
        seconds=training_seconds(networks),
        proxies=read(proxies.uri, "proxies.json")["proxies"],
        halves=read_halves(affinities.uri),
        seeds=[] if repeats is None else read_seed_tables(repeats.uri),
        every_amount=Affinities.load(every_amount) if os.path.exists(every_amount) else None,
        curves=read_or_none(affinities.uri, "curves.json"),
        sources=read_or_none(affinities.uri, "sources.json"),
    )
    pages = {
        "evidence.json": evidence_book(inputs),
        "seeds.json": seeds_page(inputs),
        "published.json": published_evidence(table, published, seed),
    }
    for name, page in pages.items():
        # a run without repeats, or without released tables, has no such page
        if page is not None:
            write_json(os.path.join(evidence.uri, name), page, indent=1)
    say_content(evidence, files_below(evidence.uri))
    bless(blessing, reasons_against(inputs))


def exported_losses(uri: str, policy: Any, shards: Sequence[Any]) -> Any:
    """`ServedLosses` of a `Taxonomy`'s transferred edges. uri: of `TrainPolicy`'s networks. shards:
    artifacts of TrainTransfers.
    """
    import numpy as np

    from models.taxonomy import LossStore
    from models.taxonomy.evidence.served import ServedLosses

    edges = [edge.transfer for edge in policy.by("transferred")]
    return ServedLosses(
        {edge: np.load(os.path.join(uri, edge.target, "test_losses.npy")) for edge in edges},
        [LossStore(os.path.join(shard.uri, "losses")) for shard in shards],
    )


def published_evidence(table: Any, published: str, seed: int) -> Any:
    """`beside_published` of the table; None where no released tables were given, or none of their
    targets is ours. published: as `EvaluateTaxonomy` is given it.
    """
    from models.taxonomy import beside_published

    source = json.loads(published)
    return beside_published(table, source["folder"], seed) if source else None


def read_seed_tables(uri: str) -> List[Any]:
    """Tables (`Affinities`) of MeasureSeeds, in the order of their seeds."""
    from models.taxonomy import Affinities

    # by number: seed-10 comes after seed-2
    numbers = sorted(int(name[5:-5]) for name in os.listdir(uri) if name.startswith("seed-"))
    return [Affinities.load(os.path.join(uri, f"seed-{number}.json")) for number in numbers]


def read_halves(uri: str) -> Optional[List[Any]]:
    """Tables (`Affinities`) of the two halves of the test images; None where they were not
    measured.
    """
    from models.taxonomy import Affinities

    # a target with a single test picture has no halves
    paths = [os.path.join(uri, f"half-{number}.json") for number in (0, 1)]
    if not all(map(os.path.exists, paths)):
        return None
    return [Affinities.load(path) for path in paths]


def read(uri: str, name: str) -> Any:
    """Content of a JSON file of an artifact."""
    with open(os.path.join(uri, name)) as file:
        return json.load(file)


def read_or_none(uri: str, name: str) -> Any:
    """Content of a JSON file of an artifact; None where there is none."""
    return read(uri, name) if os.path.exists(os.path.join(uri, name)) else None


def training_seconds(networks: Iterable[Any]) -> Dict[str, float]:
    """Task -> training seconds of its network, from the records beside the weights. networks:
    artifacts of TrainTasks.
    """
    return {
        name: read(shard.uri, os.path.join(name, "network.json")).get("seconds", 0.0)
        for shard in networks
        for name in sorted(os.listdir(shard.uri))
    }
