"""Files inside the page: pictures, and what the explorer's build made."""

import base64
import gzip
from types import SimpleNamespace

import pytest
from made_run import write_run

from models.reports import embedded
from models.reports.embedded import BUILT, data_uri, packed_file, pictures, script, style


@pytest.fixture
def run(tmp_path):
    """a run's folder with pictures a.png of 10 and b.webp of 20 bytes, and their entries."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"a" * 10)
    (folder / "b.webp").write_bytes(b"b" * 20)
    (tmp_path / "secret.png").write_bytes(b"s")
    entries = [
        {"task": name, "rows": [[{"picture": name}, {"words": "none"}]]}
        for name in ("a.png", "b.webp")
    ]
    return SimpleNamespace(folder=folder, pictures=entries)


def test_a_picture_is_its_bytes_and_its_type(run):
    assert (
        data_uri(run.folder / "a.png")
        == "data:image/png;base64," + base64.b64encode(b"a" * 10).decode()
    )
    assert data_uri(run.folder / "b.webp").startswith("data:image/webp;base64,")


def test_an_entry_is_captioned_with_the_unit_of_its_pictures(run):
    run.pictures[0] |= {"task": "depth_zbuffer", "note": "log(1 + code)/log(65536)"}
    assert [entry["note"] for entry in pictures(run)[0]] == ["metres", ""]


def test_a_picture_is_told_with_its_size_so_that_its_place_is_kept(tmp_path):
    write_run(tmp_path)
    cell = {"name": "input", "picture": "pictures/normal.png"}
    assert embedded.with_content(tmp_path, cell)["size"] == (1, 1)
    (tmp_path / "torn.png").write_bytes(b"torn")
    assert embedded.with_content(tmp_path, {"picture": "torn.png"})["size"] is None


def test_every_entry_comes_with_its_pictures(run):
    shown, left_out = pictures(run)
    assert left_out == 0 and [entry["task"] for entry in shown] == ["a.png", "b.webp"]
    (row,) = shown[0]["rows"]
    assert row[0]["content"] == data_uri(run.folder / "a.png") and "content" not in row[1]


@pytest.mark.parametrize("path", ["none.png", "../secret.png", "words.txt", "/etc/passwd"])
def test_what_is_gone_outside_or_no_picture_is_left_out_and_counted(run, path):
    (run.folder / "words.txt").write_text("words")
    run.pictures[0]["rows"][0][0]["picture"] = path
    shown, left_out = pictures(run)
    assert left_out == 1 and [entry["task"] for entry in shown] == ["b.webp"]


def test_the_pages_room_is_kept(run, monkeypatch):
    monkeypatch.setattr(embedded, "MOST_PICTURES", 29)
    shown, left_out = pictures(run)
    assert left_out == 1 and [entry["task"] for entry in shown] == ["a.png"]


def test_built_files_are_safe_inside_the_page():
    scripts = [path.name for path in BUILT.glob("*.js")]
    assert scripts and style()
    for name in scripts:
        assert "</script" not in script(name).lower()
    for path in BUILT.glob("*.gz"):
        assert gzip.decompress(base64.b64decode(packed_file(path.name)))
