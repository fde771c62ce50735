"""Training targets that all networks and transfers share, decoded once where they fit."""

import functools
import json
import os

import apache_beam as beam
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts

from components.artifacts import LabelBank


@component(use_beam=True)
def DecodeLabels(
    examples: InputArtifact[standard_artifacts.Examples],
    anomalies: InputArtifact[standard_artifacts.ExampleAnomalies],
    labels: OutputArtifact[LabelBank],
    seed: Parameter[int],
    max_samples: Parameter[int],
    tasks: Parameter[str],
    work: Parameter[str],
    cache_bytes: Parameter[int],
    code: Parameter[str],
    skip_damaged: Parameter[int] = 0,
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Writes the label store. max_samples: most samples of a task and split (pairs and triplets are
    many). tasks: JSON list of names. cache_bytes: most bytes that a task's decoded labels, or the
    images, take; what would take more is made of the records when it is used. work: the ledger,
    outside the artifact: one more task decodes its own labels alone. skip_damaged: 1 if views whose
    records cannot be read are to be left out. A Beam job makes the labels if its runner has
    workers.
    """
    from beam_jobs.views.decode import decode_by_beam
    from beam_jobs.views.runner import spreads
    from components.content import say_content
    from components.ledger import publish
    from models.examples.label_store import IMAGES, build_label_store
    from models.tasks import TASKS

    # tasks without training (random weights) have no labels
    names = [name for name in json.loads(tasks) if TASKS[name].trained]
    # outside the artifact: TFX deletes what a failed execution had written
    ledger = os.path.join(work, "labels")
    store = build_label_store(
        examples.uri,
        ledger,
        seed=seed,
        max_samples=max_samples,
        cache_bytes=cache_bytes,
        skip_damaged=bool(skip_damaged),
        tasks={name: TASKS[name] for name in names},
        writing=functools.partial(decode_by_beam, beam_pipeline)
        if spreads(beam_pipeline)
        else None,
    )
    # links: a label is on the disk once
    publish(ledger, [IMAGES, *names], os.path.join(labels.uri, "store"))
    # the store's addresses: what follows depends on content, not on which files were decoded now
    say_content(labels, [store.views_address, {name: store.address(name) for name in names}])
