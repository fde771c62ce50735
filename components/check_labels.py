"""ExampleValidator for labels: units, ranges, masks and missing codes of the contract, beside TFX's
own schema check.
"""

import json
import os

from tfx import v1 as tfx
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component


@component
def CheckLabels(
    examples: InputArtifact[tfx.types.standard_artifacts.Examples],
    anomalies: OutputArtifact[tfx.types.standard_artifacts.ExampleAnomalies],
    code: Parameter[str],
) -> None:
    """Writes contract_anomalies.json; anomalies stop the pipeline, since every later number would
    rest on them.
    """
    from components.content import say_content
    from models.examples.contract import check_contract

    found = [str(anomaly) for anomaly in check_contract(examples.uri)]
    os.makedirs(anomalies.uri, exist_ok=True)
    with open(os.path.join(anomalies.uri, "contract_anomalies.json"), "w") as file:
        json.dump(found, file, indent=1)
    if found:
        raise ValueError(
            f"{len(found)} labels break the contract, the first: {found[0]}. All: "
            f"{anomalies.uri}. Mend or remove these views and run again."
        )
    say_content(anomalies, found)
