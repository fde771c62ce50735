"""A file or folder is there whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.provenance.atomic import (
    atomic_file,
    atomic_folder,
    atomic_path,
    is_mount_point,
    recover,
    write_json,
    write_text,
)

ROOT = Path(__file__).resolve().parents[3]


def test_a_file_appears_with_its_whole_content(tmp_path):
    write_json(tmp_path / "deep" / "facts.json", {"a": [1, 2]})
    assert (tmp_path / "deep" / "facts.json").read_text() == '{"a": [1, 2]}'
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["facts.json"]


def test_an_error_leaves_the_old_file_and_no_rest(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(RuntimeError), atomic_file(tmp_path / "a.txt") as file:
        file.write("new")
        raise RuntimeError
    assert (tmp_path / "a.txt").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_nothing_is_seen_before_the_end(tmp_path):
    with atomic_path(tmp_path / "a.bin") as scratch:
        scratch.write_bytes(b"x" * 10)
        assert not (tmp_path / "a.bin").exists()
        assert scratch.suffix == ".bin", "numpy appends .npz to names that lack it"
    assert (tmp_path / "a.bin").stat().st_size == 10


def test_a_folder_takes_the_place_of_another(tmp_path):
    with atomic_folder(tmp_path / "set") as folder:
        (folder / "one").write_text("1")
    with atomic_folder(tmp_path / "set") as folder:
        (folder / "two").write_text("2")
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["two"]


@pytest.mark.parametrize("kind", ["file", "link", "link to nothing"])
def test_a_folder_takes_the_place_of_a_file_or_a_link(tmp_path, kind):
    kept = tmp_path / "kept"
    if kind == "file":
        write_text(tmp_path / "set", "old")
    else:
        (tmp_path / "set").symlink_to(kept)
    if kind == "link":
        kept.mkdir()
        write_text(kept / "one", "1")
    with atomic_folder(tmp_path / "set") as folder:
        (folder / "two").write_text("2")
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["two"]
    assert not (tmp_path / "set").is_symlink()
    assert (kept / "one").exists() == (kind == "link"), "what a link led to is another's"
    assert {path.name for path in tmp_path.iterdir()} <= {"set", "kept"}


# Writes one folder in the place of another, and is killed before the step of that number: every
# call of the operating system that changes names counts as one.
KILLED = """
import os, pathlib, shutil, signal, sys
from models.provenance.atomic import atomic_folder
step, left = int(sys.argv[2]), []
def counted(function):
    def call(*arguments, **keywords):
        left.append(function)
        if len(left) > step:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **keywords)
    return call
with atomic_folder(sys.argv[1]) as folder:
    (folder / "two").write_text("2")
    (folder / "three").write_text("3")
    for name in ("rename", "replace", "unlink", "rmdir"):
        setattr(os, name, counted(getattr(os, name)))
"""


def test_a_kill_at_any_step_leaves_the_old_folder_or_the_new_one(tmp_path):
    old, new, ends = {"one": "1"}, {"two": "2", "three": "3"}, []
    for step in range(20):
        place = tmp_path / str(step) / "set"
        with atomic_folder(place) as folder:
            write_text(folder / "one", "1")
        code = [sys.executable, "-c", KILLED, str(place), str(step)]
        killed = subprocess.run(code, cwd=ROOT, check=False).returncode
        recover(place)
        ends.append({path.name: path.read_text() for path in place.iterdir()})
        # the next writer sweeps what is left
        with atomic_folder(place) as folder:
            write_text(folder / "last", "")
        partial = {path.name for path in place.parent.glob(".set.*.partial")}
        assert {path.name for path in place.parent.iterdir()} - partial == {"set"}
        if killed == 0:
            break
        assert killed == -signal.SIGKILL
    assert step > 2, "nothing was killed"
    assert ends[0] == old and ends[-1] == new and all(end in (old, new) for end in ends)


def test_what_cannot_be_renamed_leaves_the_old_folder(tmp_path, monkeypatch):
    with atomic_folder(tmp_path / "set") as folder:
        write_text(folder / "one", "1")
    replace = os.replace

    def refuse(source, goal):
        if Path(goal) == tmp_path / "set" and "partial" in Path(source).name:
            raise OSError(errno.EIO, "Input/output error")
        replace(source, goal)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError), atomic_folder(tmp_path / "set"):
        pass
    assert [path.name for path in tmp_path.rglob("*")] == ["set", "one"]


def test_an_error_leaves_the_old_folder(tmp_path):
    with atomic_folder(tmp_path / "set") as folder:
        (folder / "one").write_text("1")
    with pytest.raises(KeyboardInterrupt), atomic_folder(tmp_path / "set"):
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.rglob("*")] == ["set", "one"]


@pytest.mark.parametrize("make", [atomic_folder, atomic_path])
def test_a_full_disk_is_said_in_a_line_that_names_what_was_written(tmp_path, make):
    with pytest.raises(OSError) as caught, make(tmp_path / "set"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.errno == errno.ENOSPC and caught.value.filename == str(tmp_path / "set")
    assert "make room" in str(caught.value) and "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_another_error_of_the_disk_stays_what_it_is(tmp_path):
    with pytest.raises(PermissionError), atomic_folder(tmp_path / "set"):
        raise PermissionError(errno.EACCES, "Permission denied", "x")


def test_writers_of_one_folder_do_not_stand_in_each_others_way(tmp_path):
    def write(number: int) -> None:
        for _ in range(25):
            with atomic_folder(tmp_path / "set") as folder:
                write_text(folder / "number", str(number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert (tmp_path / "set" / "number").read_text() in "0123"
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_mount_point_is_refused_before_the_block_runs(tmp_path, monkeypatch):
    (tmp_path / "set").mkdir()
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == tmp_path / "set")
    with pytest.raises(OSError, match="is a mount point"), atomic_folder(tmp_path / "set"):
        pytest.fail("the block ran")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_mounts_within_one_file_system_are_found_in_the_systems_list(tmp_path, monkeypatch):
    listed = "63 43 254:0 /from {} rw,relatime - ext4 /dev/vda rw"
    place = str(tmp_path / "a b").replace(" ", "\\040")
    lines = [listed.format("/proc"), listed.format(place)]
    monkeypatch.setattr(Path, "read_text", lambda path, **how: "\n".join(lines))
    (tmp_path / "link").symlink_to(tmp_path)
    assert is_mount_point(tmp_path / "a b") and is_mount_point(tmp_path / "link" / "a b")
    assert not is_mount_point(tmp_path / "a") and not is_mount_point(tmp_path / "a b" / "c")
