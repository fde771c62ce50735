"""What ML metadata knows of the runs of a folder: nodes, what they took in and made, their times.

Read without TFX, from the SQLite file of the local runner.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

METADATA = "metadata.sqlite"
RAN, CACHED, DAMAGED = "ran", "cached", "failed"
# A node that found the metadata in order: its outputs are there.
DONE = (RAN, CACHED)


@dataclass(frozen=True)
class Execution:
    """A node in a run. state: ran, cached, failed or running (killed, for a run that has ended);
    inputs, outputs: name -> folders; parameters: as the component was told them; seconds: it took.
    """

    number: int
    node: str
    state: str
    seconds: float
    parameters: dict[str, Any]
    inputs: dict[str, list[str]]
    outputs: dict[str, list[str]]


@dataclass(frozen=True)
class RunGraph:
    """One run of the pipeline: when it began (as TFX says it), its nodes in order; pushed: the
    folder of the served version, of a run that reached the Pusher.
    """

    name: str
    executions: tuple[Execution, ...]
    pushed: str | None

    @property
    def artifacts(self) -> dict[str, str]:
        """NODE/OUTPUT -> folder, of the nodes that are done."""
        return {
            # one folder: our components make one artifact an output
            f"{each.node}/{name}": folders[0]
            for each in self.executions
            if each.state in DONE
            for name, folders in each.outputs.items()
            if folders
        }


def run_graphs(run: Path) -> list[RunGraph]:
    """Returns the graphs of all runs, oldest first; [] where nothing ran yet."""
    store = open_metadata(run)
    if store is None:
        return []
    pushed = {
        artifact.uri: artifact.custom_properties["pushed_destination"].string_value
        for artifact in artifacts_of(store, "PushedModel")
    }
    nodes = nodes_of(store)
    graphs = []
    for context in sorted(store.get_contexts_by_type("pipeline_run"), key=lambda each: each.id):
        executions = executions_of(store, context, nodes)
        destinations = [
            pushed[folder]
            for each in executions
            for folders in each.outputs.values()
            # the artifact of a run that was cached is that of the run that made it
            for folder in folders
            if folder in pushed and each.state in DONE
        ]
        graphs.append(RunGraph(context.name, tuple(executions), (destinations or [None])[-1]))
    return graphs


def count_runs(run: Path) -> int:
    """Returns how many runs the metadata know of."""
    store = open_metadata(run)
    return len(store.get_contexts_by_type("pipeline_run")) if store is not None else 0


def open_metadata(run: Path) -> Any:
    """Returns the metadata, opened for reading; None where there are none, or a run was killed
    while it made the tables (the next one makes them).
    """
    if not (run / METADATA).exists():
        return None
    import ml_metadata
    from ml_metadata.proto import metadata_store_pb2

    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(run / METADATA)
    # read only: a history must not hold up a run that writes
    config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READONLY
    try:
        return ml_metadata.MetadataStore(config)
    # tables half made: the next run makes them
    except RuntimeError:
        return None


def artifacts_of(store: Any, kind: str) -> list[Any]:
    """Returns the artifacts of a type; [] where the type is not known yet."""
    kinds = {each.name for each in store.get_artifact_types()}
    return list(store.get_artifacts_by_type(kind)) if kind in kinds else []


def executions_of(store: Any, context: Any, nodes: dict[int, str]) -> list[Execution]:
    """Returns the executions of a run, in order. nodes: execution -> its node."""
    from ml_metadata.proto import metadata_store_pb2

    states = {
        metadata_store_pb2.Execution.COMPLETE: RAN,
        metadata_store_pb2.Execution.CACHED: CACHED,
        metadata_store_pb2.Execution.RUNNING: "running",
    }
    outward = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)
    executions = sorted(store.get_executions_by_context(context.id), key=lambda each: each.id)
    numbers = [each.id for each in executions]
    events = store.get_events_by_execution_ids(numbers) if numbers else []
    artifact_ids = sorted({event.artifact_id for event in events})
    uris = (
        {each.id: each.uri for each in store.get_artifacts_by_id(artifact_ids)}
        if artifact_ids
        else {}
    )
    inputs: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    # one question for all events, and one for all artifacts
    outputs: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for event in events:
        side = outputs if event.type in outward else inputs
        name = event.path.steps[0].key if event.path.steps else ""
        # artifacts may have been removed from the metadata
        if event.artifact_id in uris:
            side[event.execution_id][name].append(uris[event.artifact_id])
    return [
        Execution(
            number=each.id,
            node=nodes.get(each.id, f"execution {each.id}"),
            state=states.get(each.last_known_state, DAMAGED),
            # milliseconds
            seconds=(each.last_update_time_since_epoch - each.create_time_since_epoch) / 1000,
            parameters=parameters_of(each),
            inputs={name: list(folders) for name, folders in inputs[each.id].items()},
            outputs={name: list(folders) for name, folders in outputs[each.id].items()},
        )
        for each in executions
    ]


def nodes_of(store: Any) -> dict[int, str]:
    """Returns execution -> its node's id; TFX calls a node's context PIPELINE.NODE."""
    return {
        execution.id: context.name.partition(".")[2]
        for context in store.get_contexts_by_type("node")
        for execution in store.get_executions_by_context(context.id)
    }


def parameters_of(execution: Any) -> dict[str, Any]:
    """Returns the numbers and texts that the component was given, by name."""
    kinds = ("string_value", "int_value", "double_value")
    return {
        name: getattr(value, kind)
        for name, value in execution.custom_properties.items()
        # TFX's own properties begin with two underscores
        if not name.startswith("__") and (kind := value.WhichOneof("value")) in kinds
    }
