"""Readouts whose last layer is solved exactly: what a frozen representation knows about a target,
without gradient descent.

Local readouts (maps): ridge regression on the 3 x 3 neighbourhoods of the representation and random
ReLU features of them (Rahimi and Recht 2008). Gram blocks between sources hold every subset. Global
readouts (vectors, classes): kernel ridge regression, where the kernel of several sources is the sum
of theirs, and the kernel of a pair of views adds and multiplies theirs; leave-one-out errors in
closed form choose the ridge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from models.networks.transfers.closed_form import cholesky


def neighbourhoods(maps: np.ndarray) -> np.ndarray:
    """[n, h, w, c] -> [n, h, w, 9 c], zero padded, row-major over the 3 x 3 window (the order of a
    flattened convolution kernel).
    """
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)))
    h, w = maps.shape[1:3]
    return np.concatenate(
        [padded[:, i : i + h, j : j + w] for i in range(3) for j in range(3)], axis=-1
    )


def random_kernel(channels: int, features: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """fixed weights [9 c, features] and biases [features] of the random features, the same for
    every source.
    """
    rng = np.random.default_rng(seed)
    kernel = rng.standard_normal((9 * channels, features)) / np.sqrt(9 * channels)
    return kernel.astype("float32"), (0.5 * rng.standard_normal(features)).astype("float32")


def local_features(maps: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """[n, h, w, c] -> [n h w, 9 c + features + 1] float32; the last column is the constant 1."""
    x = neighbourhoods(np.asarray(maps, "float32"))
    x = x.reshape(-1, x.shape[-1])
    return np.concatenate(
        [x, np.maximum(x @ kernel + bias, 0), np.ones((len(x), 1), "float32")], axis=1
    )


class Moments:
    """Sums over rows that every ridge solution needs, gathered a chunk of rows at a time: Gram
    blocks between sources that occur together.

    subsets: sets of sources (hashable) that will be solved. Rows come in two groups, fitted and
    held out. judged: [outputs] bool, those whose errors choose ridges; all if None.
    """

    def __init__(self, subsets: Iterable[tuple]) -> None:
        subsets = list(subsets)
        self.pairs = sorted(
            {(a, b) for subset in subsets for i, a in enumerate(subset) for b in subset[i:]}
        )
        self.sources = sorted({source for subset in subsets for source in subset})
        self.gram: list[dict] = [{}, {}]
        self.cross: list[dict] = [{}, {}]
        self.square, self.rows, self.judged = [0.0, 0.0], [0, 0], None

    def add(self, features: Mapping, outputs: np.ndarray, held: bool) -> None:
        """features: source -> [rows, d + 1], the constant last; outputs [rows, o]."""
        gram, cross = self.gram[held], self.cross[held]
        for a, b in self.pairs:
            gram[a, b] = gram.get((a, b), 0) + features[a].T @ features[b]
        for source in self.sources:
            cross[source] = cross.get(source, 0) + features[source].T @ outputs
        self.square[held] = self.square[held] + (outputs.astype("float64") ** 2).sum(0)
        self.rows[held] += len(outputs)

    def of(self, subset: tuple, held: int, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(Gram matrix [k d + 1, k d + 1] float64, cross moments [k d + 1, columns]) of one group
        of rows; the constant last.
        """
        gram, cross = self.gram[held], self.cross[held]
        d, k = gram[subset[0], subset[0]].shape[0] - 1, len(subset)
        made, right = (
            np.empty((k * d + 1, k * d + 1)),
            np.empty((k * d + 1, len(columns)), "float32"),
        )
        for i, a in enumerate(subset):
            rows = slice(i * d, (i + 1) * d)
            for j, b in enumerate(subset[i:], i):
                made[rows, j * d : (j + 1) * d] = gram[a, b][:-1, :-1]
                made[j * d : (j + 1) * d, rows] = gram[a, b][:-1, :-1].T
            made[rows, -1] = made[-1, rows] = gram[a, a][:-1, -1]
            right[rows] = cross[a][:-1, columns]
        made[-1, -1], right[-1] = gram[subset[0], subset[0]][-1, -1], cross[subset[0]][-1, columns]
        return made, right

    def solve(
        self, subset: tuple, ridges: tuple[float, ...], parts: Mapping[str, slice]
    ) -> tuple[np.ndarray, dict[str, float]]:
        """(weights [k d + 1, o] float32 over the outputs of `parts`, side by side, name -> ridge).

        The ridge of each part (a target's outputs) has the least squared error on the held-out rows
        when fitted to the others, over the outputs that are `judged`; the weights are then fitted
        to all rows. Without held-out rows it is the first.
        """
        columns = np.concatenate([np.arange(part.start, part.stop) for part in parts.values()])
        owner = np.repeat(
            np.arange(len(parts)), [part.stop - part.start for part in parts.values()]
        )
        gram, right = self.of(subset, 0, columns)
        if not self.rows[1]:
            return ridge_solution(gram, right, ridges[0], self.rows[0]), dict.fromkeys(
                parts, ridges[0]
            )
        other, cross = self.of(subset, 1, columns)
        errors, held, few = (
            np.zeros((len(ridges), len(parts))),
            other.astype("float32"),
            slice(None) if self.judged is None else self.judged[columns],
        )
        square, fitted, missed_by = self.square[1][columns][few], right[:, few], 2 * cross[:, few]
        for i, ridge in enumerate(ridges) if len(ridges) > 1 else ():
            weights = ridge_solution(gram, fitted, ridge, self.rows[0])
            errors[i] = np.bincount(
                owner[few],
                square + np.einsum("ij,ij->j", weights, held @ weights - missed_by),
                len(parts),
            )
        best = errors.argmin(0)
        made, gram, right = np.empty(right.shape, "float32", order="F"), gram + other, right + cross
        for i in np.unique(best):
            own = best[owner] == i
            made[:, own] = ridge_solution(gram, right[:, own], ridges[i], sum(self.rows))
        return made, {name: ridges[i] for name, i in zip(parts, best)}


def ridge_solution(gram: np.ndarray, cross: np.ndarray, ridge: float, rows: int) -> np.ndarray:
    """[d + 1, o] float32: weights whose squares, but for the constant's in the last row, are shrunk
    by ridge * rows. gram: symmetric.
    """
    try:
        root = cholesky.inverse_root(with_ridge(gram, ridge * rows).T).astype(
            "float32"
        )  # its condition is the root of the matrix's: float32 multiplies it well
        return root.T @ (root @ cross)
    except np.linalg.LinAlgError:
        # sums of float32 products may have eigenvalues below zero by rounding, where there are more
        # features than rows
        values, vectors = np.linalg.eigh(with_ridge(gram, ridge * rows))
        return (vectors / np.maximum(values, 1e-6 * values[-1]) @ (vectors.T @ cross)).astype(
            "float32"
        )


def with_ridge(gram: np.ndarray, ridge: float) -> np.ndarray:
    """a copy with the ridge on the diagonal, the constant's place excepted; a singular Gram matrix
    still factors.
    """
    block = gram.copy()
    block[np.diag_indices(len(block) - 1)] += ridge + 1e-6 * np.trace(block) / len(block)
    return block


def predict(
    features: Sequence[np.ndarray], weights: np.ndarray, seen: np.ndarray, made: np.ndarray
) -> np.ndarray:
    """`made` [rows, o] float32, filled: features of some sources, [rows, d + 1] each with the
    constant last, times weights [k d + 1, o] of `Moments.solve`.

    seen: room for the features side by side [rows, k d + 1]. numpy's product lets other threads
    run; scipy's sgemm, which could add products up, does not.
    """
    np.concatenate([*(x[:, :-1] for x in features), features[0][:, -1:]], 1, out=seen)
    return np.matmul(seen, weights, out=made)


def global_features(maps: np.ndarray, features: int, seed: int) -> np.ndarray:
    """[n, h, w, c] -> [n, d]: the flattened map and `features` random ReLU features of it, scaled
    so that a view's mean square norm is about 1.
    """
    flat = np.asarray(maps, "float32").reshape(len(maps), -1)
    rng = np.random.default_rng(seed)
    kernel = (rng.standard_normal((flat.shape[1], features)) / np.sqrt(flat.shape[1])).astype(
        "float32"
    )
    both = np.concatenate(
        [flat / np.sqrt(flat.shape[1]), np.maximum(flat @ kernel, 0) / np.sqrt(features)], axis=1
    )
    return both.astype("float32")


def sample_kernel(view_kernel: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """kernel between samples of k views each from the kernel between views: the mean over
    positions, plus their product for k > 1.

    view_kernel [a, b]; rows [m, k] and columns [p, k] index its axes -> [m, p].
    """
    total = product = view_kernel[rows[:, 0]].take(columns[:, 0], 1)
    for i in range(1, rows.shape[1]):
        part = view_kernel[rows[:, i]].take(columns[:, i], 1)
        total, product = total + part, product * part
    return total if rows.shape[1] == 1 else total / rows.shape[1] + product


class RidgeInverses:
    """Roots of the inverses of one kernel with every ridge added, for all targets whose samples
    share it.

    kernel [n, n]; ridges relative to its mean diagonal; groups [n]: what is left out together
    (buildings: views of one are too alike to judge each other), every sample by itself if None or
    all one group. roots: R [n, n], lower triangular, R' R the inverse.
    """

    def __init__(
        self, kernel: np.ndarray, ridges: tuple[float, ...], groups: np.ndarray | None = None
    ) -> None:
        scale = np.trace(kernel) / len(kernel)
        self.ridges, self.roots = (
            ridges,
            [inverse_root(kernel, (ridge + 1e-9) * scale) for ridge in ridges],
        )
        names = (
            np.arange(len(kernel))
            if groups is None or len(np.unique(groups)) < 2
            else np.unique(groups, return_inverse=True)[1]
        )
        self.groups = (
            [as_slice(np.flatnonzero(names == i)) for i in range(names.max() + 1)]
            if names.max() + 1 < len(names)
            else None
        )
        self.diagonals = (
            [np.einsum("ki,ki->i", root, root) for root in self.roots]
            if self.groups is None
            else []
        )
        self.blocks = [
            [np.linalg.inv(own_block(root, rows)) for rows in self.groups or ()]
            for root in self.roots
        ]

    def missed(self, which: int, dual: np.ndarray) -> np.ndarray:
        """residuals [n, o] of samples whose group was left out (Allen 1974, for groups the block of
        the inverse in place of its diagonal element).
        """
        if self.groups is None:
            return dual / self.diagonals[which][:, None]
        made = np.empty_like(dual)
        for rows, block in zip(self.groups, self.blocks[which]):
            made[rows] = block @ dual[rows]
        return made


def as_slice(rows: np.ndarray) -> slice | np.ndarray:
    """rising numbers; a slice, which needs no copies, where none is left out (samples come building
    by building).
    """
    return slice(int(rows[0]), int(rows[-1]) + 1) if rows[-1] - rows[0] + 1 == len(rows) else rows


def own_block(root: np.ndarray, rows: slice | np.ndarray) -> np.ndarray:
    """rows and columns `rows` of R' R; R is zero above its diagonal."""
    part = root[rows.start if isinstance(rows, slice) else rows[0] :, rows]
    return part.T @ part


def inverse_root(kernel: np.ndarray, ridge: float) -> np.ndarray:
    """R [n, n] float64, lower triangular, R' R the inverse of kernel + ridge; of eigenvalues where
    rounding has made some negative.
    """
    block = np.array(kernel, "float64", order="F")
    block[np.diag_indices(len(block))] += ridge
    try:
        return cholesky.inverse_root(block)
    except (
        np.linalg.LinAlgError
    ):  # sums and products of float32 kernels may have eigenvalues below zero by rounding
        values, vectors = np.linalg.eigh(kernel.astype("float64"))
        turned = np.linalg.qr((vectors / np.sqrt(np.maximum(values, 0) + ridge)).T[:, ::-1], "r")
        return np.asfortranarray(turned[::-1, ::-1])


class KernelRidge:
    """Kernel ridge regression with the ridge chosen by leaving out, in closed form, each group of
    training samples.

    kernel [n, n] or its `RidgeInverses`; targets [n, o]. `dual` [n, o], `mean` [o], `ridge`,
    `left_out` [n, o]: predictions of what was left out.
    """

    def __init__(
        self, kernel: np.ndarray | RidgeInverses, targets: np.ndarray, ridges: tuple[float, ...]
    ) -> None:
        solved, best = (
            kernel if isinstance(kernel, RidgeInverses) else RidgeInverses(kernel, ridges),
            np.inf,
        )
        self.mean = targets.mean(0)
        centred = (targets - self.mean).astype("float64")
        for which, (ridge, root) in enumerate(zip(solved.ridges, solved.roots)):
            dual = root.T @ (root @ centred)
            missed = solved.missed(which, dual)
            error = float((missed**2).mean())
            if error < best:
                best, self.ridge, self.dual, kept = error, ridge, dual.astype("float32"), missed
        self.left_out = (centred - kept + self.mean).astype("float32")

    def predict(self, kernel: np.ndarray) -> np.ndarray:
        """kernel [m, n] between new and training samples -> [m, o]."""
        return (kernel.astype("float32") @ self.dual + self.mean).astype("float32")
