"""Paths as arguments: what names nothing is not taken for the current folder."""

import argparse
from pathlib import Path

import pytest

from models.arguments.places import named_path, named_place


@pytest.mark.parametrize("text", ["runs/mine", ".", "/a b", "gs://b/d", "span-{SPAN}"])
def test_a_place_is_taken_as_it_was_typed(text):
    assert named_place(text) == text and named_path(text) == Path(text)


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_an_empty_one_is_refused(text):
    for kind in (named_path, named_place):
        with pytest.raises(argparse.ArgumentTypeError, match="a variable that is not set"):
            kind(text)
