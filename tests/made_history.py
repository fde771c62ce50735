"""Run folders as TFX's local runner leaves them, made up: metadata in SQLite, artifacts as folders
with the files that the history reads, without a pipeline.
"""

import datetime
import json
from pathlib import Path

import ml_metadata
from ml_metadata.proto import metadata_store_pb2 as pb

from tfx_pipeline.history.metadata import METADATA

# Node, its output, what its inputs are.
NODES = (
    ("ExampleGen", "examples", ()),
    ("DecodeLabels", "labels", ("ExampleGen/examples",)),
    ("TrainTasks", "networks", ("DecodeLabels/labels",)),
    ("TrainTransfers", "losses", ("DecodeLabels/labels", "TrainTasks/networks")),
    ("EvaluateTaxonomy", "evidence", ("TrainTransfers/losses",)),
    ("TrainPolicy", "transfers", ("TrainTransfers/losses",)),
    ("BuildBundle", "model", ("TrainPolicy/transfers", "DecodeLabels/labels")),
    ("Pusher", "pushed", ("BuildBundle/model",)),
)
TYPES = {"pushed": "PushedModel", "model": "Model"}
STATES = {
    "ran": pb.Execution.COMPLETE,
    "cached": pb.Execution.CACHED,
    "failed": pb.Execution.FAILED,
    "running": pb.Execution.RUNNING,
}


class MadeRuns:
    """`.add()` is one run of the pipeline; an unknown node's output is a folder with one file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        config = pb.ConnectionConfig()
        config.sqlite.filename_uri = str(folder / METADATA)
        config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        self.store = ml_metadata.MetadataStore(config)
        kinds = (
            (pb.ContextType, self.store.put_context_type, ("pipeline_run", "node")),
            (pb.ExecutionType, self.store.put_execution_type, ("component",)),
            (pb.ArtifactType, self.store.put_artifact_type, ("PushedModel", "Model", "Artifact")),
        )
        self.kinds = {name: put(make(name=name)) for make, put, names in kinds for name in names}
        self.latest: dict[str, int] = {}
        self.versions: dict[str, int] = {}

    def context(self, kind: str, name: str) -> int:
        found = self.store.get_context_by_type_and_name(kind, name)
        if found is not None:
            return found.id
        return self.store.put_contexts([pb.Context(type_id=self.kinds[kind], name=name)])[0]

    def add(
        self,
        *,
        version: int | None = None,
        cached: tuple[str, ...] = (),
        until: str = "Pusher",
        ends: str = "ran",
        files: dict[str, dict[str, object]] | None = None,
    ) -> None:
        """version: that the Pusher makes. cached: nodes that take what they made last. until: the
        last node, which ends as `ends`. files: NODE/OUTPUT -> {file: JSON}.
        """
        began = datetime.datetime.now().isoformat()  # as the local runner names its runs
        run = self.context("pipeline_run", began)
        for node, output, inputs in NODES:
            state = ends if node == until else "cached" if node in cached else "ran"
            self.execute(run, node, output, inputs, state, version, files or {})
            if node == until:
                return

    def execute(self, run, node, output, inputs, state, version, files, **told) -> None:
        """told: parameters of the node beside its code."""
        place = f"{node}/{output}"
        execution = pb.Execution(type_id=self.kinds["component"], last_known_state=STATES[state])
        for name, value in {"code": f"code of {node}", **told}.items():
            execution.custom_properties[name].string_value = value
        events = [
            (
                self.store.get_artifacts_by_id([self.latest[name]])[0],
                self.event(name, pb.Event.INPUT),
            )
            for name in inputs
        ]
        if state == "cached":
            artifact = self.store.get_artifacts_by_id([self.latest[place]])[0]
            events.append((artifact, self.event(place, pb.Event.OUTPUT)))
        elif state == "ran":
            folder = self.folder / "artifacts" / node / output / str(self.next_number())
            folder.mkdir(parents=True)
            for name, value in files.get(place, {"made.json": node}).items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(json.dumps(value))
            kind = TYPES.get(output, "Artifact")
            artifact = pb.Artifact(type_id=self.kinds[kind], uri=str(folder))
            if node == "Pusher":
                served = self.folder / "serving" / "taxonomy" / str(version)
                served.mkdir(parents=True)
                artifact.custom_properties["pushed_destination"].string_value = str(served)
            events.append((artifact, self.event(place, pb.Event.OUTPUT)))
        contexts = self.store.get_contexts_by_id([run, self.context("node", f"taskonomy.{node}")])
        _, artifacts, _ = self.store.put_execution(execution, events, contexts)
        if state == "ran":
            self.latest[place] = artifacts[-1]

    def next_number(self) -> int:
        return len(self.store.get_executions()) + 1

    def event(self, place: str, kind: int) -> pb.Event:
        step = pb.Event.Path.Step(key=place.partition("/")[2])
        return pb.Event(type=kind, path=pb.Event.Path(steps=[step]))
