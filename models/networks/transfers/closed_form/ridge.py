"""Ridge regression of local readouts: what the cells of frozen representations know about maps,
solved exactly, without gradient descent. Gram blocks between sources hold every subset.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from models.networks.transfers.closed_form import cholesky
from models.networks.transfers.learners import SourceSet
from models.tasks.arrays import Array, Bools, Floats, Integers

# Positions of two sources: [rows of the first's features, columns of the second's].
Gram = dict[tuple[int, int], Floats]


class Moments:
    """Sums over rows that every ridge solution needs, gathered a chunk of rows at a time: Gram
    blocks between sources that occur together.

    subsets: sets of sources that will be solved. Rows come in two groups, fitted and held out.
    judged: [outputs] bool, those whose errors choose ridges; all if None.
    """

    def __init__(self, subsets: Iterable[SourceSet]) -> None:
        subsets = list(subsets)
        self.pairs = sorted(
            # blocks below the diagonal are transposes of those above
            {(a, b) for subset in subsets for i, a in enumerate(subset) for b in subset[i:]}
        )
        self.sources = sorted({source for subset in subsets for source in subset})
        self.gram: tuple[Gram, Gram] = ({}, {})
        self.cross: tuple[dict[int, Floats], dict[int, Floats]] = ({}, {})
        # [outputs] float64: sums of squares of the outputs.
        self.square: list[Floats | float] = [0.0, 0.0]
        self.rows = [0, 0]
        self.judged: Bools | None = None

    def add(self, features: Mapping[int, Floats], outputs: Floats, held_out: bool) -> None:
        """Adds rows to the sums. features: source -> [rows, d + 1], the constant last; outputs
        [rows, o].
        """
        gram = self.gram[held_out]
        cross = self.cross[held_out]
        for a, b in self.pairs:
            gram[a, b] = gram.get((a, b), 0) + features[a].T @ features[b]
        for source in self.sources:
            cross[source] = cross.get(source, 0) + features[source].T @ outputs
        # in double precision: errors are small differences of large sums
        self.square[held_out] = self.square[held_out] + (outputs.astype("float64") ** 2).sum(0)
        self.rows[held_out] += len(outputs)

    def of(self, subset: SourceSet, held_out: bool, columns: Integers) -> tuple[Floats, Floats]:
        """Returns (Gram matrix [d + 1, d + 1] float64, cross moments [d + 1, columns] float32) of
        one group of rows, d the features of all sources of the set; the constant last.
        """
        gram = self.gram[held_out]
        cross = self.cross[held_out]
        first = subset[0]
        # sources from outside may have more features than others
        starts = np.cumsum([0, *(gram[a, a].shape[0] - 1 for a in subset)])
        places = [slice(*ends) for ends in zip(starts, starts[1:])]
        size = int(starts[-1]) + 1
        whole = np.empty((size, size))
        right = np.empty((size, len(columns)), "float32")
        for i, (a, rows) in enumerate(zip(subset, places)):
            for b, others in zip(subset[i:], places[i:]):
                whole[rows, others] = gram[a, b][:-1, :-1]
                whole[others, rows] = gram[a, b][:-1, :-1].T
            whole[rows, -1] = gram[a, a][:-1, -1]
            whole[-1, rows] = gram[a, a][:-1, -1]
            right[rows] = cross[a][:-1, columns]
        # the constant is the same in every source: any one's sums will do
        whole[-1, -1] = gram[first, first][-1, -1]
        right[-1] = cross[first][-1, columns]
        return whole, right

    def solve(
        self, subset: SourceSet, ridges: Sequence[float], parts: Mapping[str, slice]
    ) -> tuple[Floats, dict[str, float]]:
        """(weights [d + 1, o] float32 over the outputs of `parts`, side by side, name -> ridge).

        The ridge of each part (a target's outputs) has the least squared error on the held-out rows
        when fitted to the others, over the outputs that are `judged`; the weights are then fitted
        to all rows. Without held-out rows it is the first.
        """
        columns = np.concatenate([np.arange(part.start, part.stop) for part in parts.values()])
        gram, right = self.of(subset, False, columns)
        if not self.rows[1]:
            weights = ridge_solution(gram, right, ridges[0], self.rows[0])
            return weights, dict.fromkeys(parts, ridges[0])
        owner = np.repeat(
            np.arange(len(parts)), [part.stop - part.start for part in parts.values()]
        )
        unseen, cross = self.of(subset, True, columns)
        best = np.zeros(len(parts), int)
        if len(ridges) > 1:
            best = self.errors(gram, right, unseen, cross, ridges, columns, owner).argmin(0)
        weights = np.empty(right.shape, "float32", order="F")
        gram = gram + unseen
        right = right + cross
        # one factor for all targets that chose this ridge
        for i in np.unique(best):
            own = best[owner] == i
            weights[:, own] = ridge_solution(gram, right[:, own], ridges[i], sum(self.rows))
        return weights, {name: ridges[i] for name, i in zip(parts, best)}

    def errors(
        self,
        gram: Floats,
        right: Floats,
        unseen: Floats,
        cross: Floats,
        ridges: Sequence[float],
        columns: Integers,
        owner: Integers,
    ) -> Floats:
        """[ridge, part] squared errors on held-out rows of weights fitted to the others.

        gram, right: moments of the fitted rows; unseen, cross: of the held-out ones; columns:
        outputs; owner: the part of each. |y - X w|^2 = y y - 2 w X'y + w X'X w, from moments alone.
        """
        few: Bools | slice = slice(None) if self.judged is None else self.judged[columns]
        part_of = owner[few]
        parts = int(owner[-1]) + 1
        right = right[:, few]
        twice = 2 * cross[:, few]
        square = np.asarray(self.square[1])[columns][few]
        unseen = unseen.astype("float32")
        errors = np.zeros((len(ridges), parts))
        for i, ridge in enumerate(ridges):
            weights = ridge_solution(gram, right, ridge, self.rows[0])
            error = square + np.einsum("ij,ij->j", weights, unseen @ weights - twice)
            errors[i] = np.bincount(part_of, error, parts)
        return errors


def ridge_solution(gram: Floats, cross: Floats, ridge: float, rows: int) -> Floats:
    """Returns weights [d + 1, o] float32, whose squares, but for the constant's in the last row,
    are shrunk by ridge * rows. gram: symmetric.
    """
    try:
        # The condition of a root is the root of the matrix's: float32 multiplies it well.
        # It is symmetric: the transpose is the same matrix in Fortran's order.
        root = cholesky.inverse_root(with_ridge(gram, ridge * rows).T).astype("float32")
        return root.T @ (root @ cross)
    except np.linalg.LinAlgError:
        # Sums of float32 products may have eigenvalues below zero by rounding, where there are more
        # features than rows.
        values, vectors = np.linalg.eigh(with_ridge(gram, ridge * rows))
        inverse = vectors / np.maximum(values, 1e-6 * values[-1])
        return (inverse @ (vectors.T @ cross)).astype("float32")


def with_ridge(gram: Floats, ridge: float) -> Floats:
    """Returns a copy of a Gram matrix [d + 1, d + 1] with the ridge on the diagonal, the constant's
    place excepted; a singular one still factors.
    """
    block = gram.copy()
    block[np.diag_indices(len(block) - 1)] += ridge + 1e-6 * np.trace(block) / len(block)
    return block


def predict(features: Sequence[Floats], weights: Floats, room: Floats, answers: Array) -> Floats:
    """`answers` [rows, o] float32, filled: features of some sources, the constant last in each,
    times weights [d + 1, o] of `Moments.solve`, d the features of all.

    room: for the features side by side [rows, d + 1]. numpy's product lets other threads
    run; scipy's sgemm, which could add products up, does not.
    """
    np.concatenate([*(x[:, :-1] for x in features), features[0][:, -1:]], 1, out=room)
    return np.matmul(room, weights, out=answers)
