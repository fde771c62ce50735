"""Statistics of damaged examples are those of what is left of them."""

import shutil

import pytest
import tensorflow_data_validation as tfdv
from published_set import write_set
from tfx.components.statistics_gen.executor import Executor
from tfx.types import artifact_utils, standard_artifacts

from beam_jobs.ingest.job import ingest
from components.data_schema import statistics_file
from components.sound_statistics import SoundStatistics, SoundStatisticsGen
from models.examples.splits import SPLITS
from tfx_pipeline.config import configuration
from tfx_pipeline.pipeline import BEAM_ARGS, make_pipeline


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    place = tmp_path_factory.mktemp("set")
    ingest(str(write_set(place / "data", views=2)), str(place / "out"), size=16, shards=2)
    return place / "out"


@pytest.fixture
def flipped(whole, tmp_path):
    """one bit in the middle of a train shard is another."""
    uri = shutil.copytree(whole, tmp_path / "out")
    shard = max((uri / "Split-train").iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    return uri


def statistics(executor, uri, out):
    """split -> (views, feature -> its statistics), as the node of the graph writes them."""
    examples, written = standard_artifacts.Examples(), standard_artifacts.ExampleStatistics()
    examples.uri, written.uri = str(uri), str(out)
    examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
    context = executor.Context(
        beam_pipeline_args=list(BEAM_ARGS), tmp_dir=f"{out}.tmp", unique_id="1"
    )
    properties = {"exclude_splits": "[]"}
    executor(context).Do({"examples": [examples]}, {"statistics": [written]}, properties)
    assert written.split_names == examples.split_names
    found = {}
    for split in SPLITS:
        (read,) = tfdv.load_stats_binary(statistics_file(str(out), split)).datasets
        features = {each.path.step[0]: each for each in read.features}
        found[split] = (read.num_examples, features)
    return found


def test_one_bit_costs_its_view_where_the_own_statistics_of_tfx_end(
    whole, flipped, tmp_path, capsys
):
    sound = statistics(Executor, whole, tmp_path / "sound")
    with pytest.raises(Exception, match="Error -3 while decompressing|CRC"):
        statistics(Executor, flipped, tmp_path / "stopped")
    capsys.readouterr()
    left = statistics(SoundStatistics, flipped, tmp_path / "left")
    counts = {split: sound[split][0] - left[split][0] for split in SPLITS}
    assert counts == {"train": 1, "val": 0, "test": 0}
    assert set(left["train"][1]) == set(sound["train"][1])
    assert left["val"] == sound["val"] and left["test"] == sound["test"]
    output = capsys.readouterr().err
    views = sound["train"][0]
    assert f"statistics are without 1 of {views} views of train" in output and "val" not in output


@pytest.mark.parametrize("skip", [False, True])
def test_the_graph_has_them_where_damage_is_skipped(tmp_path, skip):
    graph = make_pipeline(
        configuration("smoke", [f"skip_damaged={str(skip).lower()}"]),
        data=str(tmp_path / "data"),
        run=str(tmp_path / "run"),
        fingerprint="known",
    )
    (node,) = [each for each in graph.components if each.id == "StatisticsGen"]
    assert isinstance(node, SoundStatisticsGen) == skip
    assert (node.executor_spec.executor_class is SoundStatistics) == skip
