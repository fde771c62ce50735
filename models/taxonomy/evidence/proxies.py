"""Cheap predictors of transfer: how alike two representations are, and how well a linear readout
would do, from a few hundred images and without training.

rsa: representational similarity analysis (Kriegeskorte 2008; for transfer: Dwivedi, Roig, CVPR
2019). cka: centred kernel alignment, linear (Kornblith et al., ICML 2019). logme: log of the
maximum evidence of a Bayesian linear readout (You et al., ICML 2021). linear: share of the labels'
variance that a ridge readout explains on left-out images. For a set of sources all of them need
only the Gram matrix of its features, which is the sum of those of its sources. One
eigendecomposition for each set serves all labels of the same images. Many sets are one array: of
few images a set by itself is the time between small operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, islice

import numpy as np

from models.tasks.arrays import Floats
from models.tasks.ranks import correlation, ranks_of
from models.taxonomy.facts import Facts

PROXIES = ("rsa", "cka", "logme", "linear")
FEWEST = 4  # images below which features say nothing
RIDGES = 10.0 ** np.arange(-6, 3)  # relative to the Gram matrix's mean eigenvalue
# Numbers of the Gram matrices that are scored at a time, at most: what fits into a core's cache.
NUMBERS = 1 << 15


@dataclass(frozen=True)
class Gram:
    """Gram matrices of features. kernel: [..., image, image] float64, products of centred features,
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
        """The ranks [..., pairs] of the dissimilarities (1 - correlation) of every two images'
        features.
        """
        images = self.kernel.shape[-1]
        norm = np.sqrt(np.maximum(np.diagonal(self.kernel, axis1=-2, axis2=-1), 1e-12))
        similarity = self.kernel / (norm[..., :, None] * norm[..., None, :])
        # the upper triangle: every pair of images once
        rows, columns = np.triu_indices(images, 1)
        return ranks_of(1 - similarity[..., rows, columns])


def rsa(first: Gram, second: Gram) -> Floats:
    """Returns [...], the Spearman correlation of the two dissimilarity matrices, in [-1, 1]."""
    # Pearson's of ranks is Spearman's
    one, other = (ranks - ranks.mean(-1, keepdims=True) for ranks in (first.ranks, second.ranks))
    return correlation(one, other)


def cka(first: Gram, second: Gram) -> Floats:
    """Returns [...], the linear centred kernel alignment, in [0, 1]."""
    a = first.kernel
    b = second.kernel
    # the norms of centred Gram matrices (Kornblith et al., equation of linear CKA)
    norm = np.sqrt((a * a).sum((-2, -1)) * (b * b).sum((-2, -1)))
    return np.asarray((a * b).sum((-2, -1)) / norm)


class Readout:
    """The eigenvectors of Gram matrices, from which linear readouts of any labels are computed.
    values: [..., image], at least 0. vectors: [..., image, image], a column an eigenvalue; both are
    0 for eigenvalues that are rounding errors. rank: [...], how many are none.
    """

    def __init__(self, gram: Gram) -> None:
        values, vectors = np.linalg.eigh(gram.kernel)
        # smaller eigenvalues are rounding errors
        self.kept = values > 1e-9 * values[..., -1:]
        self.values = values * self.kept
        self.vectors = vectors * self.kept[..., None, :]
        self.rank = self.kept.sum(-1)
        self.images = gram.kernel.shape[-1]

    def linear(self, labels: Floats) -> Floats:
        """Returns [...], the share of the variance of labels [image, k] that ridge regression
        explains on left-out images, at the best ridge; at most 1.

        Left-out residuals have a closed form: residual / (1 - leverage), with the mean counted
        among the fitted parameters.
        """
        centred = labels - labels.mean(0)
        # constant labels have no variance to explain
        total = (centred**2).sum() + 1e-12
        projected = self.vectors.swapaxes(-1, -2) @ centred
        squares = self.vectors**2
        mean = self.values.sum(-1, keepdims=True) / self.images
        best = np.full(self.values.shape[:-1], -np.inf)
        # ridges relative to the mean eigenvalue: features of any scale are shrunk alike
        for ridge in RIDGES:
            # in the basis of eigenvectors a ridge scales each direction
            shrink = (self.values / (self.values + ridge * mean))[..., None]
            residual = centred - self.vectors @ (shrink * projected)
            # 1 minus leverage, of the mean and of the shrunk directions; never 0
            free = np.maximum(1 - 1 / self.images - squares @ shrink, 1e-12)
            left = ((residual / free) ** 2).sum((-2, -1))
            best = np.maximum(best, 1 - left / total)
        return best

    def logme(self, labels: Floats, steps: int = 11) -> Floats:
        """Returns [...], the log evidence per image, averaged over the dimensions of labels [image,
        k] (fixed-point iteration of alpha and beta as in the paper).
        """
        centred = labels - labels.mean(0)
        centred = centred / (centred.std(0) + 1e-12)
        squares = (self.vectors.swapaxes(-1, -2) @ centred) ** 2  # [..., image, k]
        # what no direction of the features explains; rounding may pass 0
        rest = np.maximum((centred**2).sum(0) - squares.sum(-2), 0.0)
        count = self.images
        values = self.values[..., None]
        alpha = np.ones_like(rest)  # precision of the weights
        beta = np.ones_like(rest)  # precision of the noise
        # as many steps as the authors' code makes
        for _ in range(steps):
            ratio = (alpha / beta)[..., None, :]
            # effective number of parameters
            gamma = (values / (values + ratio)).sum(-2)
            weight = (values * squares / (values + ratio) ** 2).sum(-2)
            error = (squares * (ratio / (values + ratio)) ** 2).sum(-2) + rest
            # the fixed point of MacKay's evidence, as LogME iterates it
            alpha = gamma / (weight + 1e-9)
            beta = (count - gamma) / (error + 1e-9)
        ratio = (alpha / beta)[..., None, :]
        weight = (values * squares / (values + ratio) ** 2).sum(-2)
        error = (squares * (ratio / (values + ratio)) ** 2).sum(-2) + rest
        terms = np.log(alpha[..., None, :] + beta[..., None, :] * values)
        evidence = (
            self.rank[..., None] * np.log(alpha)
            + count * np.log(beta)
            - (terms * self.kept[..., None]).sum(-2)
            - count * np.log(2 * np.pi)
        )
        return np.asarray(((evidence - beta * error - alpha * weight) / (2 * count)).mean(-1))


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
    places = {name: i for i, name in enumerate(features)}
    kernels = np.stack([Gram.of(values).kernel for values in features.values()])
    target = Gram.of(own)
    answers = compact(labels)
    rows: list[Facts] = []
    for part in parts_of(sets, max(1, NUMBERS // len(answers) ** 2)):
        read = [[places[name] for name in sources] for sources in part]
        # the mean of kernels of equal scale is the Gram matrix of the features side by side
        gram = Gram(kernels[read].mean(1))
        readout = Readout(gram)
        columns = {
            "rsa": rsa(gram, target),
            "cka": cka(gram, target),
            "logme": readout.logme(answers),
            "linear": readout.linear(answers),
        }
        rows += [
            {
                "sources": list(sources),
                **{name: float(values[i]) for name, values in columns.items()},
            }
            for i, sources in enumerate(part)
        ]
    return rows


def parts_of(sets: Iterable[Sequence[str]], most: int) -> Iterator[list[Sequence[str]]]:
    """Yields sets in their order, those of one size that follow each other in parts of at most
    `most`.
    """
    for _, alike in groupby(sets, len):
        while part := list(islice(alike, most)):
            yield part
