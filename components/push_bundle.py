"""Pusher: a bundle that every gate let pass becomes the newest version in the folder that the model
server polls, atomically; its data become those that later ones are compared with.
"""

import os
from pathlib import Path

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts

from components.artifacts import GateVerdict


@component
def PushBundle(
    model: InputArtifact[standard_artifacts.Model],
    policy_blessing: InputArtifact[standard_artifacts.ModelBlessing],
    infra_blessing: InputArtifact[standard_artifacts.InfraBlessing],
    quality: InputArtifact[GateVerdict],
    data: InputArtifact[GateVerdict],
    pushed: OutputArtifact[standard_artifacts.PushedModel],
    destination: Parameter[str],
    accepted: Parameter[str],
    served: Parameter[str],
    code: Parameter[str],
) -> None:
    """Pushes a bundle that every gate blessed, unless it is the very one that is served or was
    withdrawn. TFX's own Pusher copies in place; this one renames a finished copy. accepted: folder
    for what the data gate found (`data`); served: address of the newest version, for TFX's cache.
    """
    from components.accepted import accept
    from components.verdicts import demand
    from serving.release.blessing import read_figures
    from serving.release.identity import (
        content_of,
        is_same_model,
        newest_version,
        withdrawn_versions,
    )
    from serving.release.push import push
    from serving.release.withdrawals import noted_versions

    os.makedirs(pushed.uri, exist_ok=True)
    # what ValidateInfra and EvaluateTaxonomy found is said here: gates before this node do not end
    # the run
    for name, blessing in (("policy", policy_blessing), ("server", infra_blessing)):
        if not os.path.exists(os.path.join(blessing.uri, "BLESSED")):
            with open(os.path.join(blessing.uri, "NOT_BLESSED")) as file:
                raise ValueError(f"not pushed, the {name} check refused the bundle: {file.read()}")
    demand(quality.uri, "not pushed, the served version stays")
    bundle, newest = Path(model.uri) / "Format-Serving", newest_version(destination)
    # withdrawn bundles, too: a rollback would be undone by the next run
    versions = [newest, *withdrawn_versions(destination)] if newest is not None else []
    twin = next((each for each in versions if is_same_model(bundle, each)), None)
    known_as = twin.name.strip(".") if twin is not None else None
    # those that `prune` removed, by what was noted of them
    removed_versions = noted_versions(destination)
    if known_as is None and removed_versions and content_of(bundle) in removed_versions:
        known_as = f"{removed_versions[content_of(bundle)]} (withdrawn, removed since)"
    if newest is not None and known_as is not None:
        # nothing to push: the artifact still says what serves
        version = newest
        print(f"  version {known_as} is this very bundle: not pushed again", flush=True)
    else:
        version = push(bundle, destination)
    # also where nothing was pushed: the data were judged good enough to serve from
    accept(data.uri, accepted, read_figures(infra_blessing.uri))
    # the property that TFX's own Pusher writes
    pushed.set_string_custom_property("pushed_destination", str(version))
