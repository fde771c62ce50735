"""Computes the labels of one frame anew from its other data, and measures how far each agrees with
what was released.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np

from beam_jobs.compare.component import Component
from beam_jobs.compare.frames import Frame
from beam_jobs.compare.measures import adjusted_rand, correlation
from models.tasks.arrays import Array, Bools, Floats
from models.tasks.labels import edges, keypoints, segments, surfaces

FAR = 65035  # depth codes from here on say "nothing seen" in the released frames
# (label, measure, value)
Figure = tuple[str, str, float]


def measured(frame: Frame, parameters: Component) -> Iterator[Figure]:
    """Yields the figures of all labels that a frame has."""
    yield from of_picture(frame, parameters)
    depth = frame.map("depth_zbuffer")
    normal = frame.map("normal")
    if depth is not None:
        yield from compared(frame, "edge_occlusion", lambda: edges.edge_occlusion(depth))
    if depth is not None and normal is not None:
        yield from of_surfaces(frame, parameters, depth, normal)


def of_picture(frame: Frame, parameters: Component) -> Iterator[Figure]:
    """Yields the figures of the labels that follow from the picture alone."""
    rgb = frame.map("rgb")
    if rgb is None:
        return
    sigma = parameters.texture_sigma
    yield from compared(frame, "edge_texture", lambda: edges.edge_texture(rgb, sigma))
    yield from compared(frame, "keypoints2d", lambda: keypoints.keypoints2d(rgb))
    label = frame.map("segment_unsup2d")
    if label is not None:
        yield "segment_unsup2d", "ARI", adjusted_rand(segments.segment_unsup2d(rgb), label)


def of_surfaces(
    frame: Frame, parameters: Component, depth: Array, normal: Array
) -> Iterator[Figure]:
    """Yields the figures of the labels that follow from depth [S, S] uint16 and normals [S, S, 3]
    uint8.
    """
    edge = frame.map("edge_occlusion")
    label = frame.map("segment_unsup25d")
    if label is not None and edge is not None:
        ours = segments.segment_unsup25d(depth, normal, edge)
        yield "segment_unsup25d", "ARI", adjusted_rand(ours, label)
    # 128 in all three channels: no surface
    mask = (depth < FAR) & (normal.astype(int) != 128).any(-1)
    if not mask.any():
        return
    metres = np.where(mask, depth / parameters.depth_units, np.inf)
    true = normal / 127.5 - 1
    # loose frames may come without their camera
    angle = frame.info().get("field_of_view_rads") or fitted_angle(metres, true, mask)
    yield "normal from depth", "degrees", disagreement(metres, true, mask, angle)
    rays = surfaces.rays(len(depth), angle)
    length = np.linalg.norm(rays, axis=-1)
    facing = -(true * rays).sum(-1) / length
    distance = metres * length
    units = parameters.depth_units
    yield from compared(
        frame, "reshading", lambda: surfaces.reshading(facing, distance), where=mask
    )
    yield from compared(
        frame, "depth_euclidean", lambda: surfaces.depth_codes(distance, units), where=mask
    )
    as_made = np.where(mask, depth / parameters.keypoint_units, np.inf)
    yield from of_keypoints(frame, as_made, true, angle)


def of_keypoints(frame: Frame, metres: Floats, normal: Floats, angle: float) -> Iterator[Figure]:
    """Yields the figures of 3D keypoints, at the frame's size and at half of it. metres: [S, S],
    inf where nothing is; normal: [S, S, 3]; angle: field of view, radians.
    """
    label = frame.map("keypoints3d")
    if label is None:
        return
    ours = keypoints.keypoints3d(metres, normal, angle)
    yield "keypoints3d", "correlation", correlation(ours, label)
    small = keypoints.keypoints3d(metres[::2, ::2], normal[::2, ::2], angle)
    halved = cv2.resize(label, small.shape, interpolation=cv2.INTER_AREA)
    yield "keypoints3d at half", "correlation", correlation(small, halved)


def compared(
    frame: Frame, folder: str, ours: Callable[[], Array], where: Bools | None = None
) -> Iterator[Figure]:
    """Yields the correlation of a label with `ours`, which is computed only if the frame has the
    label. where: [S, S], pixels that count, all if None.
    """
    label = frame.map(folder)
    if label is not None:
        mask = np.ones(label.shape, bool) if where is None else where
        yield folder, "correlation", correlation(ours()[mask], label[mask])


def fitted_angle(metres: Floats, normal: Floats, mask: Bools) -> float:
    """Returns the field of view in radians, of whole degrees from 40 to 120, for which depth and
    normals agree best. metres, mask: [S, S]; normal: [S, S, 3].
    """
    angles = np.deg2rad(np.arange(40, 121))
    return float(min(angles, key=lambda angle: disagreement(metres, normal, mask, angle)))


def disagreement(metres: Floats, normal: Floats, mask: Bools, angle: float) -> float:
    """Returns the median angle in degrees between the normals of planes fitted to depth and the
    labelled normals. metres, mask: [S, S]; normal: [S, S, 3]; angle: field of view, radians.
    """
    fitted = surfaces.normals_from_depth(metres, angle)
    cosine = (fitted * normal).sum(-1) / np.linalg.norm(normal, axis=-1)
    return float(np.rad2deg(np.median(np.arccos(np.clip(cosine[mask], -1, 1)))))
