"""Transfers by gradient beside the closed form: rankings, and whether networks converged."""

import dataclasses
import io

import numpy as np
import pytest
from tiny_store import TINY, TinyStore

from models.networks.transfers import calibration
from models.networks.transfers.calibration import (
    SEEDS,
    calibrate,
    converged_share,
    ranking_agreement,
)
from models.networks.transfers.gradient.learner import Learned


def maps(index: int, split: str) -> np.ndarray:
    """made-up representations of three sources; the same every time."""
    views = len(TinyStore().views(split))
    return (
        np.random.default_rng([index, len(split)]).normal(size=(views, 4, 4, 8)).astype("float32")
    )


def test_a_calibration_compares_rankings_and_says_what_it_cost():
    store, rng = TinyStore(), np.random.default_rng(0)
    closed = {(name,): rng.random(8) for name in "abc"} | {("a", "b"): rng.random(8)}
    config = dataclasses.replace(TINY, calibration_sources=2, calibration_epochs=3)
    row = calibrate(
        store,
        maps,
        ["a", "b", "c"],
        "reshading",
        closed,
        config,
        out=(output := io.StringIO()),
    )
    assert row["transfers"] == 2 and row["seconds_a_network"] > 0
    assert -1 <= row["closed_against_gradient"] <= 1 and -1 <= row["between_seeds"] <= 1
    assert "calibration reshading" in output.getvalue()


def test_seeds_are_held_against_each_other_and_their_mean_against_the_closed_form(monkeypatch):
    # source -> mean losses with the first and with the second seed, and in closed form
    means = {"a": (0.4, 0.2, 0.1), "b": (0.3, 0.6, 0.2), "c": (0.5, 0.5, 0.3)}

    def learn(store, maps, name, slots, seeds, config, schedule, *, programs):
        assert (slots[:, 0].tolist(), seeds) == ([0, 0, 1, 1, 2, 2], [*SEEDS] * 3)
        members = np.array([value for two in means.values() for value in two[:2]])
        losses = members[:, None] + np.array([-0.05, 0.05])
        return Learned(losses, np.ones((4, 6)), np.array([1, 2, 3, 3, 3, 4]), 12.0)

    monkeypatch.setattr(calibration, "learn", learn)
    closed = {(name,): np.full(2, three[2]) for name, three in means.items()}
    row = calibrate(TinyStore(), maps, list("abc"), "reshading", closed, TINY, out=io.StringIO())
    assert row["between_seeds"] == pytest.approx(-0.5)  # ranks 2, 1, 3 and 1, 3, 2
    assert row["closed_against_gradient"] == pytest.approx(1.0)
    assert row["gradient_over_closed"] == pytest.approx(0.45 / 0.2)
    assert (row["epochs"], row["seconds_a_network"]) == (3, 2.0)


def test_a_network_has_converged_when_its_loss_no_longer_falls():
    falling, flat = 1 / np.arange(1, 10), np.array([3, 2, *[1.0] * 7])
    assert converged_share(np.stack([falling, flat], 1), 4) == 0.5
    assert converged_share(np.stack([flat], 1)[:4], 4) == 0


def test_rank_correlation_is_scipys():
    from scipy.stats import spearmanr

    a, b = np.random.default_rng(0).random((2, 9))
    assert ranking_agreement(a, b) == pytest.approx(spearmanr(a, b)[0])
    assert ranking_agreement(np.ones(4), np.arange(4)) == 0
