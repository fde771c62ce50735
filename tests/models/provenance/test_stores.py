"""A store of labels that another machine made reads its records from the object store."""

import os
import shutil

import numpy as np
import pytest
from published_set import write_set

from beam_jobs.ingest.job import ingest
from models.examples import shards
from models.examples.label_store import LabelStore, build_label_store
from models.provenance import stores
from models.tasks import TASKS


@pytest.mark.parametrize(
    "place, kept",
    [
        ("gs://bucket/a?region=x", "gs://bucket/a?region=x"),
        ("/folder/a", "/folder/a"),
        ("a", f"{os.getcwd()}/a"),
        ("/pod/gcs/bucket/a", "gs://bucket/a"),
    ],
)
def test_what_is_written_down_for_other_machines(place, kept, monkeypatch):
    monkeypatch.setitem(stores.ADDRESSES, "/pod/gcs/bucket/a", "gs://bucket/a")
    assert stores.lasting(place) == kept


def test_records_are_read_where_the_store_is_mounted(tmp_path, monkeypatch):
    brought = tmp_path / "pod/gcs/bucket/examples"
    ingest(str(write_set(tmp_path / "data", views=4)), str(brought), size=32, shards=2)
    monkeypatch.setitem(stores.ADDRESSES, str(brought), "gs://bucket/examples")
    tasks = {"normal": TASKS["normal"]}
    folder = tmp_path / "labels"
    store = build_label_store(
        str(brought), folder, seed=0, max_samples=8, tasks=tasks, cache_bytes=0
    )
    picture = np.array(store.images("train")[0])
    target = np.array(store.samples("normal", "train").target)
    # the next step's disk: labels alone are brought, the bucket is mounted elsewhere
    monkeypatch.delitem(stores.ADDRESSES, str(brought))
    shutil.move(brought, tmp_path / "mounts/gcs/bucket/examples")
    monkeypatch.setenv(stores.MOUNTED, str(tmp_path / "mounts"))
    later = LabelStore(folder)
    assert np.array_equal(later.images("train")[0], picture)
    assert np.array_equal(later.samples("normal", "train").target, target)


def test_a_store_that_nobody_can_read_says_to_mount_it(monkeypatch):
    monkeypatch.delenv(stores.MOUNTED, raising=False)
    with pytest.raises(OSError, match="minio://b/shard.*mount it.*TASKONOMY_STORES=DIR"):
        shards.read_bytes("minio://b/shard", [(0, 1)])
