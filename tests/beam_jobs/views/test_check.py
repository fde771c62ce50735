"""What a Beam job finds in the examples is what one process finds, in the same order."""

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from published_set import write_set

from beam_jobs.ingest.job import ingest
from beam_jobs.views.check import Joined, check_by_beam
from models.examples.check import Findings, check_examples
from models.examples.index import FOLDER


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """examples with a damaged shard, and one that the index leads to wrongly."""
    place = tmp_path_factory.mktemp("set")
    ingest(str(write_set(place / "data")), str(place / "out"), size=16, shards=3)
    shard = sorted((place / "out" / "Split-val").iterdir())[0]
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    rows = np.load(place / "out" / FOLDER / "train.npy")
    rows["offset"] += 1
    np.save(place / "out" / FOLDER / "train.npy", rows)
    return str(place / "out")


@pytest.mark.parametrize("mode", ["in_memory", "multi_processing"])
def test_workers_find_what_one_process_finds(examples, tmp_path, mode):
    expected = check_examples(examples)
    assert expected.lines and expected.damaged and expected.lost
    options = [
        "--runner=FnApiRunner",
        f"--direct_running_mode={mode}",
        "--direct_num_workers=2",
    ]
    pipeline = beam.Pipeline(options=PipelineOptions(options))
    assert check_by_beam(pipeline, examples, str(tmp_path)) == expected
    assert not list(tmp_path.iterdir())


def test_findings_are_joined_in_the_order_of_shards_whoever_ends_first():
    join = Joined()
    parts = [{i: Findings(views=i, lines=[f"line {i}"], lost=1)} for i in range(5)]
    late = join.add_input(join.create_accumulator(), parts[4])
    rest = join.merge_accumulators([parts[2], parts[0], parts[3] | parts[1]])
    statistics = join.extract_output(join.merge_accumulators([late, rest]))
    assert statistics == Findings(views=10, lines=[f"line {i}" for i in range(5)], lost=5)
