"""The same graph as a file for Kubeflow Pipelines (.yaml) or Vertex AI (.json).

Nothing is cached there: both compare inputs of a step by their names or numbers, never by what they
hold, so that Kubeflow would take changed data for known ones, and Vertex AI known data for changed
ones. What need not be made again is decided by the ledgers below `work`, by derived addresses that
start at the manifest of the examples.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from models.provenance.atomic import write_text
from models.provenance.stores import STORES
from tfx_pipeline.cluster.resources import Table, defaults, read_resources, resources_of, stage_of
from tfx_pipeline.config import Config, ConfigError

ENTRY = ("python", "-m", "tfx_pipeline.cluster.pod")
# Waits between tries: half a minute, a minute, two ... an hour at most.
BACKOFF = {"backoffDuration": "30s", "backoffFactor": 2.0, "backoffMaxDuration": "3600s"}

# Inputs of the pipeline -> (step, its parameter) that are given them.
INPUTS = {
    "data": (("ExampleGen", "root"), ("WriteReport", "root")),
    "force": (("CheckData", "force"), ("CheckQuality", "force")),
}
DESCRIBED = {
    "data": "folder in the published layout, or a pattern of such with {SPAN}",
    "force": "why gates that refuse are passed all the same; empty: they are not",
}
# Kubernetes' names (RFC 1123, subdomains).
NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LONGEST_NAME = 253


def compile_pipeline(
    config: Config,
    *,
    data: str,
    root: str,
    image: str,
    out: Path,
    work: str = "/work",
    volume: str = "taskonomy",
    resources: Path | None = None,
    retries: int = 2,
    beam: Iterable[str] = (),
    force: str = "",
) -> Path:
    """Writes the pipeline to `out` and returns that path: .yaml with the volume as a second
    document (Kubernetes), .json as Vertex AI's job.

    data: an object store, or a folder on the volume. root: object store of the artifacts. image:
    container image of every step. work: where each step sees the shared volume, on which ledgers
    and served versions lie. volume: the volume's claim. resources: a file in place of defaults.
    retries: how often a step that failed is tried again. force: why gates that refuse are passed
    all the same. `data` and `force` are inputs of the file, so that a run can be given others
    (`INPUTS`). Raises ConfigError.
    """
    # before TFX is imported, which takes ten seconds
    check_places(data, root, work, out)
    check_claim(volume)
    if not image.strip():
        raise ConfigError(f"--image is the container image of every step, got {image!r}")
    if retries < 0:
        raise ConfigError(f"--retries is a number of at least 0, got {retries}")
    if resources and not resources.is_file():
        raise ConfigError(f"--resources: no file {resources}; see docs/OPERATIONS.md for its form")
    from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as runner

    from tfx_pipeline import quiet
    from tfx_pipeline.pipeline import make_pipeline

    quiet.after_imports()
    # Beam's remote workers run in the steps' image; TFX would else pack itself anew in each step
    options = [f"--sdk_container_image={image}", *beam]
    # a cluster's data cannot be read from here: ingest always reads them
    pipeline = make_pipeline(
        config, data=data, run=work, root=root, fingerprint="from-cluster", beam=options
    )
    pipeline.enable_cache = False
    # stages, not steps: resources are asked for by stage
    stages = {stage_of(node.id) for node in pipeline.components}
    table = read_resources(resources, config, stages) if resources else defaults(config)
    settings = runner.KubeflowV2DagRunnerConfig(
        # schema 2.0, the default, fails where a .yaml has runtime parameters
        default_image=image,
        default_commands=list(ENTRY),
        use_pipeline_spec_2_1=True,
    )
    # not written by the runner: what it leaves out is filled in first
    job = runner.KubeflowV2DagRunner(config=settings).run(pipeline, write_out=False)
    spec = job["pipelineSpec"]
    spec["defaultPipelineRoot"] = root
    complete(spec, table, retries)
    open_inputs(spec, {"data": data, "force": force})
    if out.suffix == ".json":
        write_text(out, json.dumps(job, indent=1, sort_keys=True))
    else:
        write_text(out, as_yaml(spec, shared_volume(spec, volume, work)))
    return out


def check_places(data: str, root: str, work: str, out: Path) -> None:
    """Raises ConfigError for places that a step on a cluster could not reach."""
    stores = ", ".join(STORES)
    if not in_a_bucket(root):
        raise ConfigError(f"--root is a place in an object store ({stores}BUCKET), got {root}")
    if "://" in work or not work.startswith("/"):
        raise ConfigError(
            f"--work is an absolute folder at which every step sees a shared volume (on Vertex AI "
            f"/gcs/BUCKET/...), got {work}"
        )
    if "{" in data:
        check_pattern(data)
    # with a slash at the end of both: /work2 is not below /work; /work/../etc is not either
    folder = f"{posixpath.normpath(data.removeprefix('file://'))}/"
    is_remote = "://" in data and not data.startswith(("file://", *STORES))
    if not (in_a_bucket(data) or is_remote) and not folder.startswith(
        f"{posixpath.normpath(work).rstrip('/')}/"
    ):
        raise ConfigError(
            f"--data is a place in an object store or a folder below --work {work}: steps see "
            f"nothing else, got {data}"
        )
    if out.suffix not in (".yaml", ".yml", ".json"):
        raise ConfigError(f"--out ends in .yaml (Kubeflow) or .json (Vertex AI), got {out}")


def in_a_bucket(place: str) -> bool:
    """Is it an address of a store that names a bucket?"""
    return any(re.match(rf"{re.escape(store)}[^/\s]", place) for store in STORES)


def check_pattern(data: str) -> None:
    """Raises ConfigError for a pattern of spans that no run would take."""
    from beam_jobs.ingest import spans

    if spans.PLACEHOLDER.search(data):
        try:
            spans.check(data)
        except ValueError as error:
            raise ConfigError(f"--data: {error}") from error


def check_claim(volume: str) -> None:
    """Raises ConfigError for what Kubernetes takes as no name of a claim."""
    if len(volume) > LONGEST_NAME or not NAME.fullmatch(volume):
        raise ConfigError(
            "--volume is the name of a claim: small letters, digits, - and ., a letter or digit "
            f"first and last, at most {LONGEST_NAME} of them; got {volume!r}"
        )


def open_inputs(spec: dict[str, Any], values: Mapping[str, str]) -> None:
    """Makes constants of some steps inputs of the pipeline, in place. values: name of `INPUTS` ->
    its value where a run says nothing else.

    Not by TFX's RuntimeParameter: its compiler writes no default, so that every run would have to
    name all of them.
    """
    tasks = spec["root"]["dag"]["tasks"]
    definitions = spec["root"].setdefault("inputDefinitions", {}).setdefault("parameters", {})
    for name, places in INPUTS.items():
        definitions[name] = {
            "parameterType": "STRING",
            "defaultValue": values[name],
            "isOptional": True,
            "description": DESCRIBED[name],
        }
        for step, parameter in places:
            tasks[step]["inputs"]["parameters"][parameter] = {"componentInputParameter": name}


def complete(spec: dict[str, Any], table: Table, retries: int) -> None:
    """Gives every step its resources and tries, and no cache, in place."""
    executors = spec["deploymentSpec"]["executors"]
    for name, step in spec["root"]["dag"]["tasks"].items():
        step["cachingOptions"] = {"enableCache": False}
        if retries:
            step["retryPolicy"] = {"maxRetryCount": retries, **BACKOFF}
        resources = resources_of(name, table).to_spec()
        if resources:
            label = spec["components"][step["componentRef"]["name"]]["executorLabel"]
            executors[label]["container"]["resources"] = resources


def shared_volume(spec: dict[str, Any], volume: str, work: str) -> dict[str, Any]:
    """Returns Kubernetes' part of the file: the claim `volume` at `work` in every step."""
    mount = {"pvcMount": [{"constant": volume, "mountPath": work}]}
    # one dictionary for all: `as_yaml` writes it out for each
    executors = dict.fromkeys(spec["deploymentSpec"]["executors"], mount)
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}


def as_yaml(spec: dict[str, Any], platform: dict[str, Any]) -> str:
    """Returns both documents as YAML, with the name as a comment that Kubeflow's page shows."""
    import yaml

    class Plain(yaml.SafeDumper):
        """YAML dumper that writes no anchors: other readers need not know them."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    documents = yaml.dump_all([spec, platform], Dumper=Plain, sort_keys=True)
    # Kubeflow's page shows the name from this comment
    return f"# PIPELINE DEFINITION\n# Name: {spec['pipelineInfo']['name']}\n{documents}"
