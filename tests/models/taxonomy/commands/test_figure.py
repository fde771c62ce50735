"""The matrix as a picture: a square a transfer, the strongest shaded most."""

from xml.etree import ElementTree

import pytest
from affinity_tables import small_store

from models.taxonomy import Affinities, Transfer, measure
from models.taxonomy.__main__ import main
from models.taxonomy.affinities import Row
from models.taxonomy.commands.figure import matrix, picture


def test_every_first_order_transfer_has_its_square(tmp_path, capsys):
    table = measure(small_store(tmp_path / "losses"))
    table.save(tmp_path / "table.json")
    out = tmp_path / "matrix.svg"
    arguments = ["figure", "--affinities", str(tmp_path / "table.json"), "--out", str(out)]
    assert main(arguments) == 0 and "3 targets" in capsys.readouterr().out
    drawn = ElementTree.parse(out)
    squares = drawn.findall(".//{*}rect/{*}title/..")
    assert len(squares) == 9 and sum(float(one.get("fill-opacity")) == 1 for one in squares) == 3
    assert sum(one.get("stroke") != "none" for one in squares) == 3
    said = [text.text for text in drawn.findall(".//{*}text")]
    assert {"source", "target"} <= set(said) and any("best source" in words for words in said)


def test_names_stay_text_and_a_lacking_transfer_is_no_square():
    rows = (Row(Transfer(("<b>",), "t&"), 0.2), Row(Transfer(("c",), "u"), 0.0))
    table = Affinities(rows, {})
    drawn = ElementTree.fromstring(picture(matrix(table), table))
    assert len(drawn.findall(".//{*}title")) == 2
    assert {"<b>", "t&"} <= {text.text for text in drawn.findall(".//{*}text")}


def test_what_cannot_be_drawn_is_said(tmp_path):
    pair = Affinities((Row(Transfer(("a", "b"), "t"), 0.2),), {})
    with pytest.raises(ValueError, match="no transfer from one source"):
        matrix(pair)
    assert main(["figure", "--affinities", "a.json", "--out", str(tmp_path / "m.png")]) == 1
