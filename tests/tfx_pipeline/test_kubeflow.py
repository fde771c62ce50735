"""The compiled Kubeflow file: what a cluster would be told."""

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
    assert len(tasks) == 18 - 2 + 26 + 22 + 2
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
