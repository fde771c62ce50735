"""Cheap predictors: each ranks what is known."""

from itertools import combinations

import numpy as np
import pytest

from models.taxonomy.evidence import proxies
from models.taxonomy.evidence.proxies import Gram, Readout, cka, rsa, scores


def features(rng, images=120):
    """a latent world, one source that sees it, one that sees half, one that sees noise; labels are
    a linear function of it.
    """
    world = rng.normal(size=(images, 12))
    clear, half = world @ rng.normal(size=(12, 40)), world[:, :6] @ rng.normal(size=(6, 40))
    return world, {"clear": clear, "half": half, "noise": rng.normal(size=(images, 40))}


def test_every_proxy_ranks_what_is_known():
    rng = np.random.default_rng(0)
    world, sources = features(rng)
    labels = world @ rng.normal(size=(12, 3))
    rows = {
        row["sources"][0]: row
        for row in scores(sources, labels, world, [("clear",), ("half",), ("noise",)])
    }
    for proxy in ("rsa", "cka", "logme", "linear"):
        assert rows["clear"][proxy] > rows["half"][proxy] > rows["noise"][proxy], proxy
    assert rows["clear"]["linear"] > 0.99 and rows["noise"]["linear"] < 0.1


def test_leaving_one_out_in_closed_form_is_leaving_one_out():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 5)), rng.normal(size=(30, 2))
    gram = Gram.of(x)
    ridge = 1.0
    kernel, errors = gram.kernel, []
    for i in range(30):
        keep = np.arange(30) != i
        x_mean, y_mean = x[keep].mean(0), y[keep].mean(0)
        scale = np.trace((x - x.mean(0)) @ (x - x.mean(0)).T) / 30
        weights = np.linalg.solve(
            (x[keep] - x_mean).T @ (x[keep] - x_mean) + ridge * scale * np.eye(5),
            (x[keep] - x_mean).T @ (y[keep] - y_mean),
        )
        errors.append(y[i] - y_mean - (x[i] - x_mean) @ weights)
    readout = Readout(gram)
    shrink = readout.values / (readout.values + ridge)
    centred = y - y.mean(0)
    residual = centred - readout.vectors @ (shrink[:, None] * (readout.vectors.T @ centred))
    leverage = readout.vectors**2 @ shrink + 1 / 30
    np.testing.assert_allclose(residual / (1 - leverage)[:, None], errors, rtol=1e-6)
    assert kernel.trace() == pytest.approx(30)


def test_sets_that_are_scored_together_score_as_each_alone(monkeypatch):
    """sets of one and two sources in parts of three, one source of fewer features than images."""
    rng = np.random.default_rng(4)
    world, sources = features(rng, images=20)
    sources["narrow"] = world[:, :3]
    labels = world @ rng.normal(size=(12, 3))
    sets = [*combinations(sources, 1), *combinations(sources, 2)]
    monkeypatch.setattr(proxies, "NUMBERS", 3 * 20**2)
    rows = scores(sources, labels, world, sets)
    assert [tuple(row["sources"]) for row in rows] == sets
    target = Gram.of(world)
    for row in rows:
        gram = Gram(np.mean([Gram.of(sources[name]).kernel for name in row["sources"]], 0))
        readout = Readout(gram)
        alone = (
            rsa(gram, target),
            cka(gram, target),
            readout.logme(labels),
            readout.linear(labels),
        )
        together = [row[name] for name in ("rsa", "cka", "logme", "linear")]
        np.testing.assert_allclose(together, alone, rtol=1e-6)


def test_the_evidence_counts_no_direction_that_features_lack():
    """as the paper computes it, by features in place of their products."""
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(30, 4)), rng.normal(size=(30, 1))
    gram = Gram.of(x)
    y = (y - y.mean()) / y.std()
    left, size, _ = np.linalg.svd(x - x.mean(0), full_matrices=False)
    values = size**2 * 30 / (size**2).sum()
    alpha = beta = 1.0
    squares = (left.T @ y)[:, 0] ** 2
    rest = (y**2).sum() - squares.sum()
    for _ in range(11):
        ratio = alpha / beta
        gamma = (values / (values + ratio)).sum()
        weight = (values * squares / (values + ratio) ** 2).sum()
        error = (squares * (ratio / (values + ratio)) ** 2).sum() + rest
        alpha, beta = gamma / weight, (30 - gamma) / error
    ratio = alpha / beta
    weight = (values * squares / (values + ratio) ** 2).sum()
    error = (squares * (ratio / (values + ratio)) ** 2).sum() + rest
    evidence = 4 * np.log(alpha) + 30 * np.log(beta) - np.log(alpha + beta * values).sum()
    evidence -= 30 * np.log(2 * np.pi) + beta * error + alpha * weight
    assert Readout(gram).logme(y) == pytest.approx(evidence / 60, rel=1e-6)


def test_more_features_than_images_explain_noise_no_better_than_chance():
    rng = np.random.default_rng(3)
    assert Readout(Gram.of(rng.normal(size=(20, 200)))).linear(rng.normal(size=(20, 4))) < 0.2


def test_similarity_ignores_rotation_and_scale_and_features_that_say_nothing_are_refused():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(50, 8))
    turned = 3 * x @ np.linalg.qr(rng.normal(size=(8, 8)))[0]
    assert cka(Gram.of(x), Gram.of(turned)) == pytest.approx(1)
    assert rsa(Gram.of(x), Gram.of(turned)) == pytest.approx(1)
    with pytest.raises(ValueError, match="constant"):
        Gram.of(np.ones((10, 3)))
    with pytest.raises(ValueError, match="finite"):
        Gram.of(np.full((10, 3), np.nan))
