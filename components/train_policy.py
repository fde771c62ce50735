"""The networks of the chosen policy's edges."""

import json
import os
import tempfile
from typing import Any, Dict, List

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
    """Trains the networks of the policy at (budget, order). One directory an edge, named after its
    target: a transfer network, or the network from scratch that was measured. The encoders of
    sources from outside lie below `sources`. work: folder with the ledgers of TrainTransfers and of
    this node.
    """
    from components.content import addresses_below, say_content
    from components.ledger import gather, publish, publish_as
    from models.examples.label_store import LabelStore
    from models.networks.config import NetworkConfig
    from models.networks.task_networks.representations import RepresentationStore
    from models.networks.transfers.edge import train_transfer
    from models.networks.transfers.gradient.programs import StackPrograms
    from models.networks.transfers.regimes import regimes_of
    from models.networks.transfers.scratch import scratch_folder, train_from_scratch
    from models.provenance.atomic import write_json

    policy = policy_at(taxonomies.uri, budget, order)
    settings = NetworkConfig(**json.loads(config))
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
    write_json(os.path.join(transfers.uri, "policy.json"), policy, indent=1)
    names = [edge["target"] for edge in edges]
    addresses = addresses_below(transfers.uri, names, "transfer.json")
    addresses |= addresses_below(transfers.uri, unaided, "network.json")
    say_content(transfers, [policy, addresses, encoders])


def policy_at(uri: str, budget: int, order: int) -> Dict[str, Any]:
    """Entry of the taxonomies.json below `uri` at (budget, order). Raises LookupError with those
    that there are.
    """
    with open(os.path.join(uri, "taxonomies.json")) as file:
        entries: List[Dict[str, Any]] = json.load(file)
    for entry in entries:
        if (entry["budget"], entry["order"]) == (budget, order):
            return entry
    raise LookupError(
        f"no taxonomy at budget {budget}, order {order}; there are "
        f"{[(entry['budget'], entry['order']) for entry in entries]}"
    )


def publish_outside(store: str, supervised: List[str], uri: str) -> Dict[str, str]:
    """Links the encoders of a policy's sources from outside below `uri`/sources. Returns name ->
    address. store: folder of representations, where the encoders lie.
    """
    from models.networks.sources.network import OUTSIDE, files_of
    from models.provenance.linked import linked
    from models.taxonomy import outside

    addresses = {}
    for name in sorted(outside(supervised)):
        folder = os.path.join(store, name)
        for file in files_of(folder):
            linked(os.path.join(folder, file), os.path.join(uri, OUTSIDE, name, file))
        with open(os.path.join(folder, "source.json")) as described:
            addresses[name] = json.load(described)["address"]
    return addresses
