"""The task networks behind the version that serves: what a warm start begins from."""

from __future__ import annotations

import re
from pathlib import Path

from tfx_pipeline.history.account import Artifacts
from tfx_pipeline.history.recorder import newest_version
from tfx_pipeline.history.trace import graph_of

NETWORKS = re.compile(r"TrainTasks(-\d+)?/networks")


def blessed_networks(run: Path) -> dict[str, str]:
    """Returns task -> folder of its network, as the run that pushed the served version made it; {}
    where nothing serves, or its artifacts are gone.
    """
    version = newest_version(run)
    # the run that pushed what serves: a later one may have trained others
    graph = graph_of(run, version) if version is not None else None
    artifacts: Artifacts = graph.artifacts if graph else {}
    return {
        path.parent.name: str(path.parent)
        for name, folder in artifacts.items()
        if NETWORKS.fullmatch(name)
        for path in sorted(Path(folder).glob("*/network.json"))
    }
