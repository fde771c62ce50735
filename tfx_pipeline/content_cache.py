"""TFX's cache, by what artifacts hold instead of by their number.

TFX takes a node's result from an earlier run if its parameters and inputs are the same, and inputs
are the same to it if they are the same entry of its metadata. A node that ran again, to the same
end, would thus have everything after it run again: an edited comment in a component would cost a
bundle. Our components say what their outputs hold (`components.content`); inputs that say so are
compared by that alone. Other artifacts are compared as before. Where data lie is no part of what a
node does: `root` is left out of its parameters, the fingerprint of what lies there is among them.
Nor is where the run lies: one that was moved or copied is finished where it was.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tfx.orchestration.portable import cache_utils

from components.content import CONTENT
from tfx_pipeline.relocation import parameters_without_place, without_run_place

# What an artifact is told by in place of its number, place and times.
KEPT = (CONTENT,)
# Parameters that say where something is; another parameter says what.
PLACES = ("root",)


@contextlib.contextmanager
def compare_by_content(run: Path) -> Iterator[None]:
    """Context in which TFX's local runner compares artifacts by their content, and no places below
    `run`.
    """
    run = run.absolute()
    # TFX has no way to say what counts: its function is replaced inside this context, and put back
    original = cache_utils.get_cache_context

    def by_content(
        *arguments: Any,
        input_artifacts: Mapping[str, Sequence[Any]] | None = None,
        parameters: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Any:
        plain = {
            key: [stand_in(artifact, run) for artifact in artifacts]
            for key, artifacts in (input_artifacts or {}).items()
        }
        # the place of data is left out: their fingerprint is another parameter
        values = {key: value for key, value in (parameters or {}).items() if key not in PLACES}
        return original(
            *arguments,
            input_artifacts=plain,
            parameters=parameters_without_place(values, run),
            **more,
        )

    cache_utils.get_cache_context = by_content
    try:
        yield
    finally:
        cache_utils.get_cache_context = original


def stand_in(artifact: Any, run: Path) -> Any:
    """Returns a copy of the artifact with nothing but its type and content; of one that does not
    say its content, a copy without the run's place.
    """
    # TFX goes on to use the artifact itself
    plain = copy.deepcopy(artifact)
    entry = plain.mlmd_artifact
    # TFX's own artifacts say nothing of their content: they are compared by number, as before
    if not artifact.get_string_custom_property(CONTENT):
        entry.uri = without_run_place(entry.uri, run)
        return plain
    # properties of ours that differ from run to run (places, counts)
    for name in [name for name in entry.custom_properties if name not in KEPT]:
        del entry.custom_properties[name]
    # what names this one artifact among others that hold the same
    for field in ("id", "name", "uri", "external_id", "create_time_since_epoch"):
        entry.ClearField(field)
    entry.ClearField("last_update_time_since_epoch")
    # typed properties: splits and the like follow from the content
    entry.ClearField("properties")
    entry.ClearField("state")
    return plain
