"""Options by their full names: of a command, of its subcommands, and of theirs."""

import pytest

from models.arguments.exact import ExactParser


def test_what_is_abbreviated_is_refused(capsys):
    top = ExactParser(prog="x")
    top.add_argument("--run")
    command = top.add_subparsers(dest="command").add_parser("schedule")
    command.add_argument("--every")
    assert top.parse_args(["--run", "r", "schedule", "--every=6h"]).every == "6h"
    for words in (["--ru=r", "schedule"], ["schedule", "--eve", "6h"], ["schedule", "--eve=6h"]):
        with pytest.raises(SystemExit):
            top.parse_args(words)
        assert "unrecognized arguments: --" in capsys.readouterr().err
