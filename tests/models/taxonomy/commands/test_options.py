"""Names in a list, and complaints in one line."""

import pytest

from models.taxonomy.commands.options import Parser, names


def test_names_are_parted_by_commas():
    assert names("a, b,,c") == {"a", "b", "c"}


def test_a_complaint_is_one_line(capsys):
    with pytest.raises(SystemExit) as end:
        Parser(prog="tool").parse_args(["--no-such-option"])
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        "error: unrecognized arguments: --no-such-option (see tool --help)\n"
    )
