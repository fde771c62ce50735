"""Folders that arrive one after another: the newest span, and of it the newest version, is read."""

import json
from pathlib import Path

import pytest
from published_set import write_set

from beam_jobs.__main__ import main
from beam_jobs.ingest.spans import newest


def arrive(root: Path, *names: str) -> None:
    for name in names:
        (root / name / "building").mkdir(parents=True)


def test_spans_and_versions_compare_as_numbers(tmp_path):
    arrive(
        tmp_path,
        "span-2/version-9",
        "span-10/version-1",
        "span-10/version-02",
        "span-x/version-3",
        "span-11",
    )
    folder = newest(f"{tmp_path}/span-{{SPAN}}/version-{{VERSION}}")
    assert (folder.span, folder.version) == (10, 2) and folder.root.endswith("span-10/version-02")
    assert newest(f"{tmp_path}/span-{{SPAN}}/version-{{VERSION}}", span=2).root.endswith(
        "span-2/version-9"
    )
    assert newest(f"{tmp_path}/span-{{SPAN}}/version-{{VERSION}}", version=1).facts() == {
        "span": 10,
        "version": 1,
    }


def test_days_are_spans_and_impossible_days_are_none(tmp_path):
    arrive(tmp_path, "2026-11-23/data", "2026-11-24/data", "2026-13-99/data")
    folder = newest(f"{tmp_path}/{{YYYY}}-{{MM}}-{{DD}}/data")
    assert folder.root.endswith("2026-11-24/data") and folder.span == 20781


def test_a_width_is_held(tmp_path):
    arrive(tmp_path, "span-0007", "span-12345")
    assert newest(f"{tmp_path}/span-{{SPAN:4}}").span == 7


def test_two_spellings_of_one_version_are_refused(tmp_path):
    arrive(tmp_path, "span-1", "span-01")
    with pytest.raises(ValueError, match="two folders"):
        newest(f"{tmp_path}/span-{{SPAN}}")


@pytest.mark.parametrize(
    "pattern", ["data", "a-{VERSION}", "{SPAN}/{SPAN}", "{SPAN}-{YYYY}-{MM}-{DD}", "{YYYY}-{MM}"]
)
def test_a_pattern_says_what_it_lacks(pattern):
    with pytest.raises(ValueError, match="names {SPAN}"):
        newest(pattern)


def test_no_span_says_what_is_there(tmp_path):
    arrive(tmp_path, "span-1")
    with pytest.raises(ValueError, match=r"span 5.*there are \(span, version\) \[\(1, 0\)\]"):
        newest(f"{tmp_path}/span-{{SPAN}}", span=5)


def test_tfx_finds_the_same_folder(tmp_path):
    utils = pytest.importorskip("tfx.components.example_gen.utils")
    from tfx.proto import example_gen_pb2

    for name in ("span-2/version-9", "span-10/version-1", "span-10/version-2"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_text("x")
    split = example_gen_pb2.Input.Split(name="all", pattern="span-{SPAN}/version-{VERSION}/*")
    _, span, version = utils.calculate_splits_fingerprint_span_and_version(str(tmp_path), [split])
    arrive(tmp_path / "span-10" / "version-2", "ash")
    folder = newest(f"{tmp_path}/span-{{SPAN}}/version-{{VERSION}}")
    assert (folder.span, folder.version) == (int(span), int(version)) == (10, 2)


def test_the_command_reads_the_newest_span_and_says_so_in_the_manifest(tmp_path, capsys):
    write_set(tmp_path / "in" / "span-1" / "version-1", points=1, views=1)
    write_set(tmp_path / "in" / "span-2" / "version-1", points=1, views=2)
    pattern = f"{tmp_path}/in/span-{{SPAN}}/version-{{VERSION}}"
    assert (
        main(
            [
                "ingest",
                "--input-pattern",
                pattern,
                "--out",
                str(tmp_path / "out"),
                "--size",
                "16",
                "--shards",
                "1",
            ]
        )
        == 0
    )
    assert json.loads(capsys.readouterr().out) == {"read": 6, "written": 6, "quarantined": 0}
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["span"], manifest["version"]) == (2, 1)
    assert (
        main(["ingest", "--input-pattern", pattern, "--span", "3", "--out", str(tmp_path / "out")])
        == 1
    )
    assert "there are (span, version) [(1, 1), (2, 1)]" in capsys.readouterr().err


def test_a_span_that_is_still_being_written_waits_for_its_marker(tmp_path):
    pattern = f"{tmp_path}/span-{{SPAN}}"
    arrive(tmp_path, "span-1", "span-2")
    assert newest(pattern).span == 2, "nobody writes markers"
    (tmp_path / "span-1" / "_SUCCESS").touch()
    assert newest(pattern).span == 1
    (tmp_path / "span-2" / "_SUCCESS").touch()
    assert newest(pattern).span == 2
