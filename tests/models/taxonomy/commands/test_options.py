"""Numbers that mean nothing are refused at the door, in one line."""

import argparse

import pytest

from models.taxonomy.commands.options import Parser, count, names, natural, positive, share


@pytest.mark.parametrize(
    "kind, text, message",
    [
        (count, "0", "at least 1"),
        (count, "1.5", "whole number"),
        (natural, "-1", "at least 0"),
        (positive, "nan", "finite"),
        (positive, "-2", "above 0"),
        (positive, "many", "expected a number"),
        (share, "1.01", "at most 1"),
    ],
)
def test_a_number_of_the_wrong_kind_is_refused(kind, text, message):
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        kind(text)


def test_numbers_and_names_of_the_right_kind_pass():
    assert (count("3"), natural("0"), positive("0.5"), share("1")) == (3, 0, 0.5, 1.0)
    assert names("a, b,,c") == {"a", "b", "c"}


def test_a_complaint_is_one_line(capsys):
    with pytest.raises(SystemExit) as end:
        Parser(prog="tool").parse_args(["--no-such-option"])
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        "error: unrecognized arguments: --no-such-option (see tool --help)\n"
    )
