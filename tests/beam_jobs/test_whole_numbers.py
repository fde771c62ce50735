"""Numbers of an argument are whole and not below what can be meant."""

import argparse

import pytest

from beam_jobs.whole_numbers import count, natural


@pytest.mark.parametrize("kind, least", [(count, 1), (natural, 0)])
def test_a_number_below_the_least_is_refused_with_what_was_expected(kind, least):
    assert kind(str(least)) == least and kind("12") == 12
    with pytest.raises(
        argparse.ArgumentTypeError, match=f"expected at least {least}, got {least - 1}"
    ):
        kind(str(least - 1))


@pytest.mark.parametrize("text", ["", "many", "1.5", "1e3"])
def test_what_is_no_whole_number_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="expected a whole number, got"):
        count(text)
