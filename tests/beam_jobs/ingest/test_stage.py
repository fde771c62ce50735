"""A killed ingest shows nothing of itself, and the same command ends in the bytes of one that was
never killed.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from published_set import write_set

from beam_jobs.ingest.job import ingest

ROOT = Path(__file__).resolve().parents[3]
# Every view waits a little, so that the kill comes in the middle whatever the machine does.
SLOW = """
import sys, time
from beam_jobs.ingest import job, write_shard
aligned = write_shard.aligned
def slow(*row):
    time.sleep(0.15)
    return aligned(*row)
write_shard.aligned = slow
job.ingest(sys.argv[1], sys.argv[2], size=16, shards=4)
"""


def content(uri: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(uri)): path.read_bytes()
        for path in sorted(uri.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("data"), points=3)


def killed(data: Path, uri: Path) -> Path:
    """start an ingest, kill -9 it when some of its shards are complete; the stage it leaves."""
    stage = uri.with_name(f".{uri.name}.partial")
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(data), str(uri)], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    limit = time.monotonic() + 300
    while len(list(stage.glob("done/*.json"))) < 3:
        assert process.poll() is None and time.monotonic() < limit, (
            "the ingest ended before it could be killed"
        )
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return stage


def test_a_killed_ingest_is_invisible_and_resumes_to_the_same_bytes(data, tmp_path):
    ingest(str(data), str(tmp_path / "whole"), size=16, shards=4)
    stage = killed(data, tmp_path / "out")
    assert not (tmp_path / "out").exists() and stage.exists()
    kept = {path: path.stat().st_mtime_ns for path in stage.glob("Split-*/*.gz")}
    resumed = {}
    counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=4)
    for path, time_of_change in kept.items():
        resumed[path.name] = (
            tmp_path / "out" / path.relative_to(stage)
        ).stat().st_mtime_ns == time_of_change
    assert counts == {"read": 27, "written": 27, "quarantined": 0}
    assert content(tmp_path / "out") == content(tmp_path / "whole")
    assert not stage.exists() and sum(resumed.values()) >= 3, "finished shards were written again"


def test_a_file_that_changed_between_kill_and_restart_is_read_again(data, tmp_path):
    stage = killed(data, tmp_path / "out")
    finished = next(stage.glob("done/*.json")).stem
    key = json.loads((stage / "manifest" / f"{finished}.jsonl").read_text().splitlines()[0])["key"]
    building, point, view = key.split("/")
    label = data / building / "normal" / f"{point}_{view}_domain_normal.png"
    whole = label.read_bytes()
    label.write_bytes(whole[:100])
    try:
        counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=4)
        assert counts["labels_refused"] == {"normal": 1}
    finally:
        label.write_bytes(whole)


def test_another_number_of_shards_after_a_kill_leaves_no_strays(data, tmp_path):
    killed(data, tmp_path / "out")
    ingest(str(data), str(tmp_path / "out"), size=16, shards=1)
    assert (
        sorted(path.name for path in (tmp_path / "out").glob("Split-*/*"))
        == ["examples-00000-of-00001.tfrecord.gz"] * 3
    )


def test_an_older_output_is_replaced_whole_and_survives_a_kill_between_the_two_renames(
    data, tmp_path
):
    out = tmp_path / "out"
    ingest(str(data), str(out), size=16, shards=1)
    before = content(out)
    os.replace(out, tmp_path / ".out.older")  # as publish leaves it when it is killed in between
    with pytest.raises(ValueError, match="no views"):
        ingest(str(tmp_path / "nothing"), str(out), size=16, shards=1)
    assert content(out) == before
    ingest(str(data), str(out), size=8, shards=2)
    assert (
        json.loads((out / "manifest.json").read_text())["size"] == 8
        and not (tmp_path / ".out.older").exists()
    )


def test_two_ingests_into_one_place_are_one_too_many(data, tmp_path):
    stage = tmp_path / ".out.partial"
    stage.mkdir()
    with open(stage / ".lock", "w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ValueError, match="another ingest is writing"):
            ingest(str(data), str(tmp_path / "out"), size=16, shards=1)


def test_lost_views_are_an_error(data, tmp_path, monkeypatch):
    from beam_jobs.ingest import write_shard

    examples = write_shard.examples
    monkeypatch.setattr(write_shard, "examples", lambda *row: list(examples(*row))[1:])
    with pytest.raises(RuntimeError, match="views were lost"):
        ingest(str(data), str(tmp_path / "out"), size=16, shards=1)
    assert not (tmp_path / "out").exists()
