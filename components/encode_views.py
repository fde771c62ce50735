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
    work: Parameter[str],
    code: Parameter[str],
) -> None:
    """names: JSON list of sources. networks: the shards of TrainTasks. work: the ledger, outside
    the artifact: one more source is encoded alone.
    """
    from components.content import say_content
    from components.ledger import gather, labelled, link, publish
    from models.examples.label_store import LabelStore
    from models.networks.config import NetworkConfig
    from models.networks.task_networks.representations import encode_views

    store = LabelStore(os.path.join(labels.uri, "store"))
    ledger = os.path.join(work, "representations")
    wanted = labelled(store, json.loads(names))
    with tempfile.TemporaryDirectory() as scratch:
        bank = gather([shard.uri for shard in networks], scratch)
        codes = encode_views(bank, store, ledger, wanted, NetworkConfig(**json.loads(config)))
    place = os.path.join(representations.uri, "store")
    publish(ledger, wanted, place)
    link(os.path.join(ledger, "representations.json"), os.path.join(place, "representations.json"))
    say_content(representations, {name: codes.address(name) for name in wanted})
