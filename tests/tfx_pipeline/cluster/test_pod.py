"""A pod's folders stand for the object store's addresses, both ways."""

import json
import os

import pytest

from tfx_pipeline.cluster import pod


@pytest.mark.parametrize(
    "uri, path",
    [
        ("gs://bucket/root/a", "/pod/gcs/bucket/root/a"),
        ("s3://bucket/a?region=x", "/pod/s3/bucket/a"),
        ("minio://bucket/a", "/pod/minio/bucket/a"),
        ("/work/a", "/work/a"),
    ],
)
def test_addresses_become_the_launchers_folders(uri, path):
    assert pod.local_path(uri, "/pod") == path


def invocation(tmp_path, inputs):
    outputs = {
        "joined": {
            "artifacts": [
                {
                    "name": "joined",
                    "uri": "gs://bucket/root/joined",
                    "type": {"instanceSchema": SCHEMA},
                    "metadata": {},
                }
            ]
        }
    }
    told = str(tmp_path / "out" / "output.json")
    return {
        "inputs": {"artifacts": inputs, "parameterValues": {"code": "c"}},
        "outputs": {"outputFile": told, "artifacts": outputs},
    }


SCHEMA = "title: components.NetworkBank\ntype: object\n"


def bank(number):
    return {
        "artifacts": [
            {
                "name": f"shard{number}",
                "uri": f"gs://bucket/root/{number}",
                "type": {"instanceSchema": SCHEMA},
                "metadata": {},
            }
        ]
    }


def arguments(call):
    spec = {"parameters": {"code": {"parameterType": "STRING"}}}
    return [
        "--executor_class_path",
        "components.join_shards.JoinedNetworks",
        "--json_serialized_invocation_args",
        json.dumps(call),
        "--json_serialized_inputs_spec_args",
        json.dumps(spec),
    ]


@pytest.fixture
def disk(tmp_path, monkeypatch):
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils as entry

    for name in ("parse_raw_artifact_dict", "translate_executor_output"):
        monkeypatch.setattr(entry, name, getattr(entry, name))
    monkeypatch.setenv(pod.ROOT, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for number, task in enumerate(("normal", "jigsaw")):
        folder = tmp_path / "gcs" / "bucket" / "root" / str(number) / task
        folder.mkdir(parents=True)
        (folder / "network.json").write_text(json.dumps({"address": task}))
    return tmp_path


def test_a_step_reads_and_writes_folders_and_tells_addresses(disk):
    call = invocation(disk, {"shard_00": bank(0), "shard_01": bank(1)})
    assert pod.main(arguments(call)) == 0
    assert sorted(os.listdir(disk / "gcs/bucket/root/joined")) == ["jigsaw", "normal"]
    assert not (disk / "gs:").exists()
    told = json.loads((disk / "out" / "output.json").read_text())
    (made,) = told["artifacts"]["joined"]["artifacts"]
    assert made["uri"] == "gs://bucket/root/joined"
    assert made["metadata"]["content"]


def test_an_input_that_was_not_brought_is_an_error_in_the_last_line(disk, capsys):
    call = invocation(disk, {"shard_00": bank(9)})
    assert pod.main(arguments(call)) == 1
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("error: ") and "bucket/root/9" in last
