"""The emulated cluster: steps with empty disks, inputs brought, outputs taken, kill and retry."""

import pytest

from tfx_pipeline.cluster.emulator import Cluster, Kill, StepFailed, start_process

# A step of two words: where its output goes, and a line that it says before it writes.
STEP = """\
import json, os, sys, time
call = json.loads(sys.argv[1])
root = os.environ["TASKONOMY_POD_ROOT"]
local = lambda uri: uri.replace("gs://", root + "/gcs/")
marks = [word[5:] for word in sys.argv if word.startswith("once=")]
waits = [mark for mark in marks if not os.path.exists(mark)]
for mark in waits:
    open(mark, "w").close()  # before the line that it is killed at
print("begun", sorted(os.listdir(root)), flush=True)
if waits: time.sleep(60)
seen = [open(local(each["uri"]) + "/text").read()
        for value in call["inputs"]["artifacts"].values() for each in value["artifacts"]]
told = call["outputs"]
for value in told["artifacts"].values():
    for each in value["artifacts"]:
        os.makedirs(local(each["uri"]))
        open(local(each["uri"]) + "/text", "w").write("".join(seen) + "x")
open("mine", "w").close()
if "fail" in sys.argv: sys.exit("error: no luck")
os.makedirs(os.path.dirname(told["outputFile"]))
json.dump({"artifacts": told["artifacts"]}, open(told["outputFile"], "w"))
"""


def spec_of(words=(), retries=1):
    """two steps, of which the second reads what the first wrote."""
    component = {
        "executorLabel": "run",
        "outputDefinitions": {"artifacts": {"out": {"artifactType": {"schemaTitle": "t"}}}},
    }
    policy = {"retryPolicy": {"maxRetryCount": retries}, "componentRef": {"name": "step"}}
    source = {"taskOutputArtifact": {"producerTask": "first", "outputArtifactKey": "out"}}
    second = {"inputs": {"artifacts": {"in": source}}, "dependentTasks": ["first"]}
    container = {"command": ["python", "-c", STEP], "args": ["{{$}}", *words]}
    return {
        "defaultPipelineRoot": "gs://bucket/root",
        "root": {"dag": {"tasks": {"second": policy | second, "first": policy}}},
        "components": {"step": component},
        "deploymentSpec": {"executors": {"run": {"container": container}}},
    }


def test_a_step_gets_the_files_inputs_as_compiled_or_as_it_is_told(tmp_path):
    spec = spec_of()
    told = {
        "root": {"runtimeValue": {"constant": "r"}},
        "why": {"componentInputParameter": "force"},
    }
    step = {"inputs": {"parameters": told}}
    spec["root"]["inputDefinitions"] = {"parameters": {"force": {"defaultValue": "because"}}}
    for parameters, reason in (({}, "because"), ({"force": "so"}, "so")):
        cluster = Cluster(spec, tmp_path, start_process, parameters=parameters)
        call, _ = cluster.invocation("first", step, spec["components"]["step"])
        assert call["inputs"]["parameterValues"] == {"root": "r", "why": reason}


def test_a_killed_step_is_tried_again_on_an_empty_disk_and_the_next_gets_its_output(tmp_path):
    waits = f"once={tmp_path / 'mark'}"  # the first try only, to be killed while it does
    cluster = Cluster(spec_of([waits]), tmp_path, start_process, [Kill("first", "begun")])
    tries = cluster.run([].append)
    assert [(each.step, each.number, each.code == 0) for each in tries] == [
        ("first", 0, False),
        ("first", 1, True),
        ("second", 0, True),
    ]
    assert tries[0].code == -9
    assert tries[-1].left == ["mine"], "what a step leaves in its own folder is told"
    assert (tmp_path / "store/gcs/bucket/root/second/out/text").read_text() == "xx"


def test_only_what_a_step_needs_is_run(tmp_path):
    tries = Cluster(spec_of(), tmp_path, start_process).run([].append, ["first"])
    assert [each.step for each in tries] == ["first"]
    with pytest.raises(StepFailed, match="no step third; there are: second, first"):
        Cluster(spec_of(), tmp_path, start_process).run([].append, ["third"])


def test_a_step_that_always_fails_ends_the_run_with_its_last_lines(tmp_path):
    with pytest.raises(StepFailed, match="first failed 3 times(.|\n)*error: no luck"):
        Cluster(spec_of(["fail"], retries=2), tmp_path, start_process).run([].append)
    assert not (tmp_path / "store").exists(), "nothing of a failed try is uploaded"
