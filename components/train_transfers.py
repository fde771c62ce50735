"""All transfers and controls into the targets of one shard, measured as losses of every test image."""

import json
import os
import tempfile
from typing import List

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import LabelBank, LossBank, NetworkBank, RepresentationBank


@component
def TrainTransfers(
    labels: InputArtifact[LabelBank],
    networks: InputArtifact[List[NetworkBank]],
    representations: InputArtifact[RepresentationBank],
    losses: OutputArtifact[LossBank],
    targets: Parameter[str],
    config: Parameter[str],
    work: Parameter[str],
    code: Parameter[str],
):
    """targets: JSON list. work: the ledger of finished targets, outside the artifact."""
    from components.ledger import gather
    from models.examples.label_store import LabelStore
    from models.networks import NetworkConfig, RepresentationStore, measure_transfers
    from models.taxonomy import LossStore, Transfer

    store = LossStore(os.path.join(losses.uri, "losses"))

    def record(transfer, images, values):
        """transfer: {sources, target, regime, control}; images: names of the test samples; values: float [image]."""
        store.set_images(transfer["target"], images)
        store.append(Transfer(**{**transfer, "sources": tuple(transfer["sources"])}), values)

    with tempfile.TemporaryDirectory() as scratch:
        bank = gather([shard.uri for shard in networks], scratch)
        summary = measure_transfers(
            LabelStore(os.path.join(labels.uri, "store")),
            RepresentationStore(os.path.join(representations.uri, "store")),
            bank,
            os.path.join(work, "transfers"),
            NetworkConfig(**json.loads(config)),
            record=record,
            targets=json.loads(targets),
        )
    with open(os.path.join(losses.uri, "calibration.json"), "w") as file:
        json.dump(summary, file, indent=1)
