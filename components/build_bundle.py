"""The chosen policy's networks as one servable: every source encoder once, every target's head on it."""

import json
import os
import tempfile
from typing import List

from tfx import v1 as tfx
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import NetworkBank, TransferBank


@component
def BuildBundle(
    networks: InputArtifact[List[NetworkBank]],
    transfers: InputArtifact[TransferBank],
    model: OutputArtifact[tfx.types.standard_artifacts.Model],
    size: Parameter[int],
    lineage: Parameter[str],
    code: Parameter[str],
):
    """lineage: JSON that the server shows to whoever asks where an answer came from."""
    from components.ledger import gather
    from serving.bundle import build_bundle

    with open(os.path.join(transfers.uri, "policy.json")) as file:
        policy = json.load(file)
    with tempfile.TemporaryDirectory() as scratch:
        bank = gather([shard.uri for shard in networks], scratch)
        build_bundle(policy, bank, transfers.uri, os.path.join(model.uri, "Format-Serving"), lineage=json.loads(lineage), image_size=size)
