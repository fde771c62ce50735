"""Normalised cuts of graphs, against scipy's eigenvectors and against brute force."""

import numpy as np
import pytest
from scipy.linalg import lapack

from models.tasks.labels.cuts import cut_apart, cut_in_two, two_smallest
from models.tasks.labels.regions import best_threshold, cheapest_level


def halves(weights, members, threshold):
    above = cut_in_two(weights, members, threshold, 10)
    return sorted([members[above].tolist(), members[~above].tolist()])


def test_two_groups_that_hardly_touch_are_cut_apart():
    weights = np.full((6, 6), 1e-4)
    weights[:3, :3] = weights[3:, 3:] = 1
    everyone = np.arange(6)
    assert halves(weights, everyone, 0.1) == [[0, 1, 2], [3, 4, 5]]
    assert not cut_in_two(np.ones((6, 6)), everyone, 0.1, 10).any()


def test_a_part_of_a_graph_is_cut_as_if_it_were_alone():
    weights = np.ones((8, 8))
    weights[np.ix_([1, 3, 4, 7], [1, 3, 4, 7])] = np.full((4, 4), 1e-4)
    for pair in ([1, 4], [3, 7]):
        weights[np.ix_(pair, pair)] = 1
    assert halves(weights, np.array([1, 3, 4, 7]), 0.1) == [[1, 4], [3, 7]]


def test_no_cut_costs_less_than_the_second_eigenvalue():
    """so that graphs above it are left whole without a look at their cuts"""
    rng = np.random.default_rng(0)
    cut = 0
    for size in range(3, 33):
        weights = np.exp(-4 * rng.random((size, size)))
        weights = weights + weights.T
        degree = weights.sum(1)
        values, vectors = np.linalg.eigh(np.eye(size) - weights / np.sqrt(np.outer(degree, degree)))
        cost = best_threshold(vectors[:, 1], weights, degree, 10)[0]
        assert cost >= values[1]
        # just below and just above the cheapest cut
        assert not cut_in_two(weights, np.arange(size), cost * 0.999, 10).any()
        cut += cut_in_two(weights, np.arange(size), cost * 1.001, 10).any()
    assert cut == 30


def scipys(laplacian):
    """the two smallest eigenvalues and their vectors as columns"""
    values, vectors = lapack.dsyevr(laplacian, range="I", il=1, iu=2, lower=1, overwrite_a=0)[:2]
    return values[:2], vectors


@pytest.mark.parametrize("size", [3, 4, 17, 64, 150])
def test_eigenvectors_are_scipys_to_the_bit(size):
    matrix = np.random.default_rng(size).random((size, size))
    matrix = np.asfortranarray(matrix + matrix.T)
    values, vectors = scipys(matrix)
    own_values, own_vectors = two_smallest(matrix.copy(order="F"))
    np.testing.assert_array_equal(own_values[:2], values)
    np.testing.assert_array_equal(own_vectors.T, vectors)


def naive_parts(weights, members, threshold, steps):
    """cut_apart by numpy, scipy and recursion: a set of frozensets of members"""
    part = weights[np.ix_(members, members)]
    degree = part.sum(1)
    inverse = 1 / np.sqrt(degree)
    laplacian = np.eye(len(members)) - inverse[:, None] * part * inverse
    if len(members) > 2:
        values, vectors = scipys(np.asfortranarray(laplacian))
        vector = np.ascontiguousarray(vectors[:, 1])
        cost, level = cheapest_level(vector, (-vector).argsort(), part, degree, steps)
        if values[1] <= threshold + 1e-9 and cost < threshold:
            above = vector > level
            return naive_parts(weights, members[above], threshold, steps) | naive_parts(
                weights, members[~above], threshold, steps
            )
    return {frozenset(members.tolist())}


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_graphs_are_cut_apart_as_numpy_and_recursion_would(seed, apart):
    """apart: into groups without any weight between them, whose members are alike"""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(5, 90))
    group = rng.integers(0, 4, size)
    together = group[:, None] == group
    weights = np.where(together, 1.0 if apart else rng.random((size, size)), 0.0)
    if not apart:
        weights += 0.02 * rng.random((size, size))
        weights = weights + weights.T
    np.fill_diagonal(weights, 2.0)
    label = cut_apart(weights, 0.9, 10)
    found = {frozenset(np.flatnonzero(label == k).tolist()) for k in range(label.max() + 1)}
    assert found == naive_parts(weights, np.arange(size), 0.9, 10)
    assert 1 < len(found) < size


def test_members_that_are_alike_are_taken_in_numpys_order():
    rng = np.random.default_rng(0)
    for size in (9, 40, 200):
        vector = rng.integers(0, 3, size).astype(float)
        weights = rng.random((size, size))
        expected = cheapest_level(vector, (-vector).argsort(), weights, weights.sum(1), 10)
        assert best_threshold(vector, weights, weights.sum(1), 10) == expected
