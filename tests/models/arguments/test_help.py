"""What `--help` says: every option has a text, and its default where it has one."""

import argparse
import importlib

import pytest

from beam_jobs.__main__ import COMMANDS, command_module
from models.arguments.help import DefaultsFormatter


def test_defaults_are_said_once_and_only_where_there_are_any():
    made = argparse.ArgumentParser(prog="x", formatter_class=DefaultsFormatter)
    made.add_argument("--views", default=40, help="of a building")
    made.add_argument("--size", default=128)
    made.add_argument("--up", default="y", help="axis (default: by the file)")
    made.add_argument("--share", default="5%", help="kept")
    made.add_argument("--open", action="store_true", help="in a browser")
    made.add_argument("--hidden", default=3, help=argparse.SUPPRESS)
    made.add_argument("place", nargs="?", default=7, help="where")
    lines = [" ".join(line.split()) for line in made.format_help().splitlines()]
    assert lines[-6:] == [
        "-h, --help show this help message and exit",
        "--views VIEWS of a building (default: 40)",
        "--size SIZE default: 128",
        "--up UP axis (default: by the file)",
        "--share SHARE kept (default: 5%)",
        "--open in a browser",
    ]
    assert "place where" in lines


# program -> command -> what its help must hold
SAID = {
    "beam_jobs": {
        "annotate": ["default: 12", "slightly more) (default: 40", "pixels (default: 128)"],
        "ingest": ["training images (default: 64)", "default: 4"],
    },
    "serving": {
        "ask": ["default: 127.0.0.1:8500", "default: taxonomy", "default: answers"],
        "push": ["the folder of one version", "the served folder"],
        "rollback": ["the served folder"],
    },
}


@pytest.mark.parametrize("program", SAID)
def test_commands_say_their_defaults(program, capsys):
    main = importlib.import_module(f"{program}.__main__").main
    for command, texts in SAID[program].items():
        with pytest.raises(SystemExit):
            main([command, "--help"])
        output = " ".join(capsys.readouterr().out.split())
        for text in texts:
            assert text in output, (command, text)


def options_without_help(parser, name):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb, command in action.choices.items():
                yield from options_without_help(command, f"{name} {verb}")
        elif not action.help:
            yield f"{name} {action.option_strings or action.dest}"


@pytest.mark.parametrize(
    "program", ["models.reports", "models.taxonomy", "serving", "tfx_pipeline"]
)
def test_every_option_has_a_text(program):
    parser = importlib.import_module(f"{program}.__main__").parser()
    bare = list(options_without_help(parser, program))
    # flags of `serve` are TensorFlow Serving's, which explains them
    assert [option for option in bare if not option.startswith("serving serve ")] == []


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_option_of_a_beam_job_has_a_text(verb):
    parser = argparse.ArgumentParser()
    command_module(verb).add_arguments(parser)
    assert list(options_without_help(parser, verb)) == []
