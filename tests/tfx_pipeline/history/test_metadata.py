"""Runs are read back from ML metadata as they were written."""

import ml_metadata
from made_history import NODES, MadeRuns
from ml_metadata.proto import metadata_store_pb2 as pb

from tfx_pipeline.history.metadata import METADATA, count_runs, run_graphs


def test_a_folder_without_metadata_has_no_runs(tmp_path):
    assert run_graphs(tmp_path) == []


def test_metadata_of_a_run_that_was_killed_while_it_made_them_have_no_runs(tmp_path):
    (tmp_path / METADATA).touch()
    assert run_graphs(tmp_path) == [] and count_runs(tmp_path) == 0
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / METADATA)
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    ml_metadata.MetadataStore(config)
    assert run_graphs(tmp_path) == [] and count_runs(tmp_path) == 0, "tables without types"


def test_nodes_states_and_artifacts_of_every_run(tmp_path):
    made = MadeRuns(tmp_path)
    made.add(version=7)
    made.add(cached=tuple(name for name, *_ in NODES), ends="cached")
    made.add(until="TrainTasks", ends="failed")
    first, second, third = run_graphs(tmp_path)
    assert count_runs(tmp_path) == 3
    assert [each.node for each in first.executions] == [name for name, *_ in NODES]
    assert {each.state for each in first.executions} == {"ran"}
    assert first.pushed == second.pushed == str(tmp_path / "serving" / "taxonomy" / "7")
    assert second.artifacts == first.artifacts and len(first.artifacts) == len(NODES)
    assert third.pushed is None and third.executions[-1].state == "failed"
    assert set(third.artifacts) == {"ExampleGen/examples", "DecodeLabels/labels"}
    decode = first.executions[1]
    assert decode.inputs == {"examples": [first.artifacts["ExampleGen/examples"]]}
    assert decode.parameters == {"code": "code of DecodeLabels"}
