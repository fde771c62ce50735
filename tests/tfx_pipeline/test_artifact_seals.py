"""Artifacts that a disk has damaged are set aside, and their node runs again."""

import os
import shutil

import pytest
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.types import standard_artifacts

from tfx_pipeline.artifact_seals import seal_artifacts
from tfx_pipeline.content_cache import compare_by_content
from tfx_pipeline.relocation import rewrite_places

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
def run_at(tmp_path):
    """run the two nodes in a folder; which of them really ran."""
    log = tmp_path / "log"

    def at(folder, *, settled=True) -> str:
        log.write_text("")
        first = Writes(log=str(log))
        second = Copies(given=first.outputs["model"], log=str(log))
        pipeline = Pipeline(
            pipeline_name="two",
            pipeline_root=str(folder / "artifacts"),
            components=[first, second],
            enable_cache=True,
            metadata_connection_config=(
                sqlite_metadata_connection_config(str(folder / "metadata.sqlite"))
            ),
        )
        if settled:
            rewrite_places(folder)
        with seal_artifacts(folder), compare_by_content(folder):
            LocalDagRunner().run(pipeline)
        return log.read_text()

    return at


@pytest.fixture
def run(run_at, tmp_path):
    """in a folder of the test."""
    return lambda: run_at(tmp_path)


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


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("original", ["there", "gone", "another run", "damaged"])
def test_a_copied_run_is_finished_and_a_run_of_its_own(run_at, tmp_path, capsys, original):
    first, copy = tmp_path / "first", tmp_path / "copy"
    first.mkdir()
    assert run_at(first) == "Writes Copies "
    shutil.copytree(first, copy)
    if original != "there":
        shutil.rmtree(first)
    if original in ("another run", "damaged"):
        first.mkdir()
        assert run_at(first) == "Writes Copies "
    if original == "damaged":
        for path in files(first, "Writes"):
            path.write_text("x")
    before = contents(first)
    assert run_at(copy) == ""
    assert "damaged" not in capsys.readouterr().err
    assert contents(first) == before
    # its own outputs are looked at, and made again
    [path] = files(copy, "Copies")
    path.write_text("x")
    assert run_at(copy) == "Copies "
    assert contents(first) == before


def test_nothing_is_taken_from_another_folder_or_moved_out_of_it(run_at, tmp_path, capsys):
    first, moved = tmp_path / "first", tmp_path / "moved"
    first.mkdir()
    run_at(first)
    first.rename(moved)
    first.mkdir()
    run_at(first)
    for node in ("Writes", "Copies"):
        for path in files(first, node):
            path.write_text("other")
    before = contents(first)
    # as if its places had not been written anew
    assert run_at(moved, settled=False) == "Writes Copies "
    assert contents(first) == before and not (moved / ".damaged").exists()
    assert "damaged" not in capsys.readouterr().err
