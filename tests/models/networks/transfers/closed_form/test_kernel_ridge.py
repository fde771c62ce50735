"""Kernel ridge regression against refitting without what is left out."""

import numpy as np
import pytest

from models.networks.transfers.closed_form.kernel_ridge import (
    KernelRidge,
    RidgeInverses,
    as_slice,
    inverse_root,
    sample_kernel,
)

RNG = np.random.default_rng(0)


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


def test_leave_one_out_equals_leaving_out():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 6)), rng.normal(size=(20, 3))
    kernel = x @ x.T
    fit = KernelRidge(kernel, y, (0.1,))
    strength = 0.1 * np.trace(kernel) / 20
    for i in (0, 7):
        rest = np.delete(np.arange(20), i)
        mean = y.mean(0)  # the mean is kept, as in the closed form
        dual = np.linalg.solve(kernel[np.ix_(rest, rest)] + strength * np.eye(19), y[rest] - mean)
        np.testing.assert_allclose(fit.left_out[i], kernel[i, rest] @ dual + mean, atol=1e-4)


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


def test_where_rounding_made_a_kernel_indefinite_the_root_is_triangular_too():
    vectors = np.linalg.qr(RNG.normal(size=(12, 12)))[0]
    kernel = vectors * np.append(np.linspace(1, 2, 11), -0.2) @ vectors.T
    root = inverse_root(kernel, 0.1)
    assert not np.triu(root, 1).any()
    lifted = vectors * np.append(np.linspace(1, 2, 11), 0) @ vectors.T + 0.1 * np.eye(
        12
    )  # what lies below zero counts as zero
    np.testing.assert_allclose(root.T @ root, np.linalg.inv(lifted), atol=1e-9)


def test_pairs_multiply_and_average_the_kernels_of_their_views():
    kernel = np.random.default_rng(0).random((4, 4))
    kernel_block = sample_kernel(kernel, np.array([[0, 1]]), np.array([[2, 3]]))
    assert kernel_block[0, 0] == pytest.approx(
        (kernel[0, 2] + kernel[1, 3]) / 2 + kernel[0, 2] * kernel[1, 3]
    )


def test_rows_that_follow_each_other_are_a_slice():
    assert as_slice(np.array([3, 4, 5])) == slice(3, 6)
    np.testing.assert_array_equal(as_slice(np.array([3, 5])), [3, 5])
