"""Pusher: a blessed bundle becomes the newest version in the folder that the model server polls,
atomically.
"""

import os

from tfx import v1 as tfx
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component


@component
def PushBundle(
    model: InputArtifact[tfx.types.standard_artifacts.Model],
    policy_blessing: InputArtifact[tfx.types.standard_artifacts.ModelBlessing],
    infra_blessing: InputArtifact[tfx.types.standard_artifacts.InfraBlessing],
    pushed: OutputArtifact[tfx.types.standard_artifacts.PushedModel],
    destination: Parameter[str],
    code: Parameter[str],
) -> None:
    """TFX's own Pusher copies in place under a version of whole seconds; this one renames a
    finished copy. Nothing unblessed is pushed.
    """
    from serving.release.push import push

    os.makedirs(pushed.uri, exist_ok=True)
    for name, blessing in (("policy", policy_blessing), ("server", infra_blessing)):
        if not os.path.exists(os.path.join(blessing.uri, "BLESSED")):
            with open(os.path.join(blessing.uri, "NOT_BLESSED")) as file:
                raise ValueError(f"not pushed, the {name} check refused the bundle: {file.read()}")
    version = push(os.path.join(model.uri, "Format-Serving"), destination)
    pushed.set_string_custom_property("pushed_destination", str(version))
