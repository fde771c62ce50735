"""Closed-form readouts against the naive way."""

import numpy as np
import pytest

from models.networks.losses.block_layout import from_blocks, to_blocks
from models.networks.transfers.closed_form.ridge import (
    KernelRidge,
    Moments,
    RidgeInverses,
    neighbourhoods,
)

RNG = np.random.default_rng(0)


def solved(features, outputs, subsets, ridge):
    """weights of every subset from one pass, nothing held out."""
    moments = Moments(subsets)
    moments.add(
        {
            i: np.concatenate([x, np.ones((len(x), 1), "float32")], 1)
            for i, x in enumerate(features)
        },
        outputs,
        held=False,
    )
    return [
        moments.solve(subset, (ridge,), {"all": slice(0, outputs.shape[1])})[0]
        for subset in subsets
    ]


def test_a_subset_of_the_gram_matrix_solves_what_ridge_regression_on_the_subset_solves():
    features = [RNG.normal(size=(200, 6)).astype("float32") for _ in range(4)]
    outputs = RNG.normal(size=(200, 3)).astype("float32")
    (found,) = solved(features, outputs, [(1, 3)], 0.1)
    x = np.concatenate([features[1], features[3]], 1).astype("float64")
    centred = x - x.mean(0)
    naive = np.linalg.solve(
        centred.T @ centred + 0.1 * 200 * np.eye(12), centred.T @ (outputs - outputs.mean(0))
    )
    np.testing.assert_allclose(found[:-1], naive, atol=1e-4)


def test_a_singular_gram_matrix_still_has_a_finite_solution():
    same = RNG.normal(size=(50, 4)).astype("float32")
    assert np.isfinite(solved([same, same], same, [(0, 1)], 1e-9)[0]).all()


def test_the_order_of_the_sources_does_not_change_the_answer():
    features, outputs = (
        [RNG.normal(size=(80, 5)).astype("float32") for _ in range(2)],
        RNG.normal(size=(80, 2)).astype("float32"),
    )
    forth, back = solved(features, outputs, [(0, 1), (1, 0)], 0.1)
    np.testing.assert_allclose(forth, back[[*range(5, 10), *range(5), 10]], atol=1e-5)


@pytest.mark.parametrize("ridge", [1e-2, 1.0])
def test_left_out_predictions_equal_refitting_without_the_sample(ridge):
    x, y = RNG.normal(size=(12, 4)), RNG.normal(size=(12, 2))
    y -= y.mean(0)
    kernel = x @ x.T
    fit = KernelRidge(kernel, y, (ridge,))
    for i in range(12):
        rest = np.delete(np.arange(12), i)
        dual = np.linalg.solve(
            kernel[np.ix_(rest, rest)] + ridge * np.trace(kernel) / 12 * np.eye(11), y[rest]
        )
        np.testing.assert_allclose(fit.left_out[i], kernel[i, rest] @ dual, atol=1e-4)


def test_blocks_unfold_into_the_map_they_were_cut_from():
    maps = RNG.normal(size=(2, 16, 16, 3)).astype("float32")
    np.testing.assert_array_equal(from_blocks(to_blocks(maps, 4, 1), 4, 3, 1), maps)


def test_the_middle_tap_is_the_map_itself_and_the_border_is_zero():
    maps = RNG.normal(size=(1, 4, 4, 2))
    taps = neighbourhoods(maps)
    np.testing.assert_array_equal(taps[..., 8:10], maps)
    assert not taps[0, 0, :, :6].any()


def test_a_root_of_an_inverse_is_triangular_and_equals_numpys():
    from models.networks.transfers.closed_form.cholesky import inverse_root

    x = RNG.normal(size=(60, 40))
    matrix = np.asfortranarray(x.T @ x)
    root = inverse_root(matrix.copy(order="F"))
    assert not np.triu(root, 1).any()
    np.testing.assert_allclose(root.T @ root, np.linalg.inv(matrix), atol=1e-12)
    with pytest.raises(np.linalg.LinAlgError, match="minors"):
        inverse_root(np.asfortranarray(-matrix))
    with pytest.raises(TypeError, match="Fortran"):
        inverse_root(np.ascontiguousarray(matrix[:, :3]))


def test_where_rounding_made_a_kernel_indefinite_the_root_is_triangular_too():
    from models.networks.transfers.closed_form.ridge import inverse_root

    vectors = np.linalg.qr(RNG.normal(size=(12, 12)))[0]
    kernel = vectors * np.append(np.linspace(1, 2, 11), -0.2) @ vectors.T
    root = inverse_root(kernel, 0.1)
    assert not np.triu(root, 1).any()
    lifted = vectors * np.append(np.linspace(1, 2, 11), 0) @ vectors.T + 0.1 * np.eye(
        12
    )  # what lies below zero counts as zero
    np.testing.assert_allclose(root.T @ root, np.linalg.inv(lifted), atol=1e-9)


@pytest.mark.parametrize("order", ["building by building", "mixed"])
def test_groups_left_out_equal_refitting_without_them(order):
    x, y = RNG.normal(size=(20, 6)), RNG.normal(size=(20, 2))
    y -= y.mean(0)
    groups = np.repeat(np.arange(4), 5) if order == "building by building" else np.arange(20) % 4
    kernel, strength = x @ x.T, 0.1 * np.trace(x @ x.T) / 20
    fit = KernelRidge(RidgeInverses(kernel, (0.1,), groups), y, (0.1,))
    for group in range(4):
        out, rest = np.flatnonzero(groups == group), np.flatnonzero(groups != group)
        dual = np.linalg.solve(kernel[np.ix_(rest, rest)] + strength * np.eye(15), y[rest])
        np.testing.assert_allclose(fit.left_out[out], kernel[np.ix_(out, rest)] @ dual, atol=1e-4)


def test_a_ridge_is_chosen_by_the_outputs_that_are_judged():
    rows = np.concatenate([RNG.normal(size=(400, 3)), np.ones((400, 1))], 1).astype("float32")
    clean, noise = rows[:, :1], RNG.normal(size=(400, 1)).astype("float32")
    chosen = {}
    for judged in ([True, False], [False, True]):
        moments = Moments([(0,)])
        for held in (False, True):
            moments.add(
                {0: rows[200 * held :][:200]},
                np.concatenate([clean, noise], 1)[200 * held :][:200],
                held,
            )
        moments.judged = np.array(judged)
        weights, ridges = moments.solve((0,), (1e-6, 10.0), {"both": slice(0, 2)})
        chosen[tuple(judged)] = ridges["both"]
        assert weights.shape == (4, 2)
    assert chosen == {(True, False): 1e-6, (False, True): 10.0}
