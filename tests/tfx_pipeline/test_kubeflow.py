"""The compiled Kubeflow file: what a cluster would be told."""

import json

import pytest
import yaml

from tfx_pipeline.config import ConfigError, configuration, shards_of
from tfx_pipeline.kubeflow import compile_pipeline


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    out = tmp_path_factory.mktemp("compiled") / "taxonomy.yaml"
    config = configuration("smoke", shards_of("26,22"))
    compile_pipeline(
        config, data="gs://bucket/data", root="gs://bucket/root", image="image:1", out=out
    )
    return list(yaml.safe_load_all(out.read_text()))


def test_shards_are_steps_that_one_step_joins(documents):
    tasks = documents[0]["root"]["dag"]["tasks"]
    assert len(tasks) == 20 - 2 + 26 + 22 + 2
    assert not [name for name in tasks if "." in name]
    joined = tasks["JoinNetworks"]["inputs"]["artifacts"]
    assert {each["taskOutputArtifact"]["producerTask"] for each in joined.values()} == {
        f"TrainTasks-{i}" for i in range(26)
    }
    losses = tasks["MeasureAffinities"]["inputs"]["artifacts"]["losses"]["taskOutputArtifact"]
    assert losses["producerTask"] == "JoinLosses"


@pytest.mark.parametrize("text", ("many", "1,2,3", "-1,2", ""))
def test_shards_that_are_no_numbers_are_refused(text):
    with pytest.raises(ConfigError, match="TASKS,TRANSFERS"):
        shards_of(text)


def test_one_number_of_shards_is_of_both_stages():
    config = configuration("smoke", shards_of("4"))
    assert (config.task_shards, config.transfer_shards) == (4, 4)


def test_the_file_says_root_tries_resources_entry_and_no_cache(documents):
    spec = documents[0]
    assert spec["defaultPipelineRoot"] == "gs://bucket/root"
    for name, step in spec["root"]["dag"]["tasks"].items():
        assert step["retryPolicy"]["maxRetryCount"] == 2, name
        assert step["cachingOptions"] == {"enableCache": False}
    for executor in spec["deploymentSpec"]["executors"].values():
        container = executor["container"]
        assert container["command"] == ["python", "-m", "tfx_pipeline.cluster.pod"]
        assert container["resources"]["resourceMemoryLimit"] == "8G"
        assert container["image"] == "image:1"


def test_ledgers_and_served_versions_lie_on_the_volume_that_every_step_mounts(documents):
    spec, platform = documents
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert set(executors) == set(spec["deploymentSpec"]["executors"])
    for mounted in executors.values():
        assert mounted == {"pvcMount": [{"constant": "taskonomy", "mountPath": "/work"}]}
    tasks = spec["root"]["dag"]["tasks"]

    def said(step, name):
        return tasks[step]["inputs"]["parameters"][name]["runtimeValue"]["constant"]

    assert said("TrainTasks-3", "work") == "/work/work"
    assert said("Pusher", "destination") == "/work/serving/taxonomy"


def test_data_and_a_reason_are_inputs_that_a_run_may_give_otherwise(documents):
    spec = documents[0]
    told = spec["root"]["inputDefinitions"]["parameters"]
    assert {name: (row["defaultValue"], row["isOptional"]) for name, row in told.items()} == {
        "data": ("gs://bucket/data", True),
        "force": ("", True),
    }
    tasks = spec["root"]["dag"]["tasks"]
    for step, name, source in (
        ("ExampleGen", "root", "data"),
        ("WriteReport", "root", "data"),
        ("CheckData", "force", "force"),
        ("CheckQuality", "force", "force"),
    ):
        given = tasks[step]["inputs"]["parameters"][name]
        assert given == {"componentInputParameter": source}, step
    assert "gs://bucket/data" not in str(tasks) and "gs://bucket/data" not in str(
        spec["deploymentSpec"]
    )


def test_a_reason_that_is_compiled_is_what_runs_are_given(tmp_path):
    words = {"data": "gs://b/d", "root": "gs://b/r", "image": "i", "out": tmp_path / "x.yaml"}
    compile_pipeline(configuration("smoke", []), **words, force="the lamp is new")
    spec = next(yaml.safe_load_all((tmp_path / "x.yaml").read_text()))
    told = spec["root"]["inputDefinitions"]["parameters"]
    assert told["force"]["defaultValue"] == "the lamp is new"


def test_kubeflows_own_sdk_opens_the_file(tmp_path, documents):
    from kfp import components

    file = tmp_path / "taxonomy.yaml"
    file.write_text(yaml.safe_dump_all(documents))
    opened = components.load_component_from_file(str(file))
    assert opened.name == "taskonomy" and opened.platform_spec.platforms["kubernetes"]
    assert {name: each.default for name, each in opened.component_spec.inputs.items()} == {
        "data": "gs://bucket/data",
        "force": "",
    }


def test_vertex_ais_form_is_a_job_with_its_root(tmp_path):
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform

    out = tmp_path / "taxonomy.json"
    words = {"data": "gs://bucket/data", "root": "gs://bucket/root", "image": "image:1"}
    resources = tmp_path / "resources.yaml"
    resources.write_text("TrainTasks: {cpu: 8, memory: 32G, gpu: 1, accelerator: NVIDIA_L4}\n")
    compile_pipeline(
        configuration("smoke", []),
        **words,
        out=out,
        work="/gcs/bucket/work",
        resources=resources,
        retries=0,
        beam=["--runner=DataflowRunner"],
    )
    job = json.loads(out.read_text())
    assert job["runtimeConfig"]["gcsOutputDirectory"] == "gs://bucket/root"
    executors = job["pipelineSpec"]["deploymentSpec"]["executors"]
    trainer = executors["TrainTasks_executor"]["container"]
    assert trainer["resources"]["accelerator"]["type"] == "NVIDIA_L4"
    for stage in ("ExampleGen", "StatisticsGen"):
        args = executors[f"{stage}_executor"]["container"]["args"]
        assert args[-1] == "--runner=DataflowRunner" and "--sdk_container_image=image:1" in args
    opened = aiplatform.PipelineJob(
        display_name="taskonomy",
        template_path=str(out),
        project="project",
        location="us-central1",
        credentials=AnonymousCredentials(),
    )
    assert isinstance(opened, aiplatform.PipelineJob), "its SDK reads the whole job"
    steps = job["pipelineSpec"]["root"]["dag"]["tasks"].values()
    assert not [step for step in steps if "retryPolicy" in step]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"root": "/somewhere"}, "--root is a place in an object store"),
        ({"root": "gs://"}, "--root is a place in an object store"),
        ({"root": "gs:///r"}, "--root is a place in an object store"),
        ({"image": ""}, "--image is the container image"),
        ({"data": "/work/../etc"}, "--data is a place in an object store or a folder below"),
        ({"data": "file:///etc"}, "--data is a place in an object store or a folder below"),
        ({"data": "gs://"}, "--data is a place in an object store or a folder below"),
        ({"data": "gs://b/{SPAN}-{SPAN}"}, "an input pattern names"),
        ({"work": "gs://bucket/work"}, "--work is an absolute folder"),
        ({"data": "/home/me/data"}, "--data is a place in an object store or a folder below"),
        ({"out": "taxonomy.zip"}, "--out ends in .yaml"),
        ({"retries": -1}, "--retries"),
        ({"volume": "Bad_Name!"}, "--volume is the name of a claim"),
        ({"volume": "a" * 254}, "--volume is the name of a claim"),
        ({"volume": "-a"}, "--volume is the name of a claim"),
    ],
)
def test_what_steps_could_not_reach_is_refused(tmp_path, change, message):
    from pathlib import Path

    words = {"data": "/work/data", "root": "gs://bucket/root", "image": "image:1"}
    words |= {"out": tmp_path / "taxonomy.yaml"} | change
    words["out"] = Path(words["out"])
    with pytest.raises(ConfigError, match=message):
        compile_pipeline(configuration("smoke", []), **words)
