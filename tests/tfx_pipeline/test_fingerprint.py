"""A data folder is told by names and contents: a copy is the same data, and is read once."""

import hashlib
import os
import shutil

import pytest

from tfx_pipeline import fingerprint
from tfx_pipeline.fingerprint import BATCH, WAITING, check_there, folder_fingerprint, with_facts


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data" / "house" / "rgb"
    folder.mkdir(parents=True)
    for i in range(3):
        (folder / f"{i}.png").write_bytes(bytes([i]) * 100)
    return tmp_path / "data"


def test_a_copy_with_other_times_is_the_same_data(data, tmp_path):
    shutil.copytree(data, tmp_path / "copy")
    for path in (tmp_path / "copy").rglob("*.png"):
        os.utime(path, (1, 1))
    assert folder_fingerprint(str(tmp_path / "copy")) == folder_fingerprint(str(data))


def test_names_and_contents_count(data):
    before = folder_fingerprint(str(data))
    file = data / "house" / "rgb" / "0.png"
    file.write_bytes(b"x" * 100)
    changed = folder_fingerprint(str(data))
    file.rename(file.with_name("9.png"))
    assert len({before, changed, folder_fingerprint(str(data))}) == 3


def test_files_are_read_once_while_they_are_left_alone(data, tmp_path, monkeypatch):
    known, read = tmp_path / "run" / "known.json", []
    real = fingerprint.hashlib.file_digest

    def counted(file, name):
        read.append(file.name)
        return real(file, name)

    monkeypatch.setattr(fingerprint.hashlib, "file_digest", counted)
    first = folder_fingerprint(str(data), known)
    assert len(read) == 3 and known.exists()
    assert folder_fingerprint(str(data), known) == first and len(read) == 3
    (data / "house" / "rgb" / "1.png").write_bytes(b"y" * 100)
    assert folder_fingerprint(str(data), known) != first and len(read) == 4


def test_few_of_many_files_are_in_memory_and_all_come_in_their_order(data):
    path = str(data / "house" / "rgb" / "0.png")
    drawn = []
    asked = (drawn.append(i) or (str(i), path, None) for i in range(10 * BATCH * WAITING))
    found = with_facts(asked)
    assert next(found)[0][0] == "0" and len(drawn) == BATCH * WAITING
    names = ["0"]
    for (name, _, _), facts in found:
        names.append(name)
        # as many wait as before, however many have come
        assert len(drawn) - len(names) <= BATCH * WAITING and facts[0] == 100
    assert names == list(map(str, drawn)) and len(names) == 10 * BATCH * WAITING


def test_the_fingerprint_is_that_of_names_and_digests_in_the_order_of_the_walk(data, tmp_path):
    (data / "house.txt").write_bytes(b"notes")
    (data / "house-2").mkdir()
    (data / "house-2" / "a.png").write_bytes(b"a")
    names = ["house.txt", *(f"house/rgb/{i}.png" for i in range(3)), "house-2/a.png"]
    digest = hashlib.sha256()
    for name in names:
        content = hashlib.sha256((data / name).read_bytes()).hexdigest()
        digest.update(f"{name}\0{content}\n".encode())
    for _ in range(2):  # read, and as known
        assert folder_fingerprint(str(data), tmp_path / "known") == digest.hexdigest()[:16]


def test_other_bytes_of_the_same_size_time_and_inode_are_other_data(data, tmp_path):
    known = tmp_path / "known.json"
    before = folder_fingerprint(str(data), known)
    file = data / "house" / "rgb" / "1.png"
    state = file.stat()
    # as `cp -p` over it, or `tar x` where the inode is given out again
    with open(file, "r+b") as opened:
        opened.write(b"y" * 100)
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    again = file.stat()
    assert (again.st_size, again.st_mtime_ns, again.st_ino) == (
        state.st_size,
        state.st_mtime_ns,
        state.st_ino,
    )
    assert folder_fingerprint(str(data), known) != before


def test_a_torn_list_costs_time_alone(data, tmp_path):
    known = tmp_path / "known.json"
    known.write_text('{"a": [1')
    assert folder_fingerprint(str(data), known) == folder_fingerprint(str(data))


def test_hidden_files_and_braces_in_a_name_do_no_harm(data, tmp_path):
    before = folder_fingerprint(str(data))
    (data / ".writing").write_text("half")
    assert folder_fingerprint(str(data)) == before
    shutil.copytree(data / "house", tmp_path / "{mine}" / "house")
    assert folder_fingerprint(str(tmp_path / "{mine}")) == before


def test_links_count_as_what_they_lead_to_and_a_file_that_went_is_named(data, tmp_path):
    before = folder_fingerprint(str(data))
    linked = tmp_path / "linked" / "house" / "rgb"
    linked.mkdir(parents=True)
    for path in (data / "house" / "rgb").iterdir():
        (linked / path.name).symlink_to(path)
    assert folder_fingerprint(str(tmp_path / "linked")) == before
    (linked / "9.png").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError) as error:
        folder_fingerprint(str(tmp_path / "linked"))
    assert str(error.value.filename).endswith("9.png")


def test_folders_behind_links_are_the_data_that_they_hold(data, tmp_path):
    (data / "house" / "normal").mkdir()
    (data / "house" / "normal" / "0.png").write_bytes(b"n")
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "house").symlink_to(data / "house")
    check_there(str(linked))
    before = folder_fingerprint(str(data))
    assert folder_fingerprint(str(linked)) == before
    # a label's folder alone may be a link, too
    halves = tmp_path / "halves" / "house"
    halves.mkdir(parents=True)
    for name in ("rgb", "normal"):
        (halves / name).symlink_to(data / "house" / name)
    assert folder_fingerprint(str(tmp_path / "halves")) == before
    (data / "house" / "normal" / "0.png").write_bytes(b"m")
    changed = {folder_fingerprint(str(place)) for place in (data, linked, tmp_path / "halves")}
    assert len(changed) == 1 and before not in changed


def test_links_that_lead_back_end_the_walk(data):
    before = folder_fingerprint(str(data))
    (data / "house" / "again").symlink_to(data)
    (data / "house" / "rgb" / "itself").symlink_to("../rgb")
    assert folder_fingerprint(str(data)) == before


def test_data_are_looked_for_without_reading_them(data, tmp_path):
    check_there(str(data))
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no data at"):
        check_there(str(tmp_path / "empty"))
