"""A killed ingest shows nothing of itself, and the same command ends in the bytes of one that was
never killed.
"""

import errno
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

from beam_jobs.__main__ import main
from beam_jobs.ingest import stage as staging
from beam_jobs.ingest import storage
from beam_jobs.ingest.job import ingest
from beam_jobs.ingest.stage import RESULT, check_place
from models.examples.shards import ShardWriter

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
    times = {path: path.stat().st_mtime_ns for path in stage.glob("Split-*/*.gz")}
    resumed = {}
    counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=4)
    for path, time_of_change in times.items():
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


@pytest.fixture
def no_work(monkeypatch):
    """a stage must not begin: what is refused is refused before the work."""
    monkeypatch.setattr(staging.Stage, "__enter__", lambda self: pytest.fail("the work began"))


@pytest.mark.parametrize(
    "place", ["data", "data/ash", "data/new", ".", "link", "link/ash", "data/"]
)
def test_a_result_never_takes_the_place_of_the_data_set(data, tmp_path, no_work, place):
    (tmp_path / "data").symlink_to(data)
    (tmp_path / "link").symlink_to(tmp_path / "data")
    root = tmp_path / "data"
    if place == ".":
        place, root = str(data), data / "ash"
    before = content(data)
    with pytest.raises(ValueError, match="contain each other.*choose a folder outside"):
        ingest(str(root), str(tmp_path / place), size=16, shards=1)
    assert content(data) == before and len(before) > 100


def test_places_in_a_store_are_held_against_each_other_too():
    check_place("gs://bucket/data", "gs://bucket/data2")
    for root, uri in (("gs://b/data", "gs://b/data/out"), ("gs://b/data/", "gs://b")):
        with pytest.raises(ValueError, match="contain each other"):
            check_place(root, uri)


def test_a_folder_with_anothers_files_is_refused_before_the_work(data, tmp_path, no_work):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("three years")
    with pytest.raises(ValueError, match=r"no ingest has written \(thesis.txt\).*new, empty"):
        ingest(str(data), str(out), size=16, shards=1)
    with pytest.raises(ValueError, match="thesis.txt is a file"):
        ingest(str(data), str(out / "thesis.txt"), size=16, shards=1)
    for name in ("a", "b", "manifest.json"):
        (out / name).write_text("{}")
    with pytest.raises(ValueError, match=r"\(a, b, manifest.json and 1 more\)"):
        ingest(str(data), str(out), size=16, shards=1)
    assert (out / "thesis.txt").read_text() == "three years"


def test_only_a_result_with_nothing_beside_it_gives_way_to_another(data, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    ingest(str(data), str(out), size=16, shards=1)
    assert {path.name for path in out.iterdir()} == RESULT
    (out / ".DS_Store").write_text("a desktop's own")
    check_place(str(data), str(out))
    (out / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"\(notes.txt\)"):
        check_place(str(data), str(out))


def test_a_mount_point_is_refused_before_the_work(data, tmp_path, no_work, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "link").symlink_to(out)
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == out)
    for place in ("out", "link"):
        with pytest.raises(OSError, match="out is a mount point.*name a folder inside it"):
            ingest(str(data), str(tmp_path / place), size=16, shards=1)
    check_place(str(data), str(out / "examples"))


def test_what_a_link_leads_to_gets_the_result_and_the_link_stays(data, tmp_path):
    (tmp_path / "disk").mkdir()
    for link, goal in (("whole", "disk/out"), ("nowhere", "disk/new")):
        (tmp_path / link).symlink_to(tmp_path / goal)
    (tmp_path / "disk" / "out").mkdir()
    for link in ("whole", "nowhere"):
        ingest(str(data), str(tmp_path / link), size=16, shards=1)
        assert (tmp_path / link).is_symlink() and (tmp_path / link / "manifest.json").exists()
    assert sorted(path.name for path in (tmp_path / "disk").iterdir()) == ["new", "out"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disk", "nowhere", "whole"]


@pytest.mark.parametrize("which", ["records", "tickets", "listings"])
def test_a_full_disk_is_told_in_a_line(which, data, tmp_path, capfd, monkeypatch):
    written = storage.write

    def full(*what):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def full_there(path, content):
        folder = "done" if which == "tickets" else "listed"
        return (full if Path(path).parent.name == folder else written)(path, content)

    if which == "records":
        monkeypatch.setattr(ShardWriter, "write", full)
    else:
        monkeypatch.setattr(storage, "write", full_there)
    code = main(["ingest", "--data", str(data), "--out", str(tmp_path / "out"), "--size", "16"])
    output = capfd.readouterr().err
    assert code == 1 and output.startswith("error: [Errno 28] No space left on device")
    assert "Traceback" not in output and output.count("\n") == 1
    assert which != "records" or "nothing is left of what was written" in output
