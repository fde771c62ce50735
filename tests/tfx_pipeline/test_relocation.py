"""A run's places are written anew where it was moved or copied, and only they."""

import contextlib
import json
import shutil
import sqlite3

import pytest

from models.provenance.seals import damage_of, reseal, seal_of
from tfx_pipeline.relocation import rewrite_places, without_run_place

LABELS = "DecodeLabels/labels/4"


@pytest.fixture
def run(tmp_path):
    """a run with tables as ML metadata's, and one artifact of labels."""
    folder = tmp_path / "first run"
    images = folder / "artifacts" / LABELS / "store" / "images"
    images.mkdir(parents=True)
    records = f"{folder}/artifacts/ExampleGen/examples/1"
    (images / "images.json").write_text(json.dumps({"size": 32, "examples": records}))
    (images / "train.npy").write_bytes(b"0123")
    reseal(images)
    (folder / "seals" / LABELS).parent.mkdir(parents=True)
    seal = seal_of(folder / "artifacts" / LABELS)
    (folder / "seals" / f"{LABELS}.json").write_text(json.dumps(seal))
    with contextlib.closing(sqlite3.connect(folder / "metadata.sqlite")) as base, base:
        base.execute("create table Artifact (id integer primary key, uri text, changed int)")
        for table in ("ArtifactProperty", "ExecutionProperty"):
            base.execute(f"create table {table} (owner int, string_value text)")
        base.execute("insert into Artifact values (4, ?, 7)", (f"{folder}/artifacts/{LABELS}",))
        pushed = f"{folder}/serving/taxonomy/9"
        base.execute("insert into ArtifactProperty values (4, ?), (4, null)", (pushed,))
        for text in (
            f"{folder}/work",
            json.dumps([{"folder": f"{folder}/sources/hed"}]),
            f"{folder}2/data",
            f"/mnt{folder}/data",
        ):
            base.execute("insert into ExecutionProperty values (1, ?)", (text,))
    return folder


def texts(folder):
    with contextlib.closing(sqlite3.connect(folder / "metadata.sqlite")) as base:
        tables = ("select uri from Artifact", "select string_value from ArtifactProperty")
        more = "select string_value from ExecutionProperty"
        return [[text for (text,) in base.execute(ask)] for ask in (*tables, more)]


def seal_at(folder):
    return json.loads((folder / "seals" / f"{LABELS}.json").read_text())


def test_all_places_below_the_former_one_and_no_others_are_written_anew(run, tmp_path):
    now = tmp_path / "deeper" / 'the "é" run'
    now.parent.mkdir()
    shutil.copytree(run, now)
    before = texts(run)
    rewrite_places(now)
    assert texts(now) == [
        [f"{now}/artifacts/{LABELS}"],
        [f"{now}/serving/taxonomy/9", None],
        [
            f"{now}/work",
            json.dumps([{"folder": f"{now}/sources/hed"}]),
            f"{run}2/data",
            f"/mnt{run}/data",
        ],
    ]
    assert texts(run) == before
    # and back, from a place that JSON writes otherwise
    shutil.rmtree(run)
    now.rename(run)
    rewrite_places(run)
    assert texts(run) == before


def test_labels_say_where_the_records_lie_and_are_whole(run, tmp_path):
    now = tmp_path / "now"
    run.rename(now)
    rewrite_places(now)
    artifact = now / "artifacts" / LABELS
    facts = json.loads((artifact / "store" / "images" / "images.json").read_text())
    assert facts == {"size": 32, "examples": f"{now}/artifacts/ExampleGen/examples/1"}
    assert damage_of(artifact / "store" / "images") == []
    assert damage_of(artifact, seal_at(now)) == []


@pytest.mark.parametrize("name", ["images.json", "train.npy"])
def test_what_was_damaged_before_is_damaged_still(run, tmp_path, name):
    now = tmp_path / "now"
    run.rename(now)
    file = now / "artifacts" / LABELS / "store" / "images" / name
    file.write_bytes(file.read_bytes().replace(b"3", b"4"))
    rewrite_places(now)
    assert [line.split()[0] for line in damage_of(now / "artifacts" / LABELS, seal_at(now))] == [
        f"store/images/{name}"
    ]


def test_a_run_that_lies_where_it_lay_is_not_written_to(run, tmp_path):
    before = (run / "metadata.sqlite").read_bytes()
    rewrite_places(run)
    assert (run / "metadata.sqlite").read_bytes() == before
    # none yet, or half made
    rewrite_places(tmp_path / "none")
    (tmp_path / "none").mkdir()
    sqlite3.connect(tmp_path / "none" / "metadata.sqlite").close()
    rewrite_places(tmp_path / "none")


def test_places_are_whole_ones(tmp_path):
    run = tmp_path / "run"
    assert without_run_place(f"{run}/work", run) == "RUN/work"
    assert without_run_place(str(run), run) == "RUN"
    for text in (f"{run}s/work", f"/mnt{run}/work", "", "1"):
        assert without_run_place(text, run) == text
