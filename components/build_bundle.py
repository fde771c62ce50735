"""The chosen policy's networks as one servable: every source encoder once, every target's head on
it.
"""

import json
import os
import tempfile
from typing import Any, Dict, List, Mapping

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts

from components.artifacts import LabelBank, NetworkBank, TransferBank

MEASURED = ("address", "steps", "loss", "win_average")  # of a task network's record


@component
def BuildBundle(
    networks: InputArtifact[List[NetworkBank]],
    transfers: InputArtifact[TransferBank],
    model: OutputArtifact[standard_artifacts.Model],
    size: Parameter[int],
    lineage: Parameter[str],
    code: Parameter[str],
    labels: InputArtifact[LabelBank] = None,
) -> None:
    """Builds the servable of the chosen policy. size: side of the pictures, pixels. lineage: JSON
    that the server shows to whoever asks where an answer came from. labels: for the whitening of
    poses, which are served in metres, and for the data's hash.
    """
    from components.content import addresses_below, say_content
    from components.ledger import gather

    # imported inside: TFX loads this file to compile a pipeline, without networks or a server
    from models.networks.sources.network import OUTSIDE
    from models.tasks import TASKS
    from models.taxonomy import outside
    from serving.bundle.build import build_bundle
    from serving.bundle.heads import from_scratch, fully_supervised

    with open(os.path.join(transfers.uri, "policy.json")) as file:
        policy = json.load(file)
    # the artifact's own place is lineage, too: it is not known before TFX makes it
    facts, whitening = {**json.loads(lineage), "artifact": model.uri}, {}
    if labels is not None:
        from models.examples.label_store import LabelStore

        store = LabelStore(os.path.join(labels.uri, "store"))
        facts["data"] = store.manifest
        whitening = {
            name: store.whitening(name)
            # only tasks whose numbers are whitened, of which this data set has labels
            for name, entry in TASKS.items()
            if entry.whitened and store.has(name)
        }
    # shards of TrainTasks as one folder of links, gone when the bundle is written
    with tempfile.TemporaryDirectory() as scratch:
        bank = gather([shard.uri for shard in networks], scratch)
        facts["metrics"] = {}
        # sources from outside have no task network: their own record lies with the policy's
        # networks
        foreign = outside(policy["supervised"])
        for name in sorted(
            {source for edge in policy["edges"] for source in edge["sources"]}
            | set(policy["supervised"])
            | set(fully_supervised(policy))
        ):
            described = os.path.join(bank, name, "network.json")
            if name in foreign:
                described = os.path.join(transfers.uri, OUTSIDE, name, "source.json")
            with open(described) as file:
                record = json.load(file)
            facts["metrics"][name] = {field: record.get(field) for field in MEASURED}
        facts["served"] = win_rates(policy, transfers.uri, bank)
        # the folder that TFX's Pusher and InfraValidator would look for
        destination = os.path.join(model.uri, "Format-Serving")
        build_bundle(
            policy,
            bank,
            transfers.uri,
            destination,
            lineage=facts,
            image_size=size,
            whitening=whitening,
        )
    # the artifact's content: networks, edges and code by their addresses; files hold paths and
    # counters
    parts = [record["address"] for record in facts["metrics"].values()]
    edges = addresses_below(transfers.uri, learned_edges(policy), "transfer.json")
    unaided = [edge["target"] for edge in policy["edges"] if from_scratch(edge)]
    edges |= addresses_below(transfers.uri, unaided, "network.json")
    say_content(model, [policy, parts, edges, size, facts.get("data"), code])


def learned_edges(policy: Mapping[str, Any]) -> List[str]:
    """Targets of a policy that a transfer network answers."""
    return [edge["target"] for edge in policy["edges"] if edge["sources"]]


def win_rates(policy: Mapping[str, Any], edges: str, networks: str) -> Dict[str, float]:
    """Target -> share of test samples on which the exported network, below `edges`, beats the
    target's own network of all labels, below `networks`; ties count half. Targets that only one of
    them answers are left out.
    """
    import numpy as np

    from models.taxonomy.tournament.tournament import wins_over

    rates = {}
    for edge in policy["edges"]:
        files = [
            os.path.join(folder, edge["target"], "test_losses.npy") for folder in (edges, networks)
        ]
        # a supervised target has no network below `edges`
        if all(map(os.path.exists, files)):
            exported, own = map(np.load, files)
            rates[edge["target"]] = float(wins_over(exported, own).mean())
    return rates
