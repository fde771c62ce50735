"""Handles cut-out surfaces (glTF, alphaMode MASK): leaves, railings and grilles are drawn on plain
triangles, and where their picture's alpha is below the cutoff there is nothing.

A ray counts its first hit whose alpha reaches the cutoff; rays that meet a hole go on behind it, so
that meshes without masks cost nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from beam_jobs.scenes.render.ray_caster import FirstHits, RayCaster
from beam_jobs.scenes.scans.parts import MIRROR, REPEAT, Part
from beam_jobs.scenes.scans.textures import neighbours
from models.provenance.kernels import njit
from models.tasks.arrays import Bools, Bytes, Floats, Integers

# A ray goes on so many metres behind a hole: more than the error of float32 distances within a
# building, less than the distance between two surfaces.
BEHIND = 2e-5
# A ray passes at most so many holes, one behind the other, and stops at the next surface.
LAYERS = 256


@dataclass(frozen=True)
class Masks:
    """What is cut out of a mesh. cutoff [f] float32: the least alpha that is seen, 0 for surfaces
    without holes; alpha [v] float32 in [0, 1], which multiplies the picture's; pictures: alpha [h,
    w] uint8 of every picture of the mesh, None where it is opaque.
    """

    cutoff: Floats
    alpha: Floats
    pictures: tuple[Bytes | None, ...]

    def subset(self, faces: Bools, vertices: Integers) -> Masks:
        """Returns the masks of these faces ([f] bool) and vertices ([v] numbers) alone."""
        return Masks(self.cutoff[faces], self.alpha[vertices], self.pictures)


def cut_out(part: Part, alpha: Floats, cutoff: float) -> Part:
    """Returns the part with its holes: without the faces whose every texel is cut out, and with the
    cutoff where anything is. alpha: [v] of its vertices.
    """
    opaque = opacity(part.picture)
    fractions = np.ones((1, 1)) if opaque is None else opaque / 255
    if alpha.min() * fractions.min() >= cutoff:
        return part
    # the largest alpha of corners times the largest texel: a face goes only if nothing of it can be
    # seen
    visible = [
        alpha[f].max() * texels(fractions, part.uv[f], part.wrap).max() >= cutoff
        for f in part.faces
    ]
    rest = np.array(visible, bool)
    return replace(
        part,
        faces=part.faces[rest],
        triangle=part.triangle[rest],
        cutoff=cutoff,
        alpha=alpha.astype("float32"),
    )


def opacity(picture: Any) -> Bytes | None:
    """Returns [h, w], the alpha of a Pillow picture; None if it is opaque, or there is none."""
    # Pillow keeps the alpha of palettes and of single colours beside the picture, not as a band
    if picture is None or not ("A" in picture.getbands() or "transparency" in picture.info):
        return None
    return np.ascontiguousarray(np.asarray(picture.convert("RGBA"))[..., 3])


def texels(opaque: Floats, uv: Floats, wrap: tuple[int, int]) -> Floats:
    """Returns the texels of a picture's alpha [h, w] that are blended within the triangle of uv [3,
    2]. wrap: of `Part`.
    """
    high, wide = opaque.shape
    return opaque[np.ix_(span(1 - uv[:, 1], high, wrap[1]), span(uv[:, 0], wide, wrap[0]))]


def span(values: Floats, size: int, wrap: int) -> Integers:
    """Returns [n], the numbers of the texels that `values` [m], of which 0 to 1 is the picture,
    reach along an axis of `size` texels.
    """
    first = int(np.floor(values.min() * size)) - 1
    last = int(np.ceil(values.max() * size)) + 1
    if wrap == REPEAT:
        return np.unique(np.arange(first, min(last, first + size)) % size)
    if wrap == MIRROR:
        there_and_back = np.arange(first, min(last, first + 2 * size)) % (2 * size)
        return np.unique(np.minimum(there_and_back, 2 * size - 1 - there_and_back))
    return np.arange(min(max(first, 0), size - 1), min(max(last, 1), size))


def joined_masks(parts: list[Part], pictures: list[Any]) -> Masks | None:
    """Returns the masks of all parts of a mesh; None if none has holes. pictures: of the mesh, of
    Pillow.
    """
    if not any(part.cutoff for part in parts):
        return None
    holed = {id(part.picture) for part in parts if part.cutoff}
    return Masks(
        np.concatenate([np.full(len(part.faces), part.cutoff, "float32") for part in parts]),
        np.concatenate(
            [np.ones(len(p.vertices), "float32") if p.alpha is None else p.alpha for p in parts]
        ),
        tuple(opacity(picture) if id(picture) in holed else None for picture in pictures),
    )


class MaskedCaster(RayCaster):
    """A ray caster of a mesh with holes. faces [f, 3]; uv [v, 2], v upwards; picture [f]: index, -1
    none; wraps [picture, 2]: as of `Pictures`.
    """

    def __init__(
        self,
        vertices: Floats,
        faces: Integers,
        masks: Masks,
        uv: Floats,
        picture: Integers,
        wraps: Integers,
    ) -> None:
        super().__init__(vertices, faces)
        self.table = np.zeros((max(1, len(masks.pictures)), 3), "int64")
        pieces = [np.zeros(0, "uint8")]
        start = 0
        for number, alpha in enumerate(masks.pictures):
            if alpha is not None:
                self.table[number] = start, *alpha.shape
                pieces.append(alpha.reshape(-1))
                start += alpha.size
        self.texels = np.concatenate(pieces)
        self.surface = (faces, masks.cutoff, masks.alpha, uv, picture, wraps)

    def first(self, origins: Floats, rays: Floats) -> FirstHits:
        """Returns the first hit of every ray [n, 3], as `RayCaster.first` does, on what is not cut
        out.
        """
        hits = super().first(origins, rays)
        rows = self.holes(hits, np.arange(len(hits.triangle)))
        origins = np.broadcast_to(origins, rays.shape)
        for _ in range(LAYERS):
            if not len(rows):
                break
            # from the first origin each time, so that rounding does not add up
            far = hits.distance[rows] * np.float32(1 + 1e-6) + np.float32(BEHIND)
            on = super().first(origins[rows] + rays[rows] * far[:, None], rays[rows])
            hits.distance[rows] = far + on.distance
            hits.triangle[rows], hits.u[rows], hits.v[rows] = on.triangle, on.u, on.v
            rows = self.holes(hits, rows)
        return hits

    def holes(self, hit: FirstHits, rays: Integers) -> Integers:
        """Returns [m], those of the rays (numbers [n]) that meet a hole."""
        hole = np.zeros(len(rays), np.bool_)
        _holes(hit.triangle, hit.u, hit.v, rays, *self.surface, self.texels, self.table, hole)
        return rays[hole]

    def free(self, origins: Floats, rays: Floats, reach: Floats) -> Bools:
        """Returns [n] bool, which ways are free, as `RayCaster.free` does, of what is not
        cut out.
        """
        hit = self.first(origins, rays)
        return np.asarray((hit.triangle < 0) | (hit.distance > reach))


@njit(cache=True, nogil=True)
def _holes(
    triangle: Integers,
    bu: Floats,
    bv: Floats,
    rays: Integers,
    faces: Integers,
    cutoff: Floats,
    alphas: Floats,
    uvs: Floats,
    pictures: Integers,
    wraps: Integers,
    texels: Bytes,
    table: Integers,
    hole: Bools,
) -> None:
    """Writes into hole [n] whether the alpha where the ray hits, bilinear in the full picture, is
    below the cutoff.
    """
    for i in range(len(rays)):
        t = triangle[rays[i]]
        if t < 0 or cutoff[t] <= 0:
            continue
        b, c = float(bu[rays[i]]), float(bv[rays[i]])
        a = 1 - b - c
        j, k, m = faces[t, 0], faces[t, 1], faces[t, 2]
        alpha = a * alphas[j] + b * alphas[k] + c * alphas[m]
        p = pictures[t]
        if p >= 0 and table[p, 1] > 0:
            u = a * uvs[j, 0] + b * uvs[k, 0] + c * uvs[m, 0]
            v = a * uvs[j, 1] + b * uvs[k, 1] + c * uvs[m, 1]
            start, height, width = table[p]
            left, right, above, below, fx, fy = neighbours(u, v, height, width, wraps[p])
            high = (
                texels[start + above * width + left] * (1 - fx)
                + texels[start + above * width + right] * fx
            )
            low = (
                texels[start + below * width + left] * (1 - fx)
                + texels[start + below * width + right] * fx
            )
            alpha *= (high * (1 - fy) + low * fy) / 255
        hole[i] = alpha < cutoff[t]
