"""Computes unsupervised segmentation: Felzenszwalb's over-segmentation, then recursive normalised
cuts of its region graph (Shi and Malik 2000).

Parameters are the released annotator's at 512 pixels; smoothing scales with the image.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.linalg import lapack

from models.tasks.arrays import Array, Bytes, Floats, Integers
from models.tasks.labels.edges import REFERENCE, blur
from models.tasks.labels.regions import (
    best_threshold,
    canonical,
    over_segmented,
    region_graph,
    subgraph,
)


def segment_unsup2d(rgb: Bytes) -> Bytes:
    """Returns uint8 [H, W] ids from 0 in raster order, from colour alone (scale 200, sigma 3, at
    least 20 pixels; cut below 0.005).
    """
    scale = rgb.shape[0] / REFERENCE
    smooth = blur(rgb.astype("float32") / 255, max(3 * scale, 0.8), cv2.BORDER_REPLICATE)
    regions, count = over_segmented(smooth, 200, int(max(20 * scale, 8)))
    # threshold, number of cuts and a region's weight with itself are the annotator's
    return canonical(normalised_cuts(regions, count, rgb, 0.005, 10, 2.0))


def segment_unsup25d(depth: Integers, normal: Bytes, edge: Integers) -> Bytes:
    """Returns uint8 [H, W] ids from codes of depth, normals and occlusion edges (scale 200, at
    least 200 pixels at 512; cut below 1).
    """
    scale = depth.shape[0] / REFERENCE
    coverage = (depth < 65534).astype("float32")

    def smooth(values: Array, sigma: float) -> Floats:
        """Returns the mean of the seen values around each pixel."""
        surface_values = np.where(coverage > 0, values, 0).astype("float32")
        return blur(surface_values, sigma) / (blur(coverage, sigma) + 1e-6)

    # the annotator weighs log(code)/16 by 2
    features = [smooth(np.log(np.maximum(depth, 1)), max(scale, 0.5)) / 8]
    features += [smooth(normal[..., i] / 255, max(2 * scale, 0.7)) for i in range(3)]
    # 255 squared and a weight of 10 are the annotator's
    stack = np.dstack(features + [edge.astype("float32") / 65025 * 10])
    regions, count = over_segmented(stack, 200, int(max(200 * scale**2, 8)))
    # threshold, number of cuts and a region's weight with itself are the annotator's
    return canonical(normalised_cuts(regions, count, stack, 1.0, 100, 1.0))


def normalised_cuts(
    regions: Integers,
    count: int,
    features: Array,
    threshold: float,
    steps: int,
    own_weight: float,
) -> Integers:
    """Returns [H, W] int64 ids: the region adjacency graph, with weights exp(-|difference of
    means|^2/255), is cut in two while the normalised cut is below `threshold`.
    """
    touching, means = region_graph(regions, count, np.asarray(features, "float32"))
    weights = np.zeros((count, count))
    first, second = np.nonzero(touching)
    # scikit-image's similarity of mean colours, sigma 255
    weights[first, second] = np.exp(-((means[first] - means[second]) ** 2).sum(-1) / 255)
    np.fill_diagonal(weights, own_weight)
    labels = np.zeros(count, int)
    waiting: list[Integers] = [np.arange(count)]
    used = 0
    while waiting:
        members = waiting.pop()
        # as scikit-image has it: two regions are not cut
        halves = cut_in_two(weights, members, threshold, steps) if len(members) > 2 else None
        if halves is None:
            labels[members] = used
            used += 1
        else:
            waiting += halves
    return labels[regions]


def cut_in_two(
    weights: Floats, members: Integers, threshold: float, steps: int
) -> tuple[Integers, Integers] | None:
    """Returns the members [n] of a graph on either side of the best cut among them, by the best of
    `steps` thresholds of the second eigenvector; None if no cut costs less than `threshold`.
    """
    part, degree, laplacian = subgraph(weights, members)
    # the two smallest eigenvalues: the first is 0, and divides nothing
    values, vectors = lapack.dsyevr(laplacian, range="I", il=1, iu=2, lower=1, overwrite_a=1)[:2]
    # no cut costs less than the second (Shi and Malik, section 2.1); the margin is rounding
    if values[1] > threshold + 1e-9:
        return None
    vector = vectors[:, 1]
    cost, level = best_threshold(vector, part, degree, steps)
    if cost >= threshold:
        return None
    above = vector > level
    return members[above], members[~above]
