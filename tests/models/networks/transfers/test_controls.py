"""Amounts of data in which networks are trained from scratch."""

import dataclasses

import pytest
from tiny_store import TINY, TinyStore

from models.networks.transfers.controls import regimes_with_scratch
from models.networks.transfers.regimes import regimes_of


@pytest.mark.parametrize(
    "change, regimes",
    [({}, ["", "4"]), ({"scratch_regimes": False}, [""]), ({"scratch_steps": 0}, [])],
)
def test_regimes_that_have_networks_from_scratch(change, regimes):
    asked = {"regimes": (4,), "scratch_steps": 1, **change}
    config = dataclasses.replace(TINY, **asked)
    there = list(reversed(regimes_of(TinyStore(), config)))
    assert [regime.name for regime in regimes_with_scratch(config, there)] == regimes
