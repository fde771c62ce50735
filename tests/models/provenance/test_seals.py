"""What was written is told from what a disk made of it, by size and by SHA-256."""

import hashlib
import io
import os

import pytest

from models.provenance import seals


@pytest.fixture
def folder(tmp_path):
    with seals.sealed_folder(tmp_path / "entry") as scratch:
        (scratch / "weights").write_bytes(b"0123456789")
        (scratch / "deep").mkdir()
        (scratch / "deep" / "facts").write_bytes(b"x")
    return tmp_path / "entry"


def test_a_folder_that_nobody_touched_is_whole(folder):
    assert seals.damage_of(folder) == [] and seals.whole(folder)
    assert seals.sha256_of(folder / "weights") == hashlib.sha256(b"0123456789").hexdigest()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda path: path.write_bytes(b"01234"), "5 bytes instead of 10"),
        (lambda path: path.write_bytes(b"0123456780"), "holds other bytes"),
        (lambda path: path.unlink(), "weights is missing"),
        (lambda path: (path.parent / seals.SEAL).unlink(), "cannot be read"),
        (lambda path: (path.parent / seals.SEAL).write_text("{"), "cannot be read"),
        (lambda path: (path.parent / seals.SEAL).write_text("{}"), "seal is damaged"),
        (lambda path: (path.parent / seals.SEAL).write_text("[1]"), "seal is damaged"),
        (lambda path: (path.parent / seals.SEAL).write_text('{"a": 3}'), "seal is damaged"),
    ],
)
def test_damage_is_named_set_aside_and_counts_as_never_made(folder, harm, words):
    harm(folder / "weights")
    output = io.StringIO()
    assert not seals.whole(folder, output)
    assert words in output.getvalue() and "set aside" in output.getvalue()
    assert not folder.exists()
    assert [path.name for path in (folder.parent / ".damaged").iterdir()] == ["entry-1"]
    assert not seals.whole(folder)


def test_damage_that_keeps_size_and_time_is_found_by_the_process_that_wrote(folder):
    path = folder / "weights"
    state = path.stat()
    path.write_bytes(b"0123456780")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert seals.damage_of(folder) == ["weights holds other bytes than were written"]


def test_damage_through_a_hard_link_is_found_on_both_sides(folder, tmp_path):
    (tmp_path / "artifact").mkdir()
    for name in ("weights", seals.SEAL):
        os.link(folder / name, tmp_path / "artifact" / name)
    seal = seals.seal_of(tmp_path / "artifact")
    with open(tmp_path / "artifact" / "weights", "r+b") as file:
        file.write(b"!")
    assert seals.damage_of(folder) and seals.damage_of(tmp_path / "artifact", seal)


def test_a_file_carries_its_digest_in_its_name(tmp_path):
    with seals.file_with_digest(tmp_path, "segment-a", ".npz") as scratch:
        scratch.write_bytes(b"losses")
    assert len(seals.files_with_digest(tmp_path, "segment-", ".npz")) == 1
    path = next(tmp_path.glob("segment-*"))
    path.write_bytes(b"lossez")
    output = io.StringIO()
    assert seals.files_with_digest(tmp_path, "segment-", ".npz", output) == []
    assert path.name in output.getvalue() and not path.exists()


def test_an_interrupted_file_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), seals.file_with_digest(tmp_path, "a", ".npz") as scratch:
        scratch.write_bytes(b"half")
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"sha256": "0", "value": "{}"}'])
def test_damaged_json_is_set_aside(tmp_path, text):
    path = tmp_path / "rows.json"
    seals.write_sealed_json(path, {"a": [1.5]})
    assert seals.read_sealed_json(path) == {"a": [1.5]}
    path.write_text(text)
    assert seals.read_sealed_json(path, io.StringIO()) is None and not path.exists()
    assert seals.read_sealed_json(path) is None
