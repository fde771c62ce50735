"""Joining nodes: any number of shards gives the artifact that one shard would have given."""

import json

import pytest

from components.artifacts import LossBank, NetworkBank
from components.content import CONTENT
from components.join_shards import (
    MOST,
    JoinedLosses,
    JoinedNetworks,
    JoinNetworks,
    merge_summaries,
    shard_inputs,
)

TASKS = ("normal", "reshading", "class_scene", "jigsaw", "autoencoding")


def artifact(kind, path):
    made = kind()
    made.uri = str(path)
    return made


def tree(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write_networks(folder, tasks):
    for task in tasks:
        (folder / task).mkdir(parents=True)
        (folder / task / "network.json").write_text(json.dumps({"address": task * 2}))
        (folder / task / "weights").write_text(task)
    return folder


def write_losses(folder, targets):
    for target in targets:
        (folder / "losses" / target).mkdir(parents=True)
        (folder / "losses" / target / "rows.npy").write_text(target)
    rows = [{"target": target} for target in targets[:1]]
    summary = {
        "transfers": len(targets),
        "calibration": rows,
        "addresses": {target: f"of {target}" for target in targets},
    }
    (folder / "calibration.json").write_text(json.dumps(summary))
    return folder


def join(executor, kind, folders, place):
    joined = artifact(kind, place)
    shards = {f"shard_{i:02d}": [artifact(kind, folder)] for i, folder in enumerate(folders)}
    executor().Do({**shards, "shard_63": []}, {"joined": [joined]}, {"code": ""})
    return joined


@pytest.mark.parametrize("count", (1, 2, 3, 5))
def test_networks_of_any_number_of_shards_are_the_same_artifact_with_the_same_content(
    tmp_path, count
):
    write_networks(tmp_path / "whole", TASKS)
    folders = [
        write_networks(tmp_path / f"shard-{count}-{i}", TASKS[i::count]) for i in range(count)
    ]
    joined = join(JoinedNetworks, NetworkBank, folders, tmp_path / "joined")
    alone = join(JoinedNetworks, NetworkBank, [tmp_path / "whole"], tmp_path / "alone")
    assert tree(tmp_path / "joined") == tree(tmp_path / "whole")
    said = [each.get_string_custom_property(CONTENT) for each in (joined, alone)]
    assert said[0] == said[1] != ""


def test_losses_of_shards_keep_every_target_and_one_summary(tmp_path):
    folders = [write_losses(tmp_path / str(i), TASKS[i::2]) for i in range(2)]
    join(JoinedLosses, LossBank, folders, tmp_path / "joined")
    files = tree(tmp_path / "joined")
    assert set(files) == {f"losses/{task}/rows.npy" for task in TASKS} | {"calibration.json"}
    summary = json.loads(files["calibration.json"])
    assert summary["transfers"] == len(TASKS)
    assert summary["calibration"] == [{"target": TASKS[0]}, {"target": TASKS[1]}]
    assert set(summary["addresses"]) == set(TASKS)


def test_two_shards_with_one_task_are_refused(tmp_path):
    folders = [write_networks(tmp_path / str(i), ["normal"]) for i in range(2)]
    with pytest.raises(ValueError, match="normal is in shard_00 and in shard_01"):
        join(JoinedNetworks, NetworkBank, folders, tmp_path / "joined")


def test_more_shards_than_inputs_are_refused():
    with pytest.raises(ValueError, match=f"at most {MOST} shards"):
        shard_inputs([None] * (MOST + 1))


def test_the_node_takes_each_shard_by_a_name():
    from tfx.types import Channel

    node = JoinNetworks([Channel(type=NetworkBank) for _ in range(26)], code="code")
    assert sorted(node.inputs) == [f"shard_{i:02d}" for i in range(26)]
    assert node.exec_properties["code"] == "code"


def test_summaries_are_added_field_by_field():
    parts = [{"seconds": 1.5, "rows": [1], "names": {"a": 1}}, {"seconds": 2, "rows": [2, 3]}]
    assert merge_summaries(parts) == {"seconds": 3.5, "rows": [1, 2, 3], "names": {"a": 1}}
