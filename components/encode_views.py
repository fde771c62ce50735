"""Every frozen encoder once over every view that transfers see: they never touch pixels."""

import json
import os
import tempfile
from typing import List

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import LabelBank, NetworkBank, RepresentationBank


@component
def EncodeViews(
    labels: InputArtifact[LabelBank],
    networks: InputArtifact[List[NetworkBank]],
    representations: OutputArtifact[RepresentationBank],
    names: Parameter[str],
    config: Parameter[str],
    code: Parameter[str],
):
    """names: JSON list of sources. networks: the shards of TrainTasks."""
    from components.ledger import gather, labelled
    from models.examples.label_store import LabelStore
    from models.networks.config import NetworkConfig
    from models.networks.task_networks.representations import encode_views

    store = LabelStore(os.path.join(labels.uri, "store"))
    with tempfile.TemporaryDirectory() as scratch:
        bank = gather([shard.uri for shard in networks], scratch)
        encode_views(
            bank,
            store,
            os.path.join(representations.uri, "store"),
            labelled(store, json.loads(names)),
            NetworkConfig(**json.loads(config)),
        )
