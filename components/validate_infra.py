"""The gate before the push: a real server process on the candidate answers real records."""

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
    replays: Parameter[int],
    cold: Parameter[int],
    code: Parameter[str],
) -> None:
    """Writes the blessing and blessing.json, the verdict in words with its figures. records: number
    of test images that are replayed. replays: answers about them that are timed. cold: 1 if a
    server without warm-up records is measured, too.
    """
    from components.blessings import bless
    from models.examples import encoded_images
    from serving.release.blessing import save_blessing
    from serving.release.validate import validate

    verdict = validate(
        os.path.join(model.uri, "Format-Serving"),
        records=encoded_images(examples.uri, "test", records),
        replays=replays,
        cold=bool(cold),
    )
    bless(blessing, verdict.reasons)
    save_blessing(blessing.uri, verdict)
