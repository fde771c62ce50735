"""Cheap predictors of transfer: how alike two representations are, and how well a linear readout
would do, from a few hundred images and without training.

rsa: representational similarity analysis (Kriegeskorte 2008; for transfer: Dwivedi, Roig, CVPR
2019). cka: centred kernel alignment, linear (Kornblith et al., ICML 2019). logme: log of the
maximum evidence of a Bayesian linear readout (You et al., ICML 2021). linear: share of the labels'
variance that a ridge readout explains on left-out images. For a set of sources all of them need
only the Gram matrix of its features, which is the sum of those of its sources. One
eigendecomposition for each set serves all labels of the same images.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.tasks.arrays import Floats
from models.tasks.ranks import ranks_of
from models.taxonomy.facts import Facts

PROXIES = ("rsa", "cka", "logme", "linear")
FEWEST = 4  # images below which features say nothing
RIDGES = 10.0 ** np.arange(-6, 3)  # relative to the Gram matrix's mean eigenvalue


@dataclass(frozen=True)
class Gram:
    """The Gram matrix of features. kernel: [image, image] float64, products of centred features,
    scaled to mean diagonal 1.
    """

    kernel: Floats

    @classmethod
    def of(cls, features: Floats) -> Gram:
        """Returns the Gram matrix of features [image, ...] of one source. Raises ValueError if they
        are of too few images, not finite, or the same for all images.
        """
        flat = np.asarray(features, "float64").reshape(len(features), -1)
        if len(flat) < FEWEST or not np.isfinite(flat).all():
            raise ValueError(
                f"a proxy needs finite features of at least {FEWEST} images, got {flat.shape} with "
                f"{int((~np.isfinite(flat)).sum())} not finite"
            )
        # centred features: the Gram matrix of a set is then the sum of its sources'
        flat = flat - flat.mean(0)
        kernel = flat @ flat.T
        scale = np.trace(kernel) / len(kernel)
        if scale <= 1e-12:
            raise ValueError(
                "a proxy needs features that differ from image to image; these are constant"
            )
        # scaled, so that sources of any width count alike in a set
        return cls(kernel / scale)

    @cached_property
    def ranks(self) -> Floats:
        """The ranks [pairs] of the dissimilarities (1 - correlation) of every two images'
        features.
        """
        norm = np.sqrt(np.maximum(np.diag(self.kernel), 1e-12))
        similarity = self.kernel / np.outer(norm, norm)
        # the upper triangle: every pair of images once
        return ranks_of(1 - similarity[np.triu_indices(len(self.kernel), 1)])


def rsa(first: Gram, second: Gram) -> float:
    """Returns the Spearman correlation of the two dissimilarity matrices, in [-1, 1]."""
    # Pearson's of ranks is Spearman's
    return float(np.corrcoef(first.ranks, second.ranks)[0, 1])


def cka(first: Gram, second: Gram) -> float:
    """Returns the linear centred kernel alignment, in [0, 1]."""
    a = first.kernel
    b = second.kernel
    # the norms of centred Gram matrices (Kornblith et al., equation of linear CKA)
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


class Readout:
    """The eigenvectors of one Gram matrix, from which linear readouts of any labels are computed.
    values: [rank] > 0. vectors: [image, rank].
    """

    def __init__(self, gram: Gram) -> None:
        values, vectors = np.linalg.eigh(gram.kernel)
        # smaller eigenvalues are rounding errors
        keep = values > 1e-9 * values[-1]
        self.values = values[keep]
        self.vectors = vectors[:, keep]
        self.images = len(gram.kernel)

    def linear(self, labels: Floats) -> float:
        """Returns the share of the variance of labels [image, k] that ridge regression explains on
        left-out images, at the best ridge; at most 1.

        Left-out residuals have a closed form: residual / (1 - leverage), with the mean counted
        among the fitted parameters.
        """
        centred = labels - labels.mean(0)
        # constant labels have no variance to explain
        total = (centred**2).sum() + 1e-12
        projected = self.vectors.T @ centred
        best = -np.inf
        # ridges relative to the mean eigenvalue: features of any scale are shrunk alike
        for ridge in RIDGES * self.values.sum() / self.images:
            # in the basis of eigenvectors a ridge scales each direction
            shrink = self.values / (self.values + ridge)
            residual = centred - self.vectors @ (shrink[:, None] * projected)
            # 1 minus leverage, of the mean and of the shrunk directions; never 0
            free = np.maximum(1 - 1 / self.images - self.vectors**2 @ shrink, 1e-12)
            best = max(best, 1 - float(((residual / free[:, None]) ** 2).sum()) / total)
        return best

    def logme(self, labels: Floats, steps: int = 11) -> float:
        """Returns the log evidence per image, averaged over the dimensions of labels [image, k]
        (fixed-point iteration of alpha and beta as in the paper).
        """
        centred = labels - labels.mean(0)
        centred = centred / (centred.std(0) + 1e-12)
        squares = (self.vectors.T @ centred) ** 2  # [rank, k]
        # what no direction of the features explains; rounding may pass 0
        rest = np.maximum((centred**2).sum(0) - squares.sum(0), 0.0)
        count = self.images
        values = self.values[:, None]
        alpha = np.ones(centred.shape[1])  # precision of the weights
        beta = np.ones(centred.shape[1])  # precision of the noise
        # as many steps as the authors' code makes
        for _ in range(steps):
            ratio = alpha / beta
            # effective number of parameters
            gamma = (values / (values + ratio)).sum(0)
            weight = (values * squares / (values + ratio) ** 2).sum(0)
            error = (squares * (ratio / (values + ratio)) ** 2).sum(0) + rest
            # the fixed point of MacKay's evidence, as LogME iterates it
            alpha = gamma / (weight + 1e-9)
            beta = (count - gamma) / (error + 1e-9)
        ratio = alpha / beta
        weight = (values * squares / (values + ratio) ** 2).sum(0)
        error = (squares * (ratio / (values + ratio)) ** 2).sum(0) + rest
        evidence = (
            len(self.values) * np.log(alpha)
            + count * np.log(beta)
            - np.log(alpha + beta * values).sum(0)
            - count * np.log(2 * np.pi)
        )
        return float(((evidence - beta * error - alpha * weight) / (2 * count)).mean())


def compact(labels: Floats, dimensions: int = 32) -> Floats:
    """Returns labels [image, ...] as [image, k] float64, centred: as they are if k <= dimensions,
    otherwise their first principal components.
    """
    flat = np.asarray(labels, "float64").reshape(len(labels), -1)
    flat = flat - flat.mean(0)
    if flat.shape[1] <= dimensions:
        return flat
    left, size, _ = np.linalg.svd(flat, full_matrices=False)
    return left[:, :dimensions] * size[:dimensions]


def scores(
    features: Mapping[str, Floats],
    labels: Floats,
    own: Floats,
    sets: Iterable[Sequence[str]],
) -> list[Facts]:
    """Returns the proxies of every set of sources for one target: rows of {"sources", "rsa", "cka",
    "logme", "linear"}, where higher is better.

    features: source -> [image, ...]. labels: [image, ...] of the target. own: [image, ...], the
    representation of the target's own network, which rsa and cka compare with.
    """
    grams = {name: Gram.of(values) for name, values in features.items()}
    target = Gram.of(own)
    answers = compact(labels)
    rows = []
    for sources in sets:
        gram = grams[sources[0]]
        if len(sources) > 1:
            # the mean of kernels of equal scale is the Gram matrix of the features side by side
            gram = Gram(np.mean([grams[name].kernel for name in sources], 0))
        readout = Readout(gram)
        rows.append(
            {
                "sources": list(sources),
                "rsa": rsa(gram, target),
                "cka": cka(gram, target),
                "logme": readout.logme(answers),
                "linear": readout.linear(answers),
            }
        )
    return rows
