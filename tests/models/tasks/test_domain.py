"""Every published folder says how its files are written."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from beam_jobs.__main__ import main as beam_jobs
from models.tasks import DOMAINS, TASKS, check_label_folders, label_domains
from tfx_pipeline.__main__ import main as tfx_pipeline


def test_every_label_of_a_task_is_a_folder_with_a_file_a_view():
    assert {label for entry in TASKS.values() for label in entry.labels} == set(label_domains())


def test_rgb_comes_first_and_files_about_points_are_no_labels_of_views():
    assert label_domains()[0] == "rgb"
    assert set(DOMAINS) - set(label_domains()) == {"nonfixated_matches"}


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=lambda domain: domain.folder)
def test_a_missing_code_and_the_range_fit_the_dtype(domain):
    if domain.file != "png":
        return
    largest = np.iinfo(domain.dtype).max
    assert 0 <= domain.low <= domain.high <= largest
    assert domain.missing is None or domain.low <= domain.missing <= domain.high


@pytest.mark.parametrize(
    "change, message",
    [({"file": "jpg"}, "png, npy or json"), ({"dtype": "float32"}, "uint8 or uint16")],
)
def test_a_folder_of_other_files_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(DOMAINS["depth_zbuffer"], **change)


def documented() -> dict[str, list[str]]:
    """folder -> the other cells of its row in the documents' table of files."""
    text = (Path(__file__).resolve().parents[3] / "docs" / "DATA.md").read_text(encoding="utf-8")
    section = text.split("## Files of a data set")[1].split("\n## ")[0]
    rows = [row.split("|")[1:-1] for row in section.splitlines() if row.startswith("| `")]
    return {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in rows}


def test_the_documents_have_a_row_for_every_folder():
    assert list(documented()) == list(DOMAINS)


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=lambda domain: domain.folder)
def test_the_documents_say_how_a_file_is_called_and_written(domain):
    files, holds, _, missing = documented()[domain.folder]
    names = re.findall(r"`(\w+)\.(\w+)`", files)
    words = {domain.suffix, *domain.aliases}
    assert names[0][0] == domain.suffix and set(names) == {(word, domain.file) for word in words}
    if domain.file == "png":
        bits = 8 * np.dtype(domain.dtype).itemsize
        assert holds.startswith(f"{bits}-bit {'RGB' if domain.channels == 3 else 'grey'}")
    elif domain.file == "npy":
        assert holds == f"{domain.channels:,} numbers"
    # of normals two colours say it, which no one code does
    assert bool(missing) == (domain.missing is not None or domain.folder == "normal")
    assert str(domain.missing if domain.missing is not None else "") in missing


def test_a_task_whose_label_folder_has_no_row_is_refused_with_what_to_do():
    check_label_folders()
    entry = dataclasses.replace(TASKS["reshading"], name="rust", labels=("rgb", "defects"))
    with pytest.raises(ValueError, match="task rust: labels name defects.*add a Domain there"):
        check_label_folders({"rust": entry})


@pytest.mark.parametrize(
    "main, words",
    [
        (beam_jobs, ["ingest", "--data", "DATA", "--out", "OUT"]),
        (tfx_pipeline, ["run", "--data", "DATA", "--run", "OUT", "--config", "smoke"]),
    ],
)
def test_no_work_begins_with_such_a_task(main, words, tmp_path, monkeypatch, capsys):
    entry = dataclasses.replace(TASKS["reshading"], name="rust", labels=("defects",))
    monkeypatch.setitem(TASKS, "rust", entry)
    places = {"DATA": str(tmp_path), "OUT": str(tmp_path / "out")}
    assert main([places.get(word, word) for word in words]) == 1
    assert "task rust: labels name defects" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
