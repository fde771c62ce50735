"""Flags of `serve` have the original's names, spellings and defaults."""

import argparse

import pytest

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


@pytest.mark.parametrize("name", WITHOUT_EFFECT)
def test_a_flag_of_the_runtime_is_taken_with_a_value_or_without(name):
    assert getattr(parsed(f"--{name}"), name) == "true"
    assert getattr(parsed(f"--{name}=7"), name) == "7"
    assert getattr(parsed(), name) is None
