"""Flags of `serve` have the original's names, spellings and defaults."""

import argparse

import pytest

from serving.__main__ import parser as serving_parser
from serving.server.flags import MOST_PORT, WITHOUT_EFFECT, add_flags, at_least_one, boolean, port


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    return parser.parse_args(arguments)


def test_defaults_are_the_originals_but_where_the_help_says_so():
    found = parsed()
    assert found.model_name == "default" and found.port == 8500 and found.rest_api_port is None
    assert found.rest_api_timeout_in_ms == 30000 and found.file_system_poll_wait_seconds == 1
    assert found.host == "127.0.0.1" and not found.enable_batching and found.enable_model_warmup


@pytest.mark.parametrize("text, value", [("true", 1), ("FALSE", 0), ("1", 1), ("0", 0)])
def test_a_switch_takes_the_originals_spellings(text, value):
    assert boolean(text) == bool(value)
    assert parsed(f"--enable_batching={text}").enable_batching == bool(value)
    assert parsed("--enable_batching").enable_batching is True


@pytest.mark.parametrize(
    "read, text, words",
    [
        (boolean, "yes", "expected true or false, got yes"),
        (at_least_one, "0", "at least 1, got 0"),
        (at_least_one, "-1", "at least 1, got -1"),
        (port, "x", f"expected a port, 0 to {MOST_PORT}, got x"),
        (port, str(MOST_PORT + 1), "expected a port"),
        (port, "-1", "expected a port"),
    ],
)
def test_a_value_that_is_none_is_refused(read, text, words):
    with pytest.raises(argparse.ArgumentTypeError, match=words):
        read(text)


def test_a_base_path_may_be_a_uri_of_a_file():
    assert str(parsed("--model_base_path=file:///m/a").model_base_path) == "/m/a"
    assert str(parsed("--model_base_path=/m/a").model_base_path) == "/m/a"


@pytest.mark.parametrize("flag", ["--v=1", "--rest_api=3", "--model_base=/m"])
def test_a_flag_is_not_abbreviated(flag):
    found, unknown = serving_parser().parse_known_args(["serve", flag])
    assert unknown == [flag]
    assert not found.version and found.rest_api_port is None and found.model_base_path is None


@pytest.mark.parametrize("name", WITHOUT_EFFECT)
def test_a_flag_of_the_runtime_is_taken_with_a_value_or_without(name):
    assert getattr(parsed(f"--{name}"), name) == "true"
    assert getattr(parsed(f"--{name}=7"), name) == "7"
    assert getattr(parsed(), name) is None
