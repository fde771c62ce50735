"""Kernel ridge regression of global readouts: what whole frozen representations know about vectors
and classes, solved exactly; errors with groups of samples left out, in closed form, choose the
ridge.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.networks.architecture.readout_features import kernel_of_samples
from models.networks.transfers.closed_form import cholesky
from models.tasks.arrays import Array, Floats, Integers

# Rows: a slice where they follow each other, which needs no copies.
Rows = slice | Integers


def sample_kernel(view_kernel: Floats, rows: Integers, columns: Integers) -> Floats:
    """Returns the kernel between samples of k views each, from the kernel between views.

    view_kernel [a, b]; rows [m, k] and columns [p, k] index its axes -> [m, p].
    """
    parts = [view_kernel[rows[:, i]].take(columns[:, i], 1) for i in range(rows.shape[1])]
    kernel: Floats = kernel_of_samples(parts)
    return kernel


class RidgeInverses:
    """Roots of the inverses of one kernel with every ridge added, for all targets whose samples
    share it.

    kernel [n, n]; ridges relative to its mean diagonal; groups [n]: what is left out together
    (buildings: views of one are too alike to judge each other), every sample by itself if None or
    all one group. roots: R [n, n] float64, lower triangular, R' R the inverse.
    """

    def __init__(
        self, kernel: Floats, ridges: Sequence[float], groups: Array | None = None
    ) -> None:
        scale = np.trace(kernel) / len(kernel)
        self.ridges = ridges
        self.roots = [inverse_root(kernel, (ridge + 1e-9) * scale) for ridge in ridges]
        self.groups = groups_of(groups)
        # What residuals are divided by: blocks of the inverse, or where every sample is a group of
        # its own, their diagonals.
        self.diagonals: list[Floats] = []
        self.blocks: list[list[Floats]] = []
        for root in self.roots:
            if self.groups is None:
                self.diagonals.append(np.einsum("ki,ki->i", root, root))
            else:
                self.blocks.append([np.linalg.inv(own_block(root, rows)) for rows in self.groups])

    def missed(self, which: int, dual: Floats) -> Floats:
        """Returns residuals [n, o] of samples whose group was left out (Allen 1974, for groups the
        block of the inverse in place of its diagonal element). which: position of the ridge.
        """
        if self.groups is None:
            return dual / self.diagonals[which][:, None]
        residuals = np.empty_like(dual)
        for rows, block in zip(self.groups, self.blocks[which]):
            residuals[rows] = block @ dual[rows]
        return residuals


def groups_of(groups: Array | None) -> list[Rows] | None:
    """Returns the rows of each group, by the group [n] of each row; None where every sample is left
    out by itself.
    """
    if groups is None:
        return None
    names, numbers = np.unique(groups, return_inverse=True)
    if len(names) < 2 or len(names) == len(groups):
        return None
    return [as_slice(np.flatnonzero(numbers == i)) for i in range(len(names))]


def as_slice(rows: Integers) -> Rows:
    """Returns rising numbers [n] as a slice where none is left out (samples come building by
    building), else as they are.
    """
    first = int(rows[0])
    last = int(rows[-1])
    return slice(first, last + 1) if last - first + 1 == len(rows) else rows


def own_block(root: Floats, rows: Rows) -> Floats:
    """Returns [m, m], rows and columns `rows` of R' R; R [n, n] is zero above its diagonal."""
    first = rows.start if isinstance(rows, slice) else rows[0]
    part = root[first:, rows]
    return part.T @ part


def inverse_root(kernel: Floats, ridge: float) -> Floats:
    """Returns R [n, n] float64, lower triangular, of which R' R is the inverse of kernel + ridge;
    from eigenvalues where rounding has made some negative.
    """
    block = np.array(kernel, "float64", order="F")
    block[np.diag_indices(len(block))] += ridge
    try:
        return cholesky.inverse_root(block)
    except np.linalg.LinAlgError:
        # Sums and products of float32 kernels may have eigenvalues below zero by rounding.
        values, vectors = np.linalg.eigh(kernel.astype("float64"))
        root = (vectors / np.sqrt(np.maximum(values, 0) + ridge)).T
        # Any root's QR factor R' is one too; turned about both axes it is lower triangular.
        turned: Array = np.asarray(np.linalg.qr(root[:, ::-1], "r"))
        return np.asfortranarray(turned[::-1, ::-1])


class KernelRidge:
    """Kernel ridge regression with the ridge chosen by leaving out, in closed form, each group of
    training samples.

    kernel [n, n] or its `RidgeInverses`; targets [n, o]. `dual` [n, o], `mean` [o], `ridge`,
    `left_out` [n, o]: predictions of what was left out.
    """

    def __init__(
        self, kernel: Floats | RidgeInverses, targets: Floats, ridges: Sequence[float]
    ) -> None:
        solved = kernel if isinstance(kernel, RidgeInverses) else RidgeInverses(kernel, ridges)
        self.mean = targets.mean(0)
        centred = (targets - self.mean).astype("float64")
        least = np.inf
        for which, (ridge, root) in enumerate(zip(solved.ridges, solved.roots)):
            dual = root.T @ (root @ centred)
            residuals = solved.missed(which, dual)
            error = float((residuals**2).mean())
            if error < least:
                least = error
                self.ridge = ridge
                self.dual = dual.astype("float32")
                self.left_out = (centred - residuals + self.mean).astype("float32")

    def predict(self, kernel: Floats) -> Floats:
        """Returns predictions [m, o] from the kernel [m, n] between new and training samples."""
        return (kernel.astype("float32") @ self.dual + self.mean).astype("float32")
