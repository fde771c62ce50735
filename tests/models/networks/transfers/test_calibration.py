"""Transfers by gradient beside the closed form: rankings, and whether networks converged."""

import dataclasses
import io

import numpy as np
import pytest
from tiny_store import TINY, TinyStore

from models.networks.transfers.calibration import calibrate, converged, spearman
from models.networks.transfers.gradient.schedule import Schedule

QUICK = Schedule(batch=4, epochs=3, patience=2)


def maps(index: int, split: str) -> np.ndarray:
    """made-up representations of three sources; the same every time."""
    views = len(TinyStore().views(split))
    return (
        np.random.default_rng([index, len(split)]).normal(size=(views, 4, 4, 8)).astype("float32")
    )


def test_a_calibration_compares_rankings_and_says_what_it_cost():
    store, rng = TinyStore(), np.random.default_rng(0)
    closed = {(name,): rng.random(8) for name in "abc"} | {("a", "b"): rng.random(8)}
    config = dataclasses.replace(TINY, calibration_sources=2)
    row = calibrate(
        store,
        maps,
        ["a", "b", "c"],
        "reshading",
        closed,
        config,
        schedule=QUICK,
        out=(told := io.StringIO()),
    )
    assert row["transfers"] == 2 and row["seconds_a_network"] > 0
    assert -1 <= row["closed_against_gradient"] <= 1 and -1 <= row["between_seeds"] <= 1
    assert "calibration reshading" in told.getvalue()


def test_a_network_has_converged_when_its_loss_no_longer_falls():
    falling, flat = 1 / np.arange(1, 10), np.array([3, 2, *[1.0] * 7])
    assert converged(np.stack([falling, flat], 1), 4) == 0.5
    assert converged(np.stack([flat], 1)[:4], 4) == 0


def test_rank_correlation_is_scipys():
    from scipy.stats import spearmanr

    a, b = np.random.default_rng(0).random((2, 9))
    assert spearman(a, b) == pytest.approx(spearmanr(a, b)[0])
    assert spearman(np.ones(4), np.arange(4)) == 0
