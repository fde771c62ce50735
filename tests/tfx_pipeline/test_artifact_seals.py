"""Artifacts that a disk has damaged are set aside, and their node runs again."""

import os

import pytest
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.types import standard_artifacts

from tfx_pipeline.artifact_seals import sealed_artifacts

Model = standard_artifacts.Model


@component
def Writes(model: OutputArtifact[Model], log: Parameter[str]) -> None:
    os.makedirs(model.uri, exist_ok=True)
    with open(os.path.join(model.uri, "weights"), "w") as file:
        file.write("0123456789")
    with open(log, "a") as file:
        file.write("Writes ")


@component
def Copies(given: InputArtifact[Model], copy: OutputArtifact[Model], log: Parameter[str]) -> None:
    os.makedirs(copy.uri, exist_ok=True)
    with open(os.path.join(given.uri, "weights")) as file:
        text = file.read()
    with open(os.path.join(copy.uri, "weights"), "w") as file:
        file.write(text)
    with open(log, "a") as file:
        file.write("Copies ")


@pytest.fixture
def run(tmp_path):
    """run the two nodes; which of them really ran."""
    log = tmp_path / "log"

    def again() -> str:
        log.write_text("")
        first = Writes(log=str(log))
        second = Copies(given=first.outputs["model"], log=str(log))
        pipeline = Pipeline(
            pipeline_name="two",
            pipeline_root=str(tmp_path / "artifacts"),
            components=[first, second],
            enable_cache=True,
            metadata_connection_config=(
                sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
            ),
        )
        with sealed_artifacts(tmp_path):
            LocalDagRunner().run(pipeline)
        return log.read_text()

    return again


def files(tmp_path, node):
    return sorted((tmp_path / "artifacts" / node).glob("*/*/weights"))


@pytest.mark.parametrize("node", ["Writes", "Copies"])
def test_a_damaged_output_is_made_again_and_a_sound_one_is_not(run, tmp_path, capsys, node):
    assert run() == "Writes Copies "
    assert run() == ""
    [path] = files(tmp_path, node)
    path.write_text("0123456780")
    # What follows from the new output follows from other content, as far as TFX knows.
    assert run() == {"Writes": "Writes Copies ", "Copies": "Copies "}[node]
    said = capsys.readouterr().err
    assert "weights holds other bytes than were written" in said
    assert "set aside as" in said
    assert not path.exists()
    assert [file.read_text() for file in files(tmp_path, node)] == ["0123456789"]
    assert run() == ""


def test_an_artifact_without_a_seal_gets_one(run, tmp_path):
    run()
    for seal in (tmp_path / "seals").rglob("*.json"):
        seal.unlink()
    assert run() == ""
    assert len(list((tmp_path / "seals").rglob("*.json"))) == 2
