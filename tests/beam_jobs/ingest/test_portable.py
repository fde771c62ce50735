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


def content(uri: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(uri)): path.read_bytes()
        for path in sorted(uri.rglob("*"))
        if path.is_file()
    }


def test_the_portable_runner_with_a_pool_of_worker_processes_writes_the_same_bytes(
    data, expected, tmp_path
):
    with worker_pool(2) as options:
        counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=2, beam_args=options)
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


def test_all_workers_of_the_pool_are_given_work(tmp_path):
    def sign(_, folder=str(tmp_path)):
        import os

        open(os.path.join(folder, str(os.getpid())), "w").close()

    with worker_pool(2) as options, beam.Pipeline(options=PipelineOptions(options)) as pipeline:
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
