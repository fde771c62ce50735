"""Win rates, by naive loops."""

import numpy as np

from models.taxonomy.tournament.tournament import win_matrix, win_rate


def test_win_rates_equal_the_naive_double_loop():
    losses = np.random.default_rng(0).integers(0, 5, (6, 40)).astype("float32")
    naive = [
        [np.mean([(a < b) + 0.5 * (a == b) for a, b in zip(x, y)]) for y in losses] for x in losses
    ]
    np.testing.assert_allclose(win_matrix(losses), naive)
    np.testing.assert_allclose(win_rate(losses, losses[2]), np.array(naive)[:, 2])


def test_win_matrices_of_many_images_pass_the_byte_counters():
    losses = np.random.default_rng(0).integers(0, 3, (5, 700)).astype("float32")
    naive = [[np.mean((a < b) + 0.5 * (a == b)) for b in losses] for a in losses]
    np.testing.assert_allclose(win_matrix(losses), naive)
