"""A file or folder is there whole or not at all."""

import errno

import pytest

from models.provenance.atomic import atomic_file, atomic_folder, atomic_path, write_json, write_text


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
