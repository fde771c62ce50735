"""The next labels, as a newcomer asks for them."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from affinity_tables import regime_table, shares, with_scratch

from models.taxonomy import Affinities
from models.taxonomy.__main__ import main
from models.taxonomy.commands.label_amounts import amounts_of


@pytest.fixture
def file(tmp_path):
    table = with_scratch(regime_table(3, tasks=4, regimes=("1k", "16k"), source_only=0), 3)
    shares(table).save(tmp_path / "amounts.json")
    return tmp_path / "amounts.json"


def ask(file, capsys, *more: str) -> tuple[int, str]:
    words = ["--full-images", "1000", "--images", "1k=50", "--images", "16k=200", "--scratch", "on"]
    code = main(["next-labels", "--affinities", str(file), *words, *more])
    return code, capsys.readouterr().out


def test_what_to_buy_and_what_it_gains_is_said(file, capsys):
    have = [word for i in range(4) for word in ("--have", f"t{i}=50")]
    code, text = ask(file, capsys, "--next", "400", *have)
    assert code == 0 and "expected gain: objective +" in text
    assert max(map(len, text.splitlines())) <= 80
    code, text = ask(file, capsys, "--next", "400", "--json", *have)
    facts = json.loads(text)
    assert facts["spent"] <= 400 and facts["gain"]["objective"] >= 0


def test_without_labels_the_first_purchase_reaches_every_target(file, capsys):
    code, text = ask(file, capsys, "--next", "200")
    assert code == 0 and "now: not every target is reached" in text


def test_prices_are_of_one_label(file, capsys):
    code, text = ask(file, capsys, "--next", "5", "--json", *["--price", "t0=0"])
    assert code == 1 and not text, "three other targets need 50 labels each"


def readme_command() -> list[str]:
    """the words of the README's row on this command."""
    text = (Path(__file__).parents[4] / "README.md").read_text()
    [words] = re.findall(r"`(next-labels --affinities [^`]*)`", text)
    return words.split()


def test_the_readmes_command_runs_on_a_table_of_a_run(tmp_path, capsys, monkeypatch):
    regimes = ("", "192", "96", "48")  # those of `make demo`
    table = with_scratch(regime_table(3, tasks=4, regimes=regimes, source_only=0), 3)
    names = {f"t{i}": name for i, name in enumerate(["normal", "reshading", "jigsaw", "denoising"])}
    rows = [
        replace(
            row,
            transfer=replace(
                row.transfer,
                sources=tuple(names[name] for name in row.transfer.sources),
                target=names[row.transfer.target],
            ),
        )
        for row in table.rows
    ]
    Affinities(tuple(rows), {}).save(tmp_path / "amounts.json")
    monkeypatch.chdir(tmp_path)
    words = readme_command()
    at = words.index("192=192")
    # an amount that the words leave out is not bought
    for asked, known in (
        (words, set(regimes)),
        (words[: at - 1] + words[at + 1 :], {"", "96", "48"}),
    ):
        assert main([*asked, "--json"]) == 0
        facts = json.loads(capsys.readouterr().out)
        assert facts["buy"] and {edge["regime"] for edge in facts["edges"]} <= known


def test_too_little_to_spend_says_which_option_to_raise(file, capsys):
    code = main(
        ["next-labels", "--affinities", str(file), "--full-images", "1000"]
        + ["--images", "1k=50", "--next", "20"]
    )
    output = capsys.readouterr().err
    assert (
        code == 1 and "--next 20 is the budget here" in output and "raise the budget to" in output
    )


@pytest.mark.parametrize("option", ["--have", "--price"])
def test_labels_of_unknown_tasks_are_refused(file, capsys, option):
    assert (
        main(
            ["next-labels", "--affinities", str(file), "--full-images", "1000"]
            + ["--images", "1k=50", option, "t9=3"]
        )
        == 1
    )
    assert "unknown task 't9'; did you mean t" in capsys.readouterr().err
    assert (
        main(
            ["solve", "--affinities", str(file), "--budget", "2000", "--amounts", "full=1000"]
            + ["1k=50", option, "t9=3"]
        )
        == 1
    )
    assert "unknown task 't9'; did you mean t" in capsys.readouterr().err


def test_amounts_without_a_name_are_told_so(tmp_path, capsys):
    regime_table(3, regimes=("", "48")).save(tmp_path / "amounts.json")
    words = ["next-labels", "--affinities", str(tmp_path / "amounts.json"), "--full-images", "90"]
    assert main([*words, "--images", "100", "--images", "48=95"]) == 1
    assert "fewer than the amounts 100, 48=95" in capsys.readouterr().err
    assert main([*words, "--images", "7k=10"]) == 1
    assert "the table knows one without a name, 48" in capsys.readouterr().err


def test_a_number_alone_is_the_only_amount():
    assert amounts_of(["16000"]) == {"": 16000.0}
    assert amounts_of(["1k=1000", "=5"]) == {"1k": 1000.0, "": 5.0}


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (["1k=400", "16k=16000"], "1k=400: the amount 1k was measured with about 1000"),
        (["1k=1000", "16k=195"], "16k=195: the amount 16k was measured with about 16000"),
        (["1k=800", "16k=12000"], ""),
    ],
    ids=["fewer", "another's", "as some tasks have"],
)
def test_numbers_that_cannot_be_what_was_measured_are_doubted(file, capsys, images, words):
    given = [word for text in images for word in ("--images", text)]
    arguments = ["--affinities", str(file), "--full-images", "120000", "--next", "150000"]
    assert main(["next-labels", *arguments, *given]) == 0
    assert capsys.readouterr().err == (f"warning: {words}\n" if words else "")


def test_a_number_without_a_name_is_that_of_the_largest_amount(tmp_path, capsys):
    shares(regime_table(3, regimes=("48", "192", ""))).save(tmp_path / "amounts.json")
    arguments = ["--affinities", str(tmp_path / "amounts.json"), "--full-images", "3150"]
    told = {}
    for number in ("95", "400"):
        main(["next-labels", *arguments, "--images", number, "--next", "9000"])
        told[number] = capsys.readouterr().err
    assert "95 without a name stands for the largest amount, yet 192 was measured" in told["95"]
    assert told["400"] == ""
