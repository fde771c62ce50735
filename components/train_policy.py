"""The networks of the chosen policy's edges."""

import json
import os
import tempfile
from typing import Dict, List

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
    """The policy at (budget, order); one directory an edge, named after its target: a transfer
    network, or the network from scratch that was measured. What its sources from outside are read
    from lies below `sources`. work: with TrainTransfers' ledger.
    """
    from components.content import addresses_below, say_content
    from components.ledger import gather, publish, publish_as
    from components.solve_taxonomy import chosen
    from models.examples.label_store import LabelStore
    from models.networks.config import NetworkConfig
    from models.networks.task_networks.representations import RepresentationStore
    from models.networks.transfers.edge import train_transfer
    from models.networks.transfers.gradient.programs import StackPrograms
    from models.networks.transfers.regimes import regimes_of
    from models.networks.transfers.scratch import scratch_folder, train_from_scratch

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
    regimes = {regime.name: regime for regime in regimes_of(store, settings)}
    unaided = {
        edge["target"]: [regimes[edge["regime"]]]
        for edge in policy["edges"]
        if edge.get("control") == "scratch"
    }
    measured = os.path.join(work, "transfers")
    train_from_scratch(store, measured, unaided, settings)
    for target, [regime] in unaided.items():
        publish_as(str(scratch_folder(measured, target, regime)), transfers.uri, target)
    encoders = publish_outside(
        os.path.join(representations.uri, "store"), policy["supervised"], transfers.uri
    )
    with open(os.path.join(transfers.uri, "policy.json"), "w") as file:
        json.dump(policy, file, indent=1)
    names = [edge["target"] for edge in edges]
    addresses = addresses_below(transfers.uri, names, "transfer.json")
    addresses |= addresses_below(transfers.uri, unaided, "network.json")
    say_content(transfers, [policy, addresses, encoders])


def publish_outside(store: str, supervised: List[str], uri: str) -> Dict[str, str]:
    """the networks of a policy's sources from outside below `uri`/sources; name -> address."""
    from models.networks.sources.network import OUTSIDE, files_of
    from models.provenance.linked import linked
    from models.taxonomy import outside

    found = {}
    for name in sorted(outside(supervised)):
        folder = os.path.join(store, name)
        for file in files_of(folder):
            linked(os.path.join(folder, file), os.path.join(uri, OUTSIDE, name, file))
        with open(os.path.join(folder, "source.json")) as described:
            found[name] = json.load(described)["address"]
    return found
