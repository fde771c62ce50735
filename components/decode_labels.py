"""Every label decoded once into training targets that all networks and transfers share."""

import os

from tfx import v1 as tfx
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import LabelBank


@component
def DecodeLabels(
    examples: InputArtifact[tfx.types.standard_artifacts.Examples],
    anomalies: InputArtifact[tfx.types.standard_artifacts.ExampleAnomalies],
    labels: OutputArtifact[LabelBank],
    seed: Parameter[int],
    max_samples: Parameter[int],
    code: Parameter[str],
):
    """max_samples: most samples of a task and split (pairs and triplets are many)."""
    from models.examples.label_store import build_label_store

    store = build_label_store(
        examples.uri, os.path.join(labels.uri, "store"), seed=seed, max_samples=max_samples
    )
    labels.set_string_custom_property("hash", store.hash)
