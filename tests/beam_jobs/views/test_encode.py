"""Codes that a Beam job writes are the bytes of one process; blocks that are there are kept."""

import functools
import io
import shutil

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from published_set import write_set
from tiny_store import TINY

from beam_jobs.ingest.job import ingest
from beam_jobs.views.encode import encode_by_beam, reachable, same_views
from models.examples.label_store import build_label_store
from models.networks.task_networks import code_blocks, representations
from models.networks.task_networks.build import build_task_network
from models.networks.task_networks.representations import encode_here, encode_views
from models.provenance.atomic import write_json
from models.tasks import TASKS

NAMES = ("normal",)
VIEWS = 4  # of a block


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """a folder with labels and two networks that nobody trained."""
    place = tmp_path_factory.mktemp("work")
    ingest(str(write_set(place / "data")), str(place / "out"), size=32, shards=1)
    tasks = {name: TASKS[name] for name in NAMES}
    store = build_label_store(
        str(place / "out"), place / "labels", seed=0, max_samples=12, tasks=tasks
    )
    for name in NAMES:
        network = place / "networks" / name
        network.mkdir(parents=True)
        built = build_task_network(TASKS[name], TINY, store.size)
        built.encoder.save_weights(network / "encoder.weights.h5")
        facts = {"task": name, "config": vars(TINY), "size": store.size, "address": name}
        write_json(network / "network.json", facts)
    return place, store


def encoded(work, folder, writing):
    place, store = work
    encode_views(place / "networks", store, folder, NAMES, TINY, io.StringIO(), writing)
    return content(folder)


@pytest.fixture
def in_blocks(work, monkeypatch):
    """encodes in this process, so many views a block."""

    def encoding(views=VIEWS):
        monkeypatch.setattr(representations, "BLOCK", views)
        return functools.partial(encode_here, store=work[1])

    return encoding


def by_beam(work, mode="in_memory"):
    place, store = work
    options = ["--runner=FnApiRunner", f"--direct_running_mode={mode}", "--direct_num_workers=2"]
    pipeline = beam.Pipeline(options=PipelineOptions(options))
    return functools.partial(encode_by_beam, pipeline, store, str(place), views=VIEWS)


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_two_worker_processes_write_the_bytes_of_one_process(work, tmp_path, in_blocks):
    here = encoded(work, tmp_path / "here", in_blocks())
    assert encoded(work, tmp_path / "codes", by_beam(work, "multi_processing")) == here
    assert len(here) == 4 + 1  # val, test, facts and seal of the source; what there is


def test_whole_batches_in_blocks_are_the_codes_of_one_go(work, tmp_path, monkeypatch, in_blocks):
    monkeypatch.setattr(code_blocks, "BATCH", 2)
    blocks, whole = (
        encoded(work, tmp_path / str(views), in_blocks(views)) for views in (VIEWS, 1024)
    )
    assert blocks == whole


class Halves:
    """Stands for all encoders: a code is the mean of a picture's channels at some pixels."""

    def load(self, network):
        return TASKS[network.name], self

    def compute_output_shape(self, pictures):
        return (None, 8, 8, 1)

    def predict_on_batch(self, value):
        return value.mean(-1, keepdims=True)[:, ::4, ::4]


def test_a_job_that_failed_goes_on_with_the_blocks_that_are_there(
    work, tmp_path, monkeypatch, in_blocks
):
    monkeypatch.setattr("beam_jobs.views.encode.Encoders", Halves)
    monkeypatch.setattr("models.networks.task_networks.representations.Encoders", Halves)
    here = encoded(work, tmp_path / "here", in_blocks())
    real = code_blocks.encode_pictures

    def failing(task, encoder, images, some):
        if some.start:
            raise OSError(28, "No space left on device")
        return real(task, encoder, images, some)

    monkeypatch.setattr(code_blocks, "encode_pictures", failing)
    with pytest.raises(Exception, match="No space left"):
        encoded(work, tmp_path / "codes", by_beam(work))
    left = list((tmp_path / "codes").glob(".*.blocks-*/*.npy"))
    made = []

    def counted(task, encoder, images, some):
        made.append(some)
        return real(task, encoder, images, some)

    monkeypatch.setattr(code_blocks, "encode_pictures", counted)
    assert encoded(work, tmp_path / "codes", by_beam(work)) == here
    blocks = sum(-(-len(work[1].images(split)) // VIEWS) for split in ("val", "test"))
    assert len(made) == blocks - len(left)
    assert not list((tmp_path / "codes").glob(".*"))


def test_networks_and_labels_of_the_ledger_are_read_where_they_are_those_of_the_artifact(
    work, tmp_path
):
    place, store = work
    shutil.copytree(place / "networks", tmp_path / "bank")
    facts = {"task": "normal", "config": vars(TINY), "size": store.size, "address": "another"}
    write_json(tmp_path / "ledger" / "networks" / "normal" / "network.json", facts)
    source = code_blocks.SourceWork(tmp_path / "bank" / "normal", tmp_path, "a", (("val", 4),))
    assert reachable(source, place).network == place / "networks" / "normal"
    assert reachable(source, tmp_path / "ledger").network == source.network
    assert same_views(place / "labels", store) and not same_views(tmp_path, store)
