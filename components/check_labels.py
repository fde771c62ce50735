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
        findings = check_by_beam(beam_pipeline, examples.uri, work)
    else:
        findings = check_examples(examples.uri)
    # of use to a run that goes on: TFX removes the artifacts of a node that failed
    write_json(os.path.join(anomalies.uri, FILE), findings.all_lines(), indent=1)
    # of use to a run that ends here: the work folder stays
    copy = os.path.join(work, FILE)
    if findings.lines or (findings.damaged and not skip_damaged):
        write_json(copy, findings.all_lines(), indent=1)
    elif os.path.exists(copy):
        os.remove(copy)
    if findings.lines:
        count = len(findings.lines) + findings.more
        raise ValueError(
            f"{count} labels of {findings.views} views break the contract, the first: "
            f"{findings.lines[0]}. All: {copy}. Mend or remove these views and run again."
        )
    if findings.damaged and not skip_damaged:
        raise ValueError(
            f"{len(findings.damaged)} shards are damaged, {findings.lost} views lost, the first: "
            f"{findings.damaged[0]}. All: {copy}. Or go on with the {findings.views} views that "
            "are left: --set skip_damaged=true."
        )
    print(f"  {findings.views} views checked, {findings.lost} lost", file=sys.stderr, flush=True)
    # without the code: the same labels with the same words mean the same to what follows
    say_content(anomalies, findings.all_lines())
