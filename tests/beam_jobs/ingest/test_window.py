"""The last spans as one data set: every building once, with its own files, split and facts."""

import errno
import json
import os

import pytest

from beam_jobs.ingest.known_bad import read_facts
from beam_jobs.ingest.window import last_spans, write_window
from models.examples.splits import read_splits


def span(root, number, buildings, *, units=512, absent=(), version=None, splits=True):
    folder = root / f"span-{number}"
    folder = folder / f"v{version}" if version is not None else folder
    for name in buildings:
        place = folder / name / "rgb"
        place.mkdir(parents=True)
        (place / "point_0_view_0_domain_rgb.png").write_text(f"{name} of {number}")
        (place / ".being_written.png").write_text("half")
    rows = [
        f"{name},{','.join(str(int(split == s)) for s in ('train', 'val', 'test'))}"
        for name, split in buildings.items()
    ]
    if splits:
        (folder / "splits.csv").write_text("\n".join(["id,train,val,test", *rows]))
    facts = {"depth_units_per_metre": units, "absent": list(absent), "known_bad": {}}
    (folder / "dataset.json").write_text(json.dumps(facts))
    return folder


def test_the_newest_of_a_building_counts_and_the_rest_is_kept(tmp_path):
    span(tmp_path, 1, {"old": "train"})
    span(tmp_path, 2, {"a": "train", "b": "val"}, absent=["reshading", "normal"])
    span(tmp_path, 10, {"b": "test", "c": "train"}, units=8192, absent=["normal"])
    window = last_spans(str(tmp_path / "span-{SPAN}"), 2)
    assert [each.span for each in window] == [2, 10]
    goal = tmp_path / "window"
    owners = write_window(window, goal)
    assert {name: os.path.basename(root) for name, root in owners.items()} == {
        "a": "span-2",
        "b": "span-10",
        "c": "span-10",
    }
    assert (goal / "b/rgb/point_0_view_0_domain_rgb.png").read_text() == "b of 10"
    assert sorted(os.listdir(goal)) == ["a", "b", "c", "dataset.json", "splits.csv"]
    assert read_splits(goal / "splits.csv") == {"a": "train", "b": "test", "c": "train"}
    facts = read_facts(str(goal))
    assert facts.absent == {"normal"}, "what a span has is not absent"
    assert (facts.depth_units("a"), facts.depth_units("c")) == (512, 8192)
    assert os.listdir(goal / "a" / "rgb") == ["point_0_view_0_domain_rgb.png"]


def test_a_window_is_replaced_as_a_whole_and_its_files_keep_their_times(tmp_path):
    span(tmp_path, 1, {"a": "train"})
    span(tmp_path, 2, {"b": "train"})
    goal = tmp_path / "window"
    write_window(last_spans(str(tmp_path / "span-{SPAN}"), 2), goal)
    before = (goal / "b/rgb/point_0_view_0_domain_rgb.png").stat()
    span(tmp_path, 3, {"c": "train"})
    write_window(last_spans(str(tmp_path / "span-{SPAN}"), 2), goal)
    after = (goal / "b/rgb/point_0_view_0_domain_rgb.png").stat()
    assert not (goal / "a").exists() and (goal / "c").is_dir()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_links_of_the_spans_are_followed_to_their_files(tmp_path):
    """as git-annex writes them: files, and a folder here, are relative links into a store."""
    for number, name in ((1, "a"), (2, "b")):
        folder = span(tmp_path, number, {name: "train"})
        place, stored = folder / name / "rgb", tmp_path / f"span-{number}" / ".annex"
        (stored / "rgb").mkdir(parents=True)
        for file in sorted(place.glob("point*")):
            file.rename(stored / file.name)
            file.symlink_to(os.path.relpath(stored / file.name, place))
        (place / "point_0_view_1_domain_rgb.png").symlink_to("../../.annex/not_fetched")
    (stored / "depth").mkdir()
    (stored / "depth" / "point_0_view_0_domain_depth.png").write_text("depth")
    (folder / "b" / "depth_zbuffer").symlink_to("../.annex/depth")
    goal = tmp_path / "runs" / "mine" / "window"
    write_window(last_spans(str(tmp_path / "span-{SPAN}"), 2), goal)
    for number, name in ((1, "a"), (2, "b")):
        file = goal / name / "rgb" / "point_0_view_0_domain_rgb.png"
        assert file.read_text() == f"{name} of {number}" and not file.is_symlink()
    file = goal / "b" / "depth_zbuffer" / "point_0_view_0_domain_depth.png"
    assert file.read_text() == "depth"
    absent = goal / "a" / "rgb" / "point_0_view_1_domain_rgb.png"
    assert absent.is_symlink() and not absent.exists(), "ingest says that it cannot be read"


def test_across_file_systems_links_lead_to_the_files(tmp_path, monkeypatch):
    place = span(tmp_path, 1, {"a": "train"}) / "a" / "rgb"
    (place / "point_0_view_0_domain_rgb.png").rename(tmp_path / "stored")
    (place / "point_0_view_0_domain_rgb.png").symlink_to("../../../stored")

    def refuse(source, goal):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    goal = tmp_path / "runs" / "mine" / "window"
    write_window(last_spans(str(tmp_path / "span-{SPAN}"), 1), goal)
    file = goal / "a" / "rgb" / "point_0_view_0_domain_rgb.png"
    assert os.readlink(file) == str(tmp_path / "stored") and file.read_text() == "a of 1"


def test_a_window_of_linked_buildings_holds_their_files(tmp_path):
    folder = span(tmp_path, 1, {"a": "train"})
    rgb = folder / "a" / "rgb"
    rgb.rename(tmp_path / "elsewhere")
    rgb.symlink_to("../../elsewhere")
    (rgb / "linked.png").symlink_to("point_0_view_0_domain_rgb.png")
    (folder / "a" / "loop").symlink_to(".")
    write_window(last_spans(str(tmp_path / "span-{SPAN}"), 1), tmp_path / "window")
    place = tmp_path / "window" / "a"
    assert sorted(path.name for path in place.iterdir()) == ["rgb"]
    for name in ("linked.png", "point_0_view_0_domain_rgb.png"):
        assert (place / "rgb" / name).read_text() == "a of 1"


def test_the_newest_version_of_each_span_counts(tmp_path):
    span(tmp_path, 1, {"a": "train"}, version=1)
    span(tmp_path, 1, {"b": "train"}, version=2)
    span(tmp_path, 2, {"c": "train"}, version=1)
    window = last_spans(str(tmp_path / "span-{SPAN}" / "v{VERSION}"), 5)
    assert [(each.span, each.version) for each in window] == [(1, 2), (2, 1)]


def test_without_lists_the_whole_is_split_by_names(tmp_path):
    for number in range(3):
        span(tmp_path, number, {f"b{number}": "train"}, splits=False)
    write_window(last_spans(str(tmp_path / "span-{SPAN}"), 3), tmp_path / "window")
    assert not (tmp_path / "window" / "splits.csv").exists()


@pytest.mark.parametrize(
    "pattern, count, words",
    [
        ("span-{SPAN}", 0, "1 or more spans, got 0"),
        ("span-{SPAN}", 2, "no folder is called"),
        ("span", 2, "an input pattern names"),
    ],
)
def test_what_cannot_be_meant_is_said(tmp_path, pattern, count, words):
    with pytest.raises(ValueError, match=words):
        last_spans(str(tmp_path / pattern), count)
