"""Artifacts are what they were when their node finished, or the node runs again.

TFX takes a cached node's outputs as they lie there. Here every output gets a seal when its node is
done (files with SHA-256, in `RUN/seals`, since some of TFX's artifacts may hold one file alone),
and outputs of an earlier run are held against it before they are used again. A damaged artifact is
set aside; its node makes it anew, from the ledger where that is whole. Artifacts outside the run
are another run's: nothing is taken from there, and nothing touched.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tfx.orchestration.portable import cache_utils
from tfx.orchestration.portable.launcher import Launcher

from models.provenance.atomic import write_json
from models.provenance.seals import DAMAGED, damage_of, seal_of, set_aside

# TFX's form of outputs: name -> artifacts.
Outputs = Mapping[str, Sequence[Any]]


@contextlib.contextmanager
def seal_artifacts(run: Path) -> Iterator[None]:
    """Context in which TFX's local runner seals what nodes make, and checks what it reuses."""
    # TFX has no hook for either moment: its functions are replaced inside this context, and put
    # back
    publish, cached = Launcher._publish_successful_execution, cache_utils.get_cached_outputs

    def publish_sealed(
        self: Any, execution_id: int, contexts: Any, output_dict: Outputs, executor_output: Any
    ) -> None:
        # before it is published: a seal is there as soon as anybody may reuse the outputs
        for artifact in local_artifacts(output_dict):
            write_seal(run, Path(artifact.uri))
        publish(self, execution_id, contexts, output_dict, executor_output)

    def cached_whole(metadata_handle: Any, cache_context: Any) -> Any:
        # each round sets aside what is damaged, and TFX passes over artifacts that are not there:
        # the loop ends
        while True:  # an older execution may have left the same
            outputs = cached(metadata_handle, cache_context)
            if outputs is None:
                return None
            places = [Path(artifact.uri) for artifact in local_artifacts(outputs)]
            if not all(is_own(run, place) for place in places):
                return None
            # All are looked at, so that all that are damaged are named.
            damaged = [place for place in places if not is_whole(run, place)]
            if not damaged:
                return outputs

    Launcher._publish_successful_execution = publish_sealed
    cache_utils.get_cached_outputs = cached_whole
    # also after an error: whoever runs a pipeline next finds TFX as it was
    try:
        yield
    finally:
        Launcher._publish_successful_execution = publish
        cache_utils.get_cached_outputs = cached


def local_artifacts(outputs: Outputs) -> Iterable[Any]:
    """Returns the artifacts that are folders of this machine."""
    all_artifacts = [artifact for artifacts in outputs.values() for artifact in artifacts]
    # Kubeflow's are addresses of a store
    return [artifact for artifact in all_artifacts if Path(artifact.uri).is_dir()]


def is_own(run: Path, artifact: Path) -> bool:
    """Does an artifact lie below the run?"""
    # without `..`, and whatever links lead to the run
    return Path(os.path.realpath(artifact)).is_relative_to(os.path.realpath(run))


def seal_path(run: Path, artifact: Path) -> Path:
    """Returns where the seal of an artifact lies: `RUN/seals/NODE/OUTPUT/NUMBER.json`."""
    # the last three parts: NODE/OUTPUT/NUMBER, wherever the run folder lies
    return run.joinpath("seals", *artifact.parts[-3:-1], f"{artifact.name}.json")


def write_seal(run: Path, artifact: Path) -> None:
    """Writes the seal of all that an artifact holds now."""
    write_json(seal_path(run, artifact), seal_of(artifact))


def is_whole(run: Path, artifact: Path) -> bool:
    """Is an artifact what it was when it was made? A damaged one is set aside and said; one without
    a seal (of an earlier version) gets one.
    """
    try:
        seal = json.loads(seal_path(run, artifact).read_text())
        faults = damage_of(artifact, seal)
    # from before there were seals: what lies there counts as whole
    except FileNotFoundError:
        write_seal(run, artifact)
        return True
    except ValueError as error:
        faults = [f"its seal cannot be read ({error})"]
    if faults:
        set_aside(artifact, "; ".join(faults), into=run / DAMAGED)
        # its number may be used again by the next execution
        seal_path(run, artifact).unlink()
    return not faults
