"""Unsupervised segmentation: Felzenszwalb's over-segmentation, then recursive normalised cuts of its region graph (Shi and Malik 2000).

Parameters are the released annotator's at 512 pixels; smoothing scales with the image.
"""

from __future__ import annotations

import warnings

import cv2
import numpy as np

from models.tasks.labels.edges import REFERENCE, blur


def segment_unsup2d(rgb: np.ndarray) -> np.ndarray:
    """uint8 [H, W] ids from 0 in raster order: colour alone (scale 200, sigma 3, at least 20 pixels; cut below 0.005)."""
    scale = rgb.shape[0] / REFERENCE
    smooth = blur(rgb.astype("float32") / 255, max(3 * scale, 0.8), cv2.BORDER_REPLICATE)
    regions = over_segmented(smooth, 200, max(20 * scale, 8))
    return canonical(normalised_cuts(regions, rgb.astype("float64"), 0.005, 10, 2.0))


def segment_unsup25d(depth: np.ndarray, normal: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """uint8 [H, W] ids from codes of depth, normals and occlusion edges (scale 200, at least 200 pixels at 512; cut below 1)."""
    scale = depth.shape[0] / REFERENCE
    seen = (depth < 65534).astype("float32")
    smooth = lambda x, sigma: blur(np.where(seen > 0, x, 0).astype("float32"), sigma) / (blur(seen, sigma) + 1e-6)
    features = [smooth(np.log(np.maximum(depth, 1)), max(scale, 0.5)) / 8]
    features += [smooth(normal[..., i] / 255, max(2 * scale, 0.7)) for i in range(3)]
    stack = np.dstack(features + [edge.astype("float32") / 65025 * 10])
    regions = over_segmented(stack, 200, max(200 * scale**2, 8))
    return canonical(normalised_cuts(regions, stack.astype("float64"), 1.0, 100, 1.0))


def over_segmented(image: np.ndarray, scale: float, smallest: float) -> np.ndarray:
    """[H, W] int region ids of an already smoothed image (Felzenszwalb and Huttenlocher 2004)."""
    from skimage.segmentation import felzenszwalb

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # five channels are meant
        return felzenszwalb(image, scale=scale, sigma=0, min_size=int(smallest), channel_axis=-1)


def normalised_cuts(regions: np.ndarray, features: np.ndarray, threshold: float, steps: int, own_weight: float) -> np.ndarray:
    """[H, W] ids: the region adjacency graph, weights exp(-|difference of means|^2/255), cut in two while the normalised cut is below `threshold`."""
    count = int(regions.max()) + 1
    flat = regions.ravel()
    size = np.bincount(flat, minlength=count).astype(float)
    means = np.stack([np.bincount(flat, features[..., i].ravel(), count) for i in range(features.shape[2])], 1) / size[:, None]
    touching = adjacency(regions, count)
    weights = np.where(touching, np.exp(-((means[:, None] - means[None]) ** 2).sum(-1) / 255), 0.0)
    np.fill_diagonal(weights, own_weight)
    labels, waiting, used = np.zeros(count, int), [np.arange(count)], 0
    while waiting:
        members = waiting.pop()
        halves = cut_in_two(weights[np.ix_(members, members)], threshold, steps) if len(members) > 2 else None
        if halves is None:
            labels[members] = used
            used += 1
        else:
            waiting += [members[halves], members[~halves]]
    return labels[regions]


def cut_in_two(weights: np.ndarray, threshold: float, steps: int) -> np.ndarray | None:
    """[n] bool, the better side of the second eigenvector's best of `steps` thresholds, or None if no cut costs less than `threshold`."""
    from scipy.linalg import eigh

    degree = weights.sum(1)
    root = 1 / np.sqrt(degree)
    laplacian = np.eye(len(weights)) - root[:, None] * weights * root[None]
    vector = eigh(laplacian, subset_by_index=[1, 1])[1][:, 0]
    best, chosen = threshold, None
    for level in vector.min() + np.ptp(vector) * np.arange(steps) / steps:
        side = vector > level
        if side.all() or not side.any():
            continue
        cost = weights[side][:, ~side].sum()
        cost = cost / degree[side].sum() + cost / degree[~side].sum()
        if cost < best:
            best, chosen = cost, side
    return chosen


def adjacency(regions: np.ndarray, count: int) -> np.ndarray:
    """[count, count] bool: do two regions touch, corners included?"""
    touch = np.zeros((count, count), bool)
    for a, b in ((regions[:, :-1], regions[:, 1:]), (regions[:-1], regions[1:]), (regions[:-1, :-1], regions[1:, 1:]), (regions[:-1, 1:], regions[1:, :-1])):
        touch[a, b] = touch[b, a] = True
    np.fill_diagonal(touch, False)
    return touch


def canonical(labels: np.ndarray) -> np.ndarray:
    """uint8 ids numbered by first appearance in raster order (an eigenvector's sign is arbitrary); ids past 255 share the last."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))
    return np.minimum(order[inverse.reshape(labels.shape)], 255).astype("uint8")
