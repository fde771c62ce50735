"""Every frozen encoder once over every view that transfers see: they never touch pixels."""

import functools
import json
import os
import tempfile
from typing import List

import apache_beam as beam
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import LabelBank, NetworkBank, RepresentationBank


@component(use_beam=True)
def EncodeViews(
    labels: InputArtifact[LabelBank],
    networks: InputArtifact[List[NetworkBank]],
    representations: OutputArtifact[RepresentationBank],
    names: Parameter[str],
    outside: Parameter[str],
    config: Parameter[str],
    work: Parameter[str],
    code: Parameter[str],
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Writes the representation store. names: JSON list of sources. networks: the shards of
    TrainTasks. outside: JSON list of sources from outside
    (`models.networks.sources.description.outside_sources`). work: the ledger, outside the artifact:
    one more source is encoded alone. A Beam job encodes the tasks' sources if its runner has
    workers; they read labels and networks from `work`, which they see.
    """
    from beam_jobs.views.encode import encode_by_beam
    from beam_jobs.views.runner import spreads
    from components.content import say_content
    from components.ledger import gather, link, publish, trainable
    from models.examples.label_store import LabelStore
    from models.networks.config import NetworkConfig
    from models.networks.sources.encode import encode_outside
    from models.networks.task_networks.representations import encode_views

    # sources of which this data set has no labels have no network either
    store = LabelStore(os.path.join(labels.uri, "store"))
    # outside the artifact: one more source is encoded alone, and a killed run goes on
    ledger = os.path.join(work, "representations")
    source_names = trainable(store, json.loads(names))
    with tempfile.TemporaryDirectory() as scratch:
        bank = gather([shard.uri for shard in networks], scratch)
        settings = NetworkConfig(**json.loads(config))
        by_beam = functools.partial(encode_by_beam, beam_pipeline, store, work)
        codes = encode_views(
            bank,
            store,
            ledger,
            source_names,
            settings,
            writing=by_beam if spreads(beam_pipeline) else None,
        )
    # after the trained ones: they are written into the same store
    rows = json.loads(outside)
    if rows:
        codes = encode_outside(rows, codes, store, settings)
        source_names += [row["name"] for row in rows]
    place = os.path.join(representations.uri, "store")
    publish(ledger, source_names, place)
    link(os.path.join(ledger, "representations.json"), os.path.join(place, "representations.json"))
    # addresses of representations: codes of the same address may differ in their last bits
    say_content(representations, {name: codes.address(name) for name in source_names})
