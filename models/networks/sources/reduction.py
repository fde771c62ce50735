"""Principal components of features, from one pass over them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from models.tasks.arrays import Array, Floats


def principal_components(parts: Iterable[Array], count: int) -> tuple[Floats, Floats, float]:
    """(mean [c], components [c, count], share of the variance that they keep) of features [..., c]
    in parts, float32 summed in float64; the direction of most variance first, its largest entry
    positive. Of fewer than `count` channels the last components are zero.
    """
    rows = 0
    total = np.zeros(1)
    product = np.zeros((1, 1))
    origin: Array | None = None
    for part in parts:
        flat = np.asarray(part, "float64").reshape(-1, part.shape[-1])
        # About the first part's mean: squares of small differences keep their digits.
        origin = flat.mean(0) if origin is None else origin
        flat = flat - origin
        rows += len(flat)
        total = total + flat.sum(0)
        product = product + flat.T @ flat
    if origin is None:
        raise ValueError("principal components of no features at all")
    mean = total / rows
    values, vectors = np.linalg.eigh(product / rows - np.outer(mean, mean))
    values, vectors = values[::-1].clip(0), vectors[:, ::-1]
    # which sign a vector has is LAPACK's choice
    signs = np.sign(vectors[np.abs(vectors).argmax(0), np.arange(len(values))])
    components = np.zeros((len(values), count))
    rank = min(count, len(values))
    components[:, :rank] = (vectors * signs)[:, :rank]
    share = float(values[:rank].sum() / max(values.sum(), 1e-30))
    return (origin + mean).astype("float32"), components.astype("float32"), share


def deviation_along(parts: Iterable[Array], mean: Floats, component: Floats) -> float:
    """Returns the deviation of features [..., c] in parts about their mean [c] along a component
    [c], in the features' own unit; 0 if it is no more than float32 rounds off numbers of the mean's
    size.
    """
    rows, total = 0, 0.0
    for part in parts:
        flat = (np.asarray(part, "float64") - mean).reshape(-1, len(mean)) @ component
        rows += len(flat)
        total += float((flat**2).sum())
    deviation = float(np.sqrt(total / rows))
    rounding = float(np.finfo("float32").eps * np.linalg.norm(mean.astype("float64") * component))
    return deviation if deviation > rounding else 0.0
