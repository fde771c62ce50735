"""python -m tfx_pipeline.cluster.pod: TFX's entry point in a pod of Kubeflow Pipelines.

Kubeflow's launcher brings input artifacts from the object store to folders of the pod (gs:// to
/gcs, s3:// to /s3, minio:// to /minio) and takes outputs from there; TFX hands components the
store's addresses. Our components read and write folders, so here addresses become these folders
before a component runs, and addresses again in what the launcher is told. On Vertex AI the store is
mounted at /gcs, and the same holds.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from models.provenance.stores import ADDRESSES, local_path

# Where the launcher's folders are; another place in tests.
ROOT = "TASKONOMY_POD_ROOT"


class Pod:
    """TFX's two functions that read and tell artifacts' addresses, with folders in between."""

    def __init__(self, entry: Any, root: str) -> None:
        """entry: `kubeflow_v2_entrypoint_utils`."""
        self.root = root
        self.calls = 0
        self.parse = entry.parse_raw_artifact_dict
        self.translate = entry.translate_executor_output

    def parse_raw_artifact_dict(self, artifacts: Any, *names: Any) -> dict[str, list[Any]]:
        """Returns the artifacts by name, at the launcher's folders."""
        # TFX asks twice: first for the inputs, then for the outputs
        self.calls += 1
        by_name: dict[str, list[Any]] = self.parse(artifacts, *names)
        for artifact in all_artifacts(by_name):
            path = local_path(artifact.uri, self.root)
            # the way back, for what the launcher is told
            ADDRESSES[path] = artifact.uri
            if self.calls > 1:
                # components expect the folder of an output, as TFX's local runner makes it
                os.makedirs(path, exist_ok=True)
            artifact.uri = path
        return by_name

    def translate_executor_output(self, outputs: Mapping[str, list[Any]], *names: Any) -> Any:
        """Returns what the launcher is told, with the store's addresses."""
        for artifact in all_artifacts(outputs):
            # an address that was never a folder stays as it is
            artifact.uri = ADDRESSES.get(artifact.uri, artifact.uri)
        return self.translate(outputs, *names)


def all_artifacts(artifacts: Mapping[str, list[Any]]) -> list[Any]:
    """Returns the artifacts of all names in one list."""
    return [artifact for some in artifacts.values() for artifact in some]


def run(arguments: list[str], root: str) -> None:
    """Runs one step, with the words that TFX's entry point is given."""
    from tfx_pipeline import quiet

    quiet.before_imports()
    from tfx.orchestration.kubeflow.v2.container import (
        kubeflow_v2_entrypoint_utils,
        kubeflow_v2_run_executor,
    )

    # absl and TensorFlow reset levels when they are imported
    quiet.after_imports()
    pod = Pod(kubeflow_v2_entrypoint_utils, root)
    # modules' attributes: TFX's entry point calls them by module
    kubeflow_v2_entrypoint_utils.parse_raw_artifact_dict = pod.parse_raw_artifact_dict
    kubeflow_v2_entrypoint_utils.translate_executor_output = pod.translate_executor_output
    kubeflow_v2_run_executor.main(kubeflow_v2_run_executor._parse_flags(["pod", *arguments]))


def main(arguments: list[str]) -> int:
    """0, or 1 with the traceback and, as the log's last line, the reason."""
    from tfx_pipeline.faults import reason

    try:
        run(arguments, os.environ.get(ROOT, "/"))
    except Exception as error:
        # the whole trace for the log, and one line at its end
        traceback.print_exc()
        print(f"error: {reason(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
