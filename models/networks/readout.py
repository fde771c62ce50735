"""Readouts whose last layer is solved exactly: what a frozen representation knows about a target, without gradient descent.

Local readouts (maps): ridge regression on the 3 x 3 neighbourhoods of the representation and random ReLU features of them (Rahimi and Recht 2008).
One Gram matrix over all sources holds every subset. Global readouts (vectors, classes): kernel ridge regression, where the kernel of several
sources is the sum of theirs, and the kernel of a pair of views adds and multiplies theirs; leave-one-out errors in closed form choose the ridge.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve


def neighbourhoods(maps: np.ndarray) -> np.ndarray:
    """[n, h, w, c] -> [n, h, w, 9 c], zero padded, row-major over the 3 x 3 window (the order of a flattened convolution kernel)."""
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)))
    h, w = maps.shape[1:3]
    return np.concatenate([padded[:, i : i + h, j : j + w] for i in range(3) for j in range(3)], axis=-1)


def random_kernel(channels: int, features: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """fixed weights [9 c, features] and biases [features] of the random features, the same for every source."""
    rng = np.random.default_rng(seed)
    kernel = rng.standard_normal((9 * channels, features)) / np.sqrt(9 * channels)
    return kernel.astype("float32"), (0.5 * rng.standard_normal(features)).astype("float32")


def local_features(maps: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """[n, h, w, c] -> [n h w, 9 c + features] float32."""
    x = neighbourhoods(np.asarray(maps, "float32"))
    x = x.reshape(-1, x.shape[-1])
    return np.concatenate([x, np.maximum(x @ kernel + bias, 0)], axis=1)


class LocalSolver:
    """Ridge solutions for any subset of sources from one Gram matrix.

    features: per source [rows, d]; outputs [rows, o]. A constant column is added and not shrunk.
    """

    def __init__(self, features: list[np.ndarray], outputs: np.ndarray) -> None:
        self.width, self.rows = features[0].shape[1], len(outputs)
        stacked = np.concatenate([*features, np.ones((self.rows, 1), "float32")], axis=1)
        self.gram, self.cross = stacked.T @ stacked, stacked.T @ outputs

    def columns(self, sources: tuple[int, ...]) -> np.ndarray:
        return np.concatenate([np.arange(s * self.width, (s + 1) * self.width) for s in sources] + [[self.gram.shape[0] - 1]])

    def weights(self, sources: tuple[int, ...], ridge: float) -> np.ndarray:
        """[len(sources) d + 1, o] float32; the last row is the constant."""
        at = self.columns(sources)
        block = self.gram[np.ix_(at, at)].astype("float64")
        block[np.diag_indices(len(at) - 1)] += ridge * self.rows + 1e-6 * np.trace(block) / len(at)  # a singular Gram matrix still factors
        return cho_solve(cho_factor(block, overwrite_a=True), self.cross[at]).astype("float32")


def global_features(maps: np.ndarray, features: int, seed: int) -> np.ndarray:
    """[n, h, w, c] -> [n, d]: the flattened map and `features` random ReLU features of it, scaled so that a view's mean square norm is about 1."""
    flat = np.asarray(maps, "float32").reshape(len(maps), -1)
    rng = np.random.default_rng(seed)
    kernel = (rng.standard_normal((flat.shape[1], features)) / np.sqrt(flat.shape[1])).astype("float32")
    both = np.concatenate([flat / np.sqrt(flat.shape[1]), np.maximum(flat @ kernel, 0) / np.sqrt(features)], axis=1)
    return both.astype("float32")


def sample_kernel(view_kernel: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """kernel between samples of k views each from the kernel between views: the mean over positions, plus their product for k > 1.

    view_kernel [a, b]; rows [m, k] and columns [p, k] index its axes -> [m, p].
    """
    parts = [view_kernel[np.ix_(rows[:, i], columns[:, i])] for i in range(rows.shape[1])]
    total = np.mean(parts, axis=0)
    return total if len(parts) == 1 else total + np.prod(parts, axis=0)


class KernelRidge:
    """Kernel ridge regression with the ridge chosen by leave-one-out on the training samples (all strengths from one eigendecomposition).

    kernel [n, n]; targets [n, o]. `dual` [n, o], `mean` [o], `ridge`, `left_out` [n, o]: leave-one-out predictions.
    """

    def __init__(self, kernel: np.ndarray, targets: np.ndarray, ridges: tuple[float, ...]) -> None:
        self.mean = targets.mean(0)
        centred = (targets - self.mean).astype("float64")
        values, vectors = np.linalg.eigh(kernel.astype("float64"))
        projected, scale, best = vectors.T @ centred, np.trace(kernel) / len(kernel), np.inf
        for ridge in ridges:
            shrunk = 1 / (np.maximum(values, 0) + ridge * scale)
            dual = vectors @ (shrunk[:, None] * projected)
            missed = dual / ((vectors**2) @ shrunk)[:, None]  # residual of a sample that was left out (Allen 1974)
            error = float((missed**2).mean())
            if error < best:
                best, self.ridge, self.dual, self.left_out = error, ridge, dual.astype("float32"), (centred - missed + self.mean).astype("float32")

    def predict(self, kernel: np.ndarray) -> np.ndarray:
        """kernel [m, n] between new and training samples -> [m, o]."""
        return (kernel.astype("float32") @ self.dual + self.mean).astype("float32")
