"""ExampleValidator for labels: units, ranges, masks and missing codes of the contract, beside TFX's
own schema check.
"""

import os
import sys

import apache_beam as beam
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts

FILE = "contract_anomalies.json"


@component(use_beam=True)
def CheckLabels(
    examples: InputArtifact[standard_artifacts.Examples],
    anomalies: OutputArtifact[standard_artifacts.ExampleAnomalies],
    work: Parameter[str],
    code: Parameter[str],
    skip_damaged: Parameter[int] = 0,
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Holds every record against the contract and writes contract_anomalies.json. Anomalies stop
    the pipeline, since every later number would rest on them: ValueError, and the same file in
    `work`. Records are read by a Beam job if its runner has workers, which must see `work`.
    skip_damaged: 1 to go on where records cannot be read (DecodeLabels leaves their views out).
    """
    from beam_jobs.views.check import check_by_beam
    from beam_jobs.views.runner import spreads
    from components.content import say_content
    from models.examples.check import check_examples
    from models.provenance.atomic import write_json

    if spreads(beam_pipeline):
        found = check_by_beam(beam_pipeline, examples.uri, work)
    else:
        found = check_examples(examples.uri)
    # of use to a run that goes on: TFX removes the artifacts of a node that failed
    write_json(os.path.join(anomalies.uri, FILE), found.all_lines(), indent=1)
    # of use to a run that ends here: the work folder stays
    kept = os.path.join(work, FILE)
    if found.lines or (found.damaged and not skip_damaged):
        write_json(kept, found.all_lines(), indent=1)
    elif os.path.exists(kept):
        os.remove(kept)
    if found.lines:
        count = len(found.lines) + found.more
        raise ValueError(
            f"{count} labels of {found.views} views break the contract, the first: "
            f"{found.lines[0]}. All: {kept}. Mend or remove these views and run again."
        )
    if found.damaged and not skip_damaged:
        raise ValueError(
            f"{len(found.damaged)} shards are damaged, {found.lost} views lost, the first: "
            f"{found.damaged[0]}. All: {kept}. Or go on with the {found.views} views that "
            "are left: --set skip_damaged=true."
        )
    print(f"  {found.views} views checked, {found.lost} lost", file=sys.stderr, flush=True)
    # without the code: the same labels with the same words mean the same to what follows
    say_content(anomalies, found.all_lines())
