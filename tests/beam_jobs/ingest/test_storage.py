"""The same job reads and writes an object store, through any file system that Beam knows; here one
that lives in memory.
"""

import io
import json
import os
from pathlib import Path

import pytest
from apache_beam.io.filesystem import BeamIOError, FileMetadata, FileSystem
from published_set import BUILDINGS, write_set

from beam_jobs.ingest import storage
from beam_jobs.ingest.job import ingest
from models.tasks import DOMAINS, ViewKey

OBJECTS: dict[str, bytes] = {}
FAILURES: list[str] = []  # paths that fail once each, as stores do


class Kept(io.BytesIO):
    """what is written becomes an object when the file is closed."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def close(self) -> None:
        if not self.closed:
            OBJECTS[self.path] = self.getvalue()
        super().close()


class MemoryStore(FileSystem):
    """objects by name; no folders, no renames at once, as in gs:// and s3://."""

    @classmethod
    def scheme(cls):
        return "mem"

    def join(self, base, *rest):
        return "/".join((base, *rest))

    def split(self, path):
        return tuple(path.rsplit("/", 1))

    def mkdirs(self, path):
        pass

    def has_dirs(self):
        return False

    def _list(self, prefix):
        for path, data in sorted(OBJECTS.items()):
            if path.startswith(prefix):
                yield FileMetadata(path, len(data))

    def create(self, path, mime_type=None, compression_type=None):
        return Kept(path)

    def open(self, path, mime_type=None, compression_type=None):
        if path in FAILURES:
            FAILURES.remove(path)
            raise BeamIOError("503 slow down")
        if path not in OBJECTS:
            raise BeamIOError(f"{path} not found")
        return io.BytesIO(OBJECTS[path])

    def exists(self, path):
        return path in OBJECTS

    def delete(self, paths):
        for path in paths:
            del OBJECTS[path]

    copy = rename = size = last_updated = checksum = metadata = None


MemoryStore.__abstractmethods__ = frozenset()


@pytest.fixture
def stored(tmp_path):
    """a small set, the same here and in the store."""
    OBJECTS.clear()
    FAILURES.clear()
    root = write_set(tmp_path / "data", points=1)
    for path in root.rglob("*.*"):
        OBJECTS[f"mem://data/{path.relative_to(root)}"] = path.read_bytes()
    return root


def test_a_store_gives_the_same_examples_as_a_folder(stored, tmp_path):
    here = ingest(str(stored), str(tmp_path / "out"), size=16, shards=2)
    there = ingest("mem://data", "mem://out", size=16, shards=2)
    assert here == there == {"read": 9, "written": 9, "quarantined": 0}
    for path in (tmp_path / "out").rglob("*.*"):
        assert OBJECTS[f"mem://out/{path.relative_to(tmp_path / 'out')}"] == path.read_bytes(), (
            path.name
        )


def test_file_addresses_are_paths(stored, tmp_path):
    assert ingest(f"file://{stored}", f"file://{tmp_path}/out", size=16, shards=1)["written"] == 9
    assert (tmp_path / "out" / "manifest.json").exists()


def test_a_store_that_fails_once_loses_no_view(stored, monkeypatch):
    monkeypatch.setattr(storage.time, "sleep", lambda seconds: None)
    FAILURES.extend(path for path in OBJECTS if "_domain_normal" in path)
    assert ingest("mem://data", "mem://out", size=16, shards=1) == {
        "read": 9,
        "written": 9,
        "quarantined": 0,
    }
    assert not FAILURES


def test_a_store_that_stays_down_stops_the_job_instead_of_thinning_out_the_data(
    stored, monkeypatch
):
    monkeypatch.setattr(storage.time, "sleep", lambda seconds: None)
    FAILURES.extend([next(path for path in OBJECTS if "_domain_normal" in path)] * 100)
    with pytest.raises(Exception, match="slow down"):
        ingest("mem://data", "mem://out", size=16, shards=1)
    assert "mem://out/manifest.json" not in OBJECTS, "an incomplete output must not look complete"


def test_bad_objects_are_quarantined_and_a_second_run_replaces_the_first(stored):
    ingest("mem://data", "mem://out", size=16, shards=3)
    key = ViewKey(BUILDINGS[0], 0, 1)
    name = f"mem://data/{key.building}/normal/point_0_view_1_domain_{DOMAINS['normal'].suffix}.png"
    OBJECTS[name] = OBJECTS[name][:80]
    del OBJECTS[name.replace("normal", "reshading").replace("view_1", "view_2")]
    assert ingest("mem://data", "mem://out", size=16, shards=1) == {
        "read": 9,
        "written": 9,
        "quarantined": 0,
        "labels_refused": {"normal": 1},
        "labels_absent": {"reshading": 1},
    }
    reasons = [
        json.loads(line)["reason"]
        for line in OBJECTS["mem://out/quarantine.jsonl"].decode().splitlines()
    ]
    assert len(reasons) == 1 and "damaged PNG" in reasons[0]
    shards = [path for path in OBJECTS if path.startswith("mem://out/Split-")]
    assert {Path(path).name for path in shards} == {"examples-00000-of-00001.tfrecord.gz"}


def test_files_are_files_here_and_in_a_store(stored, tmp_path):
    folder = stored / BUILDINGS[0] / "normal"
    (folder / "thumbs").mkdir()
    (folder / "thumbs" / "small.png").write_bytes(b"x")
    (folder / ".unfinished").write_bytes(b"x")
    there = f"mem://data/{BUILDINGS[0]}/normal"
    OBJECTS[f"{there}/thumbs/small.png"] = b"x"
    assert sorted(storage.files(str(folder))) == sorted(storage.files(there))
    os.mkfifo(folder / "pipe")
    (folder / "lost").symlink_to(folder / "nowhere")
    named = set(storage.files(str(folder)))
    assert {"pipe", "lost"} <= named, "what is odd is for its reader to name"
