"""The graph of a run: which options of Beam each stage ends with."""

import pytest

from tfx_pipeline.config import configuration, smoke
from tfx_pipeline.pipeline import BEAM_ARGS, make_pipeline

DASK = "--runner=apache_beam.runners.dask.dask_runner.DaskRunner"


@pytest.mark.parametrize(
    "given, ingest, statistics",
    [
        ([], BEAM_ARGS[0], BEAM_ARGS[0]),
        (["--runner=FlinkRunner"], "--runner=FlinkRunner", "--runner=FlinkRunner"),
        ([DASK], DASK, BEAM_ARGS[0]),
    ],
)
def test_every_beam_stage_takes_the_runner_but_statistics_on_dask(
    tmp_path, given, ingest, statistics
):
    graph = make_pipeline(
        smoke(),
        data=str(tmp_path / "data"),
        run=str(tmp_path / "run"),
        fingerprint="known",
        beam=iter(given),
    )
    last = {}
    for component in graph.components:
        options = getattr(component.executor_spec, "beam_pipeline_args", None)
        if options:
            runners = [option for option in options if option.startswith("--runner=")]
            last[component.id] = runners[-1]  # of several the last one counts
    assert last["ExampleGen"] == ingest
    assert last["StatisticsGen"] == statistics


def test_nodes_stand_after_those_that_they_depend_on(tmp_path):
    graph = make_pipeline(
        configuration("smoke", ["seeds=2", "task_shards=3", "transfer_shards=2"]),
        data=str(tmp_path / "data"),
        run=str(tmp_path / "run"),
        fingerprint="known",
    )
    names = [component.id for component in graph.components]
    assert len(set(names)) == len(names) and "MeasureSeeds" in names
    assert {"TrainTasks-2", "JoinNetworks", "TrainTransfers-1", "JoinLosses"} < set(names)
    for i, component in enumerate(graph.components):
        assert {node.id for node in component.upstream_nodes} <= set(names[:i])
