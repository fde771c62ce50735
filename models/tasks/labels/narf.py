"""The interest image of NARF (Steder, Rusu, Konolige, Burgard 2011): where a surface changes in two directions nearby, but not on the change itself.

Vectorised over whole images instead of region growing a pixel: a pixel whose surface changes hands its score to every pixel within the support.
Constants are those of the published labels, as far as they are known: support 0.3 m, border threshold 0.5, least change 0.2, optimal distance 0.25.
"""

from __future__ import annotations

import cv2
import numpy as np

BINS, LEAST_CHANGE, BORDER, OPTIMAL, PATCH = 18, 0.2, 0.5, 0.25, 10
BEAMS = [(dy * step, dx * step) for step in (1, 2) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]


def interest(depth: np.ndarray, normal: np.ndarray, field_of_view: float, support: float = 0.3, finest: int = 128) -> np.ndarray:
    """[H, W] float32 in [0, 1]. depth: metres along the axis, inf unseen; normal [H, W, 3] unit, any camera frame; support: diameter, metres.

    Every distance is scored at the coarsest scale at which the support still spans `PATCH` pixels; `finest`: pixels of the finest scale.
    """
    z = np.where(np.isfinite(depth), depth, 0).astype("float32")
    normal = normal.astype("float32")
    while z.shape[0] >= 2 * finest:
        z, normal = halved(z, normal)
    chosen, reach = None, np.inf
    while z.shape[0] >= 16:
        score = at_scale(z, normal, field_of_view, support)
        distance = np.linalg.norm(places(z, field_of_view), axis=-1)
        if chosen is None:
            chosen, ranges = score, distance
        else:
            near = ranges < reach
            bigger = cv2.resize(score, chosen.shape[::-1], interpolation=cv2.INTER_NEAREST)
            chosen = np.where(near & (chosen > -1), bigger, chosen)
        reach = support / np.tan(PATCH * field_of_view / (z.shape[0] / 2))
        if not (ranges[ranges > 0] < reach).any():
            break
        z, normal = halved(z, normal)
    return cv2.resize(chosen, depth.shape[::-1], interpolation=cv2.INTER_LINEAR)


def halved(z: np.ndarray, normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """the mean seen depth of every 2 x 2 block and the mean normal."""
    blocks = lambda x: np.stack([x[i : i + 2 * (x.shape[0] // 2) : 2, j : j + 2 * (x.shape[1] // 2) : 2] for i in (0, 1) for j in (0, 1)])
    four, mean = blocks(z), blocks(normal).mean(0)
    seen = four > 0
    small = np.where(seen, four, 0).sum(0) / np.maximum(seen.sum(0), 1)
    return small.astype("float32"), mean / (np.linalg.norm(mean, axis=-1, keepdims=True) + 1e-9)


def places(z: np.ndarray, field_of_view: float) -> np.ndarray:
    """[h, w, 3] points in the camera frame x right, y down, z away."""
    scale = (np.tan(field_of_view / 2) * (((np.arange(z.shape[0]) + 0.5) / z.shape[0]) * 2 - 1)).astype("float32")
    return np.stack([scale[None] * z, scale[:, None] * z, z], -1)


def at_scale(z: np.ndarray, normal: np.ndarray, field_of_view: float, support: float) -> np.ndarray:
    """[h, w] interest with the support as it is; 0 where nothing is seen and on the far side of depth borders."""
    points = places(z, field_of_view)
    spacing = z * np.float32(2 * np.tan(field_of_view / 2) / z.shape[0])
    border, shadow = borders(points, spacing, normal)
    usable = (z > 0) & ~shadow
    smooth = cv2.blur(normal, (3, 3))  # the published annotator fits planes to neighbourhoods
    change, direction = bend(smooth / (np.linalg.norm(smooth, axis=-1, keepdims=True) + 1e-9), usable)
    change = np.where(usable, np.where(border >= 0, 1, np.where(change >= LEAST_CHANGE, change, 0)), 0)
    angle = np.where(border >= 0, border, np.arccos(np.clip(direction, -1, 1)))
    # as the published annotator bins: the angle to the image's x axis, its sign dropped
    angle = np.where(angle > np.pi / 2, angle - np.pi, angle)
    cell = np.minimum(((angle + np.pi / 2) / np.pi * BINS).astype(int), BINS - 1)
    return np.where(usable, gathered(points, spacing, change.astype("float32"), cell, support / 2), 0)


def borders(points: np.ndarray, spacing: np.ndarray, normal: np.ndarray, reach: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """angle of the depth border at a near pixel [h, w] (radians from the x axis, in [0, pi]; -1: none), and which pixels lie just behind one."""
    seen = points[..., 2] > 0
    away = np.linalg.norm(points, axis=-1)
    cosine = np.abs((normal * points).sum(-1)) / np.maximum(away, 1e-6)
    widest = 2.2 * spacing / np.maximum(cosine, 0.15)
    step, shadow = np.zeros((*seen.shape, 2), "float32"), np.zeros(seen.shape, bool)
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        ahead = np.mean([shifted(points, -dy * k, -dx * k) for k in range(1, reach + 1)], axis=0)
        gap = np.linalg.norm(ahead - points, axis=-1)
        score = np.where(gap > widest, 1 - widest / np.maximum(gap, 1e-6), 0)
        found = seen & (score >= BORDER) & (ahead[..., 2] > points[..., 2]) & (shifted(points, -dy, -dx)[..., 2] > points[..., 2])
        jump = shifted(points, -dy, -dx)[..., 2] - points[..., 2]
        # the border is the last near pixel: the one behind it must carry most of the gap
        found &= jump > 0.3 * (shifted(points, -dy * reach, -dx * reach)[..., 2] - points[..., 2])
        step += np.where(found[..., None], np.array([dx, dy], "float32"), 0)
        shadow |= shifted(found, dy, dx)
    marked = np.abs(step).sum(-1) > 0
    angle = np.arccos(np.clip(step[..., 0] / np.maximum(np.linalg.norm(step, axis=-1), 1e-6), -1, 1))
    return np.where(marked, angle, -1), shadow


def bend(normal: np.ndarray, usable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """how much normals spread around a pixel (root of the largest eigenvalue of their covariance), and the cosine of that direction to the x axis."""
    kept = usable.astype("float32")
    count, first, second = np.zeros(usable.shape, "float32"), np.zeros(normal.shape, "float32"), np.zeros((*usable.shape, 6), "float32")
    products = np.stack([normal[..., i] * normal[..., j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))], -1)
    for dy, dx in BEAMS:
        here = shifted(kept, dy, dx)
        count += here
        first += shifted(normal, dy, dx) * here[..., None]
        second += shifted(products, dy, dx) * here[..., None]
    count = np.maximum(count, 1)[..., None]
    mean, second = first / count, second / count
    xx, yy, zz = (second[..., i] - mean[..., i] ** 2 for i in range(3))
    xy, xz, yz = (second[..., k] - mean[..., i] * mean[..., j] for k, (i, j) in zip((3, 4, 5), ((0, 1), (0, 2), (1, 2))))
    vector = np.stack([xx + xy + xz, xy + yy + yz, xz + yz + zz], -1) + np.float32(1e-6)
    for _ in range(6):  # power iteration: symmetric 3 x 3, largest eigenvalue
        vector = np.stack(
            [
                xx * vector[..., 0] + xy * vector[..., 1] + xz * vector[..., 2],
                xy * vector[..., 0] + yy * vector[..., 1] + yz * vector[..., 2],
                xz * vector[..., 0] + yz * vector[..., 1] + zz * vector[..., 2],
            ],
            -1,
        )
        length = np.linalg.norm(vector, axis=-1)
        vector /= length[..., None] + 1e-12
    return np.sqrt(length), vector[..., 0] / (np.hypot(vector[..., 0], vector[..., 1]) + 1e-9)


def gathered(points: np.ndarray, spacing: np.ndarray, change: np.ndarray, cell: np.ndarray, radius: float) -> np.ndarray:
    """[h, w] interest: the best pair of changes in two directions within `radius` metres, less where a change is too near."""
    h, w = change.shape
    rows, columns = np.nonzero(change)
    if not len(rows):
        return np.zeros((h, w), "float32")
    value, bin_of, place = change[rows, columns], cell[rows, columns], points[rows, columns]
    # no pixel is gathered from farther than the widest reach that this scale is meant for
    reach = np.clip(np.ceil(radius / np.maximum(spacing[rows, columns], 1e-6)), 2, PATCH)
    histogram, clear = np.zeros((BINS, h, w), "float32"), np.ones((h, w), "float32")
    span = int(reach.max())
    for dy in range(-span, span + 1):
        for dx in range(-span, span + 1):
            far = max(abs(dy), abs(dx))
            y, x = rows + dy, columns + dx
            near = np.nonzero((reach >= far) & (y >= 0) & (y < h) & (x >= 0) & (x < w))[0]
            y, x = y[near], x[near]
            apart = points[y, x] - place[near]
            share = np.sqrt((apart**2).sum(1)) / radius
            if far > 2:
                inside = share <= 1
                near, y, x, share = near[inside], y[inside], x[inside], share[inside]
            score = value[near]
            positive = score if far < 2 else score * np.maximum(1 - share, 0)
            negative = (1 - 0.5 * score * np.maximum(1 - share / OPTIMAL, 0)) ** 2
            histogram[bin_of[near], y, x] = np.maximum(histogram[bin_of[near], y, x], positive)
            clear[y, x] = np.minimum(clear[y, x], negative)
    return clear * np.sqrt(best_pair(histogram))


def best_pair(histogram: np.ndarray) -> np.ndarray:
    """[h, w] largest product of two cells, weighted by how far their directions lie apart (1 at a right angle)."""
    best = np.zeros(histogram.shape[1:], "float32")
    for apart in range(1, BINS):
        weight = np.float32(1 - abs(2 * apart / BINS - 1))
        np.maximum(best, (histogram[:-apart] * histogram[apart:]).max(0) * weight, out=best)
    return best


def shifted(image: np.ndarray, dy: int, dx: int) -> np.ndarray:
    """image moved by (dy, dx), border repeated."""
    h, w = image.shape[:2]
    return image[np.clip(np.arange(h) - dy, 0, h - 1)][:, np.clip(np.arange(w) - dx, 0, w - 1)]
