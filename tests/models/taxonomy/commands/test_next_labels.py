"""The next labels, as a newcomer asks for them."""

import json

import pytest
from affinity_tables import regime_table, with_scratch

from models.taxonomy import Affinities
from models.taxonomy.__main__ import main
from models.taxonomy.commands.label_amounts import amounts_of


@pytest.fixture
def file(tmp_path):
    table = with_scratch(regime_table(3, tasks=4, regimes=("1k", "16k"), source_only=0), 3)
    rows = tuple(row for row in table.rows)
    Affinities(rows, {}).save(tmp_path / "amounts.json")
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


def test_a_number_alone_is_the_only_amount():
    assert amounts_of(["16000"]) == {"": 16000.0}
    assert amounts_of(["1k=1000", "=5"]) == {"1k": 1000.0, "": 5.0}
