"""A rate stays, or falls to nothing as a cosine; maps have one of their own."""

import dataclasses

import pytest
from tiny_store import TINY

from models.networks.transfers.gradient.schedule import Schedule, schedule_of


def test_a_cosine_begins_at_the_rate_and_is_half_of_it_in_the_middle():
    falling = Schedule(rate=0.2, epochs=10, cosine=True)
    assert [falling.rate_of(epoch) for epoch in (0, 5, 10)] == pytest.approx([0.2, 0.1, 0.0])
    assert Schedule(rate=0.2).rate_of(7) == 0.2


def test_maps_and_vectors_have_rates_of_their_own():
    config = dataclasses.replace(TINY, transfer_rate=0.3, vector_rate=0.1)
    assert schedule_of(config, "normal", 4).rate == 0.3
    assert schedule_of(config, "egomotion", 4).rate == 0.1
