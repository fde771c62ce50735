"""The networks of the chosen policy's edges."""

import json
import os
import tempfile
from typing import List

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import (
    LabelBank,
    NetworkBank,
    RepresentationBank,
    TaxonomyList,
    TransferBank,
)


@component
def TrainPolicy(
    labels: InputArtifact[LabelBank],
    networks: InputArtifact[List[NetworkBank]],
    representations: InputArtifact[RepresentationBank],
    taxonomies: InputArtifact[TaxonomyList],
    transfers: OutputArtifact[TransferBank],
    budget: Parameter[int],
    order: Parameter[int],
    config: Parameter[str],
    work: Parameter[str],
    code: Parameter[str],
) -> None:
    """The policy at (budget, order); one directory an edge, named after its target."""
    from components.content import addresses_below, say_content
    from components.ledger import gather, publish
    from components.solve_taxonomy import chosen
    from models.examples.label_store import LabelStore
    from models.networks.config import NetworkConfig
    from models.networks.task_networks.representations import RepresentationStore
    from models.networks.transfers.gradient.programs import StackPrograms
    from models.networks.transfers.measure import train_transfer

    policy, settings = chosen(taxonomies.uri, budget, order), NetworkConfig(**json.loads(config))
    ledger = os.path.join(work, "policy")
    edges = [edge for edge in policy["edges"] if edge["sources"]]
    store, maps = (
        LabelStore(os.path.join(labels.uri, "store")),
        RepresentationStore(os.path.join(representations.uri, "store")),
    )
    programs = StackPrograms(settings, store.size)
    with tempfile.TemporaryDirectory() as scratch:
        bank = gather([shard.uri for shard in networks], scratch)
        for edge in edges:
            train_transfer(
                tuple(edge["sources"]),
                edge["target"],
                store,
                maps,
                bank,
                os.path.join(ledger, edge["target"]),
                settings,
                programs,
            )
    publish(ledger, [edge["target"] for edge in edges], transfers.uri)
    with open(os.path.join(transfers.uri, "policy.json"), "w") as file:
        json.dump(policy, file, indent=1)
    edge_names = [edge["target"] for edge in edges]
    say_content(transfers, [policy, addresses_below(transfers.uri, edge_names, "transfer.json")])
