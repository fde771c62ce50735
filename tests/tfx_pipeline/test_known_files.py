"""The list of files is followed and written line by line, and costs nothing but time when it is
not what was left there.
"""

import json
import random

import pytest

from models.provenance.visible import visible_folders
from tfx_pipeline.known_files import LONGEST, KnownFiles, order

NAMES = ["notes.txt", "house/a.png", "house/b.png", "house/rgb/0.png", "house2/a.png"]


def facts(digest):
    return [1, 2, 3, 4, digest]


def walk(path, names, changed=()):
    """Returns what a walk over `names` was told; those of `changed` get other facts."""
    with KnownFiles(path) as files:
        told = {name: files.before(name) for name in names}
        for name in names:
            same = told[name] is not None and name not in changed
            files.note(name, told[name] if same else facts(f"new {name}"), told[name])
    return told


def listed(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def path(tmp_path):
    walk(tmp_path / "work" / "known.jsonl", NAMES)
    return tmp_path / "work" / "known.jsonl"


def test_what_was_noted_is_told_again_and_left_where_it_is(path):
    assert listed(path) == [[name, *facts(f"new {name}")] for name in NAMES]
    before = path.stat()
    assert walk(path, NAMES) == {name: facts(f"new {name}") for name in NAMES}
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("seed", range(20))
def test_after_any_change_the_list_is_that_of_the_files_that_are_there(path, seed):
    draw = random.Random(seed)
    others = [*NAMES, "a.png", "house/rgb/1.png", "house/z.png", "house-2/rgb/0.png", "zoo/0"]
    there = sorted((name for name in others if draw.random() < 0.6), key=order)
    changed = [name for name in there if draw.random() < 0.2]
    told = walk(path, there, changed)
    assert told == {name: facts(f"new {name}") if name in NAMES else None for name in there}
    assert listed(path) == [[name, *facts(f"new {name}")] for name in there]
    assert walk(path, there) == {name: facts(f"new {name}") for name in there}


def test_names_sort_as_they_are_walked(tmp_path):
    for name in ("b", "a.png", "rgb/0", "rgb.d/1", "rgb/deep/2", "rgb/z", "rgb2/1", "a/b/c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    walked = [
        f"{folder}/{name}".removeprefix(f"{tmp_path}/")
        for folder, names in visible_folders(tmp_path)
        for name in names
    ]
    assert walked == sorted(walked, key=order) != sorted(walked)


@pytest.mark.parametrize("torn", ['["house/b', "[1, 2]\n", "{}\n", " " * 2 * LONGEST, "\udcff"])
def test_lines_before_one_that_cannot_be_read_are_believed(path, torn):
    lines = path.read_text().splitlines(keepends=True)
    path.write_bytes("".join([*lines[:2], torn, *lines[2:]]).encode(errors="surrogateescape"))
    told = list(walk(path, NAMES).values())
    # bytes that are no text end a whole block of lines
    assert torn == "\udcff" or told[:2] == [facts(f"new {name}") for name in NAMES[:2]]
    assert told[2:] == [None] * 3
    assert listed(path) == [[name, *facts(f"new {name}")] for name in NAMES]


def test_an_error_leaves_the_list_and_one_that_cannot_be_written_is_no_error(path, tmp_path):
    before = path.read_text()
    with pytest.raises(KeyError), KnownFiles(path) as files:
        files.note("a.png", facts("x"), files.before("a.png"))
        raise KeyError
    assert path.read_text() == before and [each.name for each in path.parent.iterdir()] == [
        path.name
    ]
    (tmp_path / "file").write_text("no folder")
    assert walk(tmp_path / "file" / "known.jsonl", NAMES) == dict.fromkeys(NAMES)
    assert walk(None, NAMES) == dict.fromkeys(NAMES)


def test_a_list_that_cannot_be_written_to_its_end_is_not_put_in_place(path, monkeypatch):
    before = path.read_text()
    monkeypatch.setattr("tfx_pipeline.known_files.json.dumps", full_disk)
    walk(path, NAMES, changed=NAMES[2:])
    assert path.read_text() == before and len(list(path.parent.iterdir())) == 1


def full_disk(_):
    raise OSError(28, "No space left on device")
