"""The same job, the same bytes: in memory, in several processes, and over the protocol of
distributed Beam runners.
"""

import json
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from published_set import write_set

from beam_jobs.ingest.job import ingest
from beam_jobs.ingest.portable import worker_pool
from tfx_pipeline.pipeline import BEAM_ARGS


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = write_set(tmp_path_factory.mktemp("data"), points=1, views=2)
    (root / "ash" / "rgb" / "point_0_view_0_domain_rgb.png").write_bytes(b"")
    return root


@pytest.fixture(scope="module")
def expected(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "here"
    assert ingest(str(data), str(out), size=16, shards=2) == {
        "read": 6,
        "written": 5,
        "quarantined": 1,
    }
    return content(out)


@pytest.fixture(scope="module")
def pool():
    """options of a job service and two worker processes."""
    with worker_pool(2) as options:
        yield options


def content(uri: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(uri)): path.read_bytes()
        for path in sorted(uri.rglob("*"))
        if path.is_file()
    }


def test_the_portable_runner_with_a_pool_of_worker_processes_writes_the_same_bytes(
    data, expected, tmp_path, pool
):
    counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=2, beam_args=pool)
    assert counts == json.loads(expected["counts.json"])
    assert content(tmp_path / "out") == expected


def test_dask_with_two_worker_processes_writes_the_same_bytes(data, expected, tmp_path):
    distributed = pytest.importorskip("distributed", reason="the group `dask` is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        options = [
            "--runner=apache_beam.runners.dask.dask_runner.DaskRunner",
            f"--dask_client_address={cluster.scheduler_address}",
        ]
        counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=2, beam_args=options)
    assert counts == json.loads(expected["counts.json"])
    assert content(tmp_path / "out") == expected


def test_statistics_by_the_pool_are_those_of_one_process(data, tmp_path, pool):
    examples = tmp_path / "examples"
    ingest(str(data), str(examples), size=16, shards=2)
    here = statistics(examples, tmp_path / "here", list(BEAM_ARGS))
    spread = statistics(examples, tmp_path / "spread", pool)
    assert set(here) == {"train", "val", "test"}
    # features by name: workers may hand them over in another order
    assert here == spread


def statistics(examples: Path, out: Path, options: list[str]) -> dict[str, dict[str, object]]:
    """split -> feature -> its statistics, as TFX's StatisticsGen writes them by a Beam job."""
    from tensorflow_metadata.proto.v0 import statistics_pb2
    from tfx.components.statistics_gen.executor import Executor
    from tfx.types import artifact_utils, standard_artifacts

    source = standard_artifacts.Examples()
    source.uri, source.span = str(examples), 0
    names = sorted(path.name.removeprefix("Split-") for path in examples.glob("Split-*"))
    source.split_names = artifact_utils.encode_split_names(names)
    written = standard_artifacts.ExampleStatistics()
    written.uri = str(out)
    context = Executor.Context(
        beam_pipeline_args=options, tmp_dir=str(out.with_suffix(".tmp")), unique_id="1"
    )
    properties = {"exclude_splits": "[]", "sharded_stats_output": 0}
    Executor(context).Do({"examples": [source]}, {"statistics": [written]}, properties)
    contents = {}
    for name in names:
        file = out / f"Split-{name}" / "FeatureStats.pb"
        read = statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read_bytes())
        contents[name] = {str(each.path): each for each in read.datasets[0].features}
    return contents


def test_all_workers_of_the_pool_are_given_work(tmp_path, pool):
    def sign(_, folder=str(tmp_path)):
        import os

        open(os.path.join(folder, str(os.getpid())), "w").close()

    with beam.Pipeline(options=PipelineOptions(pool)) as pipeline:
        _ = pipeline | beam.Create(range(16)) | beam.Reshuffle() | beam.Map(sign)
    assert len(list(tmp_path.iterdir())) == 2


def test_several_processes_write_the_same_bytes(data, expected, tmp_path, capsys):
    from beam_jobs.__main__ import main

    assert (
        main(
            [
                "ingest",
                "--data",
                str(data),
                "--out",
                str(tmp_path / "out"),
                "--size",
                "16",
                "--shards",
                "2",
                "--processes",
                "2",
            ]
        )
        == 0
    )
    assert content(tmp_path / "out") == expected
