"""Labels that a Beam job writes are the bytes of one process, however they are kept; a job that was
interrupted goes on.
"""

import functools

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from published_set import write_set
from waiting import wait_for

from beam_jobs.ingest.job import ingest
from beam_jobs.views.decode import decode_by_beam
from models.examples import label_writer
from models.examples.label_store import build_label_store
from models.tasks import TASKS

# A map, classes, numbers that are whitened, pairs of one building, and of all of them.
NAMES = ("normal", "class_scene", "room_layout", "egomotion", "point_matching")


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    place = tmp_path_factory.mktemp("set")
    ingest(str(write_set(place / "data", views=4)), str(place / "out"), size=32, shards=2)
    return str(place / "out")


def build(examples, folder, names=NAMES, **how):
    tasks = {name: TASKS[name] for name in names}
    return build_label_store(examples, folder, seed=3, max_samples=12, tasks=tasks, **how)


def by_beam(mode="in_memory"):
    """writes labels in parts of three samples."""
    options = [
        "--runner=FnApiRunner",
        f"--direct_running_mode={mode}",
        "--direct_num_workers=2",
    ]
    pipeline = beam.Pipeline(options=PipelineOptions(options))
    return functools.partial(decode_by_beam, pipeline, part=3)


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(
    "mode, bound", [("in_memory", 1 << 30), ("in_memory", 20_000), ("multi_processing", 20_000)]
)
def test_workers_write_the_bytes_of_one_process(examples, tmp_path, mode, bound):
    build(examples, tmp_path / "here", cache_bytes=bound)
    store = build(examples, tmp_path / "there", cache_bytes=bound, writing=by_beam(mode))
    assert content(tmp_path / "there") == content(tmp_path / "here")
    kept = {name: (store.directory / name / "train.target.npy").exists() for name in NAMES}
    assert set(kept.values()) == ({True} if bound > 20_000 else {True, False})


def test_a_job_that_failed_goes_on_with_the_parts_that_are_there(examples, tmp_path, monkeypatch):
    build(examples, tmp_path / "here", ["normal"])
    real = label_writer.write_samples
    made = []

    def failing(scratch, entry, views, rows, *more):
        if views.split == "test":
            raise OSError(28, "No space left on device")
        made.append(scratch)
        real(scratch, entry, views, rows, *more)

    monkeypatch.setattr(label_writer, "write_samples", failing)
    with pytest.raises(Exception, match="No space left"):
        build(examples, tmp_path / "there", ["normal"], writing=by_beam())
    assert not (tmp_path / "there" / "normal").exists()

    def sealed():
        return len(list((tmp_path / "there").glob(".normal.parts-*/*/seal.json")))

    # the job has failed, but its other thread may still be writing
    wait_for(lambda: sealed() == len(made))
    parts = sealed()
    assert parts > 0
    made.clear()

    def counted(*given):
        made.append(given[2].split)
        real(*given)

    monkeypatch.setattr(label_writer, "write_samples", counted)
    build(examples, tmp_path / "there", ["normal"], writing=by_beam())
    total = sum(
        -(-len(build(examples, tmp_path / "here", ["normal"]).samples("normal", split)) // 3)
        for split in ("train", "val", "test")
    )
    assert len(made) == total - parts
    assert content(tmp_path / "there") == content(tmp_path / "here")
