"""ExampleGen: a folder in the published layout becomes sharded tf.Examples, split by building."""

import json
import sys

import apache_beam as beam
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts


# gets the pipeline's Beam options: other components run without Beam
@component(use_beam=True)
def IngestViews(
    examples: OutputArtifact[standard_artifacts.Examples],
    root: Parameter[str],
    fingerprint: Parameter[str],
    size: Parameter[int],
    shards: Parameter[int],
    code: Parameter[str],
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Writes the examples of a data set. root: folder in the published layout, or a pattern of such
    folders with {SPAN} and perhaps {VERSION}, of which the newest is read.

    fingerprint: changes when the folder does, so that TFX's cache sees it. size: side of the
    training images.
    """
    from beam_jobs.ingest import spans
    from beam_jobs.ingest.finish import said_losses
    from beam_jobs.ingest.job import ingest
    from components.content import files_below, say_content

    span = spans.newest(root) if spans.PLACEHOLDER.search(root) else None
    facts = span.facts() if span else {}
    counts = ingest(
        span.root if span else root,
        examples.uri,
        size=size,
        shards=shards,
        pipeline=beam_pipeline,
        facts=facts,
    )
    for line in said_losses(examples.uri, counts):
        print(f"  {line}", file=sys.stderr, flush=True)
    for name, number in facts.items():
        # as text: TFX's own ExampleGen writes spans so
        examples.set_string_custom_property(name, str(number))
    # JSON text, as TFX's Examples hold it
    examples.split_names = json.dumps(["train", "val", "test"])
    examples.set_string_custom_property("counts", json.dumps(counts))
    examples.set_string_custom_property("fingerprint", fingerprint)
    # manifest and counts: the records themselves are in the manifest
    say_content(examples, files_below(examples.uri))
