"""Measuring as text: a row a tournament, stars for what is not ranked."""

import re
import shlex
from pathlib import Path

import pytest
from affinity_tables import built_store, small_store

from models.taxonomy.__main__ import main
from models.taxonomy.commands.measure import store_at


def test_a_row_a_tournament_and_the_file_are_said(tmp_path, capsys):
    small_store(tmp_path / "losses")
    out = tmp_path / "table.json"
    words = ["--losses", str(tmp_path / "losses"), "--out", str(out), "--resamples", "20"]
    assert main(["measure", *words]) == 0
    text = capsys.readouterr().out
    assert out.exists() and f"-> {out}" in text
    assert [line.split()[0] for line in text.splitlines()[1:4]] == ["a", "b", "c"]
    assert max(len(line) for line in text.splitlines() if str(out) not in line) <= 80


@pytest.mark.parametrize(
    ("store", "said"),
    [
        (small_store, ", intervals: 30 images, redrawn 20 times"),
        (built_store, ", intervals: 20 buildings, redrawn 20 times"),
    ],
)
def test_what_intervals_are_over_is_said(tmp_path, capsys, store, said):
    store(tmp_path / "losses")
    words = ["--losses", str(tmp_path / "losses"), "--out", str(tmp_path / "table.json")]
    assert main(["measure", *words, "--resamples", "20"]) == 0
    assert said in capsys.readouterr().out
    assert main(["measure", *words, "--resamples", "0"]) == 0
    assert ", intervals: " not in capsys.readouterr().out


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="no folder"):
        store_at(str(tmp_path / "no"), tmp_path / "scratch")


def test_a_folder_without_targets_says_what_is_wanted_and_which_file_to_give(tmp_path):
    (tmp_path / "losses.csv").write_text("target,sources,image,loss\n")
    with pytest.raises(ValueError, match=r"no store of losses.*give .*losses\.csv"):
        store_at(str(tmp_path), tmp_path / "scratch")


def test_losses_of_a_csv_give_the_table_that_their_store_gives(tmp_path, capsys):
    store = built_store(tmp_path / "losses", buildings=4, views=2)
    lines = ["target,sources,control,image,loss"]
    for target in store.targets():
        measured = store.read(target)
        for transfer, losses in zip(measured.transfers, measured.losses):
            said = f"{target},{'+'.join(transfer.sources)},{transfer.control or ''}"
            lines += [f"{said},{image},{loss!r}" for image, loss in zip(measured.images, losses)]
    table = tmp_path / "losses.csv"
    table.write_text("\n".join(lines).replace("np.float32(", "").replace(")", ""))
    for place, out in ((tmp_path / "losses", "a.json"), (table, "b.json")):
        words = ["--losses", str(place), "--out", str(tmp_path / out), "--resamples", "20"]
        assert main(["measure", *words]) == 0
    assert (tmp_path / "a.json").read_text() == (tmp_path / "b.json").read_text()
    assert "4 buildings, redrawn 20 times" in capsys.readouterr().out


def test_the_commands_of_the_document_run(tmp_path, monkeypatch, capsys):
    document = Path(__file__).resolve().parents[4] / "docs" / "LOSSES.md"
    blocks = re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```", document.read_text(), re.M | re.S)
    monkeypatch.chdir(tmp_path)
    for kind, name, text in blocks:
        if kind == "csv":
            Path(name).write_text(text)
        elif kind == "python":
            exec(compile(text, str(document), "exec"), {})
        else:
            for line in text.splitlines():
                words = shlex.split(line)
                assert words[:3] == ["python", "-m", "models.taxonomy"]
                assert main(words[3:]) == 0, line
    assert Path("matrix.svg").exists() and Path("from_store.csv").exists()
    output = capsys.readouterr()
    assert output.out.count("optimal: ") == 2 and not output.err
