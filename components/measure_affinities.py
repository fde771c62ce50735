"""Per-image losses -> tournament -> AHP -> affinity table."""

import os
from typing import List

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import AffinityTable, LossBank


@component
def MeasureAffinities(losses: InputArtifact[List[LossBank]], affinities: OutputArtifact[AffinityTable], code: Parameter[str]):
    """losses: the shards of TrainTransfers, each holding some targets."""
    from models.taxonomy import LossStore, measure

    os.makedirs(affinities.uri, exist_ok=True)
    table = measure([LossStore(os.path.join(shard.uri, "losses")) for shard in losses])
    table.save(os.path.join(affinities.uri, "affinities.json"))
