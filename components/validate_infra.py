"""The gate before the push: a real server process on the candidate answers real records."""

import json
import os

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts


@component
def ValidateInfra(
    model: InputArtifact[standard_artifacts.Model],
    examples: InputArtifact[standard_artifacts.Examples],
    blessing: OutputArtifact[standard_artifacts.InfraBlessing],
    records: Parameter[int],
    code: Parameter[str],
) -> None:
    """records: how many test images are replayed. The verdict in words stands in blessing.json."""
    from components.evaluate_taxonomy import bless
    from models.examples import encoded_images
    from serving.release.validate import validate

    verdict = validate(
        os.path.join(model.uri, "Format-Serving"),
        records=encoded_images(examples.uri, "test", records),
    )
    bless(blessing, [] if verdict.ok else list(verdict.reasons))
    with open(os.path.join(blessing.uri, "blessing.json"), "w") as file:
        json.dump(
            {"ok": verdict.ok, "reasons": list(verdict.reasons), "figures": verdict.figures},
            file,
            indent=1,
        )
