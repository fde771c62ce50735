"""Numbers that mean nothing are refused at the door, in one line."""

import argparse

import pytest

from models.arguments.numbers import count, duration, natural, positive, share


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


@pytest.mark.parametrize(
    "kind, text, message",
    [
        (positive, "nan", "finite"),
        (positive, "-2", "above 0"),
        (positive, "many", "expected a number"),
        (share, "1.01", "at most 1"),
    ],
)
def test_a_number_of_the_wrong_kind_is_refused(kind, text, message):
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        kind(text)


def test_numbers_of_the_right_kind_pass():
    assert (positive("0.5"), share("1")) == (0.5, 1.0)


@pytest.mark.parametrize(
    "text, seconds",
    [("90s", 90), ("30m", 1800), ("6h", 21600), ("1d", 86400), ("1.5h", 5400), ("5", 5)],
)
def test_a_time_is_in_seconds(text, seconds):
    assert duration(text) == seconds


NO_TIMES = ("", "h", "0", "0s", "-1", "-1h", "6 hours", "nan", "inf", "99999999d", "9" * 400)


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="such as 30m or 6h, above 0"):
        duration(text)
