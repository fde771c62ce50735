"""Computes what lies under every ray: place, normal, curvature, colour, in one compiled pass over
the hits.

Textures are image pyramids (box filtered) looked up bilinearly at the level nearest to the pixel's
footprint. Flat surfaces may carry a relief: a periodic height field of millimetres, as scanned
meshes have. It moves the hit along the ray to first order in the height, and the normal and the
curvature are those of the height field: n - h_u T_u - h_v T_v, and the eigenvalues of -Hessian(h)
(small slopes; do Carmo, section 3-3).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from beam_jobs.scenes.buildings.scene import Scene
from beam_jobs.scenes.render.ray_caster import FirstHits
from models.provenance.kernels import njit
from models.tasks.arrays import Array, Floats, Integers

# Row of `relief.STYLES` from which on the picture shows the unevenness, too.
SOFT = 5
FLAT = np.float32(0.3)  # 1/m: relief lies on surfaces that bend less than this
# Numba computes in float64 as soon as a literal is mixed in; float32 divides and takes roots in
# less time.
ONE = np.float32(1)
HALF = np.float32(0.5)
TINY = np.float32(1e-20)
GRAZING = np.float32(1e-3)
EDGE_ON = np.float32(0.15)
STEEPEST = np.float32(-0.2)
# A footprint beyond this many texels is looked up one level higher (log2 + 0.35, rounded down).
NEARER = np.float32(2**0.65)


class Hits(NamedTuple):
    """What lies under n rays: distance [n] m along the ray (inf: none), relief included; point (of
    the mesh, without relief), normal (towards the ray's origin), lit (the normal that light falls
    on: without the relief of hard surfaces, which scanners see but pictures do not), plane (of the
    triangle), colour (linear) [n, 3], curvature [n, 2] 1/m (convex positive), material, instance
    [n] (-1: none). float32, int32.
    """

    distance: Floats
    point: Floats
    normal: Floats
    lit: Floats
    plane: Floats
    colour: Floats
    curvature: Floats
    material: Integers
    instance: Integers


class Surface(NamedTuple):
    """A scene's arrays in the form that the compiled pass reads.

    corners [v, 10]: position, normal, uv, curvature of a vertex beside each other, so that a hit
    fetches each corner once. texels [material, n, 3]: all levels of the pyramid, the k-th from
    texel starts[k], sides[k] wide.
    """

    corners: Floats
    faces: Integers
    material: Integers
    instance: Integers
    texels: Floats
    starts: Integers
    sides: Integers
    scale: Floats
    relief: Integers
    heights: Floats
    tile: Floats

    @property
    def vertices(self) -> Floats:
        """The positions [v, 3] of the vertices, m."""
        return self.corners[:, :3]

    @property
    def normals(self) -> Floats:
        """The normals [v, 3] of the vertices."""
        return self.corners[:, 3:6]

    @staticmethod
    def of(scene: Scene) -> Surface:
        shape = scene.shape
        texels, sides = pyramid(scene.textures)
        corners = np.concatenate(
            [shape.vertices, shape.normals, shape.uv, shape.curvature],
            1,
            dtype="float32",
            casting="same_kind",
        )
        relief = np.zeros(len(scene.textures)) if scene.relief is None else scene.relief
        heights = np.zeros((1, 4, 4, 6)) if scene.heights is None else scene.heights
        tile = np.ones(1) if scene.tile is None else scene.tile
        return Surface(
            corners=corners,
            faces=np.ascontiguousarray(shape.faces, "int32"),
            material=scene.material.astype("int32"),
            instance=scene.instance.astype("int32"),
            texels=texels,
            # levels lie one behind the other, each a fourth of the one before
            starts=np.cumsum(np.concatenate([[0], sides[:-1] ** 2])),
            sides=sides,
            scale=np.ascontiguousarray(scene.scale, "float32"),
            relief=relief.astype("int32"),
            heights=np.ascontiguousarray(heights, "float32"),
            tile=np.ascontiguousarray(tile, "float32"),
        )

    def under(self, origins: Floats, rays: Floats, first: FirstHits, pixel: float) -> Hits:
        """Returns the hits of the rays. origins: [n or 1, 3]; pixel: a pixel's side at 1
        m, metres.
        """
        n = len(rays)
        hits = Hits(
            distance=np.empty(n, "float32"),
            point=np.empty((n, 3), "float32"),
            normal=np.empty((n, 3), "float32"),
            lit=np.empty((n, 3), "float32"),
            plane=np.empty((n, 3), "float32"),
            colour=np.empty((n, 3), "float32"),
            curvature=np.empty((n, 2), "float32"),
            material=np.empty(n, "int32"),
            instance=np.empty(n, "int32"),
        )
        _under(origins, rays, first, np.float32(pixel), self, hits)
        return hits


def pyramid(textures: Floats) -> tuple[Floats, Integers]:
    """Returns (texels [material, all levels' texels, 3] float32 linear reflectance, sides [level])
    of textures [material, S, S, 3] in [0, 1]. Raises ValueError if S is no power of two.
    """
    side = textures.shape[1]
    # a mask wraps the coordinates of a texture
    if side & (side - 1):
        raise ValueError(f"expected textures whose side is a power of two, got {side} texels")
    sides = [side]
    # down to 2 x 2: a bilinear look-up needs two texels a side
    while sides[-1] > 2:
        sides.append(sides[-1] // 2)
    texels = np.empty((len(textures), sum(n * n for n in sides), 3), "float32")
    start = 0
    # One by one, since the copy in between then stays in the cache. To linear light before halving:
    # means of coded values would be too dark.
    for texture, levels in zip(textures, texels):
        np.power(
            np.clip(texture, 0, 1).reshape(-1, 3),
            np.float32(2.2),
            levels[: side * side],
            casting="same_kind",
        )
    for n in sides[:-1]:
        _halved(texels, start, n)
        start += n * n
    return texels, np.array(sides, "int64")


@njit(cache=True, nogil=True)
def _halved(texels: Floats, start: int, side: int) -> None:
    """Writes the level after the one that begins at `start`, `side` texels wide, as means
    of 2 x 2.
    """
    half, after = side // 2, start + side * side
    for m in range(len(texels)):
        for y in range(half):
            for x in range(half):
                a = start + 2 * y * side + 2 * x
                for q in range(3):
                    total = (
                        texels[m, a, q]
                        + texels[m, a + side, q]
                        + texels[m, a + 1, q]
                        + texels[m, a + side + 1, q]
                    )
                    texels[m, after + y * half + x, q] = total / np.float32(4)


@njit(cache=True, fastmath=True, nogil=True)
def _fraction(x: np.float32) -> np.float32:
    """Returns x - floor(x), by truncation, since `math.floor` of Numba is an int64 and would turn
    float32 into float64.
    """
    part = x - np.float32(int(x))
    return part if part >= 0 else part + ONE


@njit(cache=True, fastmath=True, nogil=True)
def _texture(texels: Floats, start: int, side: int, u: float, v: float, out: Array) -> None:
    """Writes the colour at (u, v) repeats of one material's texels [n, 3], bilinear in the level
    that begins at `start`. Sides are powers of two: a mask wraps them.
    """
    # the middle of a texel lies at half a step
    x, y, last = (
        _fraction(u) * np.float32(side) - HALF,
        _fraction(v) * np.float32(side) - HALF,
        side - 1,
    )
    # x is at least -0.5: truncating x + 1 is a floor that stays in float32
    left, above = int(x + ONE) - 1, int(y + ONE) - 1
    fx, fy = x - np.float32(left), y - np.float32(above)
    x0, x1, y0, y1 = (
        left & last,
        (left + 1) & last,
        start + (above & last) * side,
        start + ((above + 1) & last) * side,
    )
    a, b, c, d = texels[y0 + x0], texels[y0 + x1], texels[y1 + x0], texels[y1 + x1]
    for q in range(3):
        low, high = a[q] + (b[q] - a[q]) * fx, c[q] + (d[q] - c[q]) * fx
        out[q] = low + (high - low) * fy


@njit(cache=True, fastmath=True, nogil=True)
def _height(heights: Floats, u: float, v: float, out: Array) -> None:
    """Writes the height of one style [T, T, 6] and its derivatives at (u, v) periods, bilinear
    between lattice points, where they are exact. T: a power of two.
    """
    side, last = np.float32(len(heights)), len(heights) - 1
    x, y = _fraction(u) * side, _fraction(v) * side
    left, above = int(x), int(y)
    fx, fy = x - np.float32(left), y - np.float32(above)
    x0, x1, y0, y1 = left & last, (left + 1) & last, above & last, (above + 1) & last
    a, b, c, d = heights[y0, x0], heights[y0, x1], heights[y1, x0], heights[y1, x1]
    for q in range(6):
        low, high = a[q] + (b[q] - a[q]) * fx, c[q] + (d[q] - c[q]) * fx
        out[q] = low + (high - low) * fy


@njit(cache=True, fastmath=True, nogil=True)
def _under(
    origins: Floats, rays: Floats, first: FirstHits, pixel: float, surface: Surface, hits: Hits
) -> None:
    """Writes into `hits` [n] what lies under the rays [n, 3] that hit `first` [n]. origins:
    [n or 1, 3]; pixel: a pixel's side at 1 m, metres.
    """
    far, triangle, bu, bv = first
    corners, faces, material, instance, texels, starts, sides, scale, relief, heights, tile = (
        surface
    )
    distance, point, normal, lit, plane, colour, bend, of_material, of_instance = hits
    wave, alone = np.empty(6, np.float32), len(origins) == 1
    for i in range(len(triangle)):
        p, o = triangle[i], 0 if alone else i
        if p < 0:
            distance[i], of_material[i], of_instance[i] = np.inf, -1, -1
            # all zero, so that what reads a miss finds no NaN
            point[i], normal[i], lit[i], plane[i], colour[i], bend[i] = 0, 0, 0, 0, 0, 0
            continue
        a, b, c = corners[faces[p, 0]], corners[faces[p, 1]], corners[faces[p, 2]]
        u, v = bu[i], bv[i]
        w = ONE - u - v
        dx, dy, dz = rays[i, 0], rays[i, 1], rays[i, 2]
        e1x, e1y, e1z, e2x, e2y, e2z = (
            b[0] - a[0],
            b[1] - a[1],
            b[2] - a[2],
            c[0] - a[0],
            c[1] - a[1],
            c[2] - a[2],
        )
        gx, gy, gz = e1y * e2z - e1z * e2y, e1z * e2x - e1x * e2z, e1x * e2y - e1y * e2x
        # twice the triangle's area
        area = math.sqrt(gx * gx + gy * gy + gz * gz) + TINY
        gx, gy, gz = gx / area, gy / area, gz / area
        nx, ny, nz = (
            w * a[3] + u * b[3] + v * c[3],
            w * a[4] + u * b[4] + v * c[4],
            w * a[5] + u * b[5] + v * c[5],
        )
        # normals of the corners have length 1, their mean has not
        length: Any = math.sqrt(nx * nx + ny * ny + nz * nz) + TINY  # float32, as Numba sees it
        nx, ny, nz = nx / length, ny / length, nz / length
        if gx * nx + gy * ny + gz * nz < 0:  # a mesh may be wound against its normals
            gx, gy, gz = -gx, -gy, -gz
        sign = ONE
        facing = gx * dx + gy * dy + gz * dz
        if facing > 0:  # seen from behind: what was convex is concave
            sign = -ONE
            gx, gy, gz, nx, ny, nz, facing = -gx, -gy, -gz, -nx, -ny, -nz, -facing
        # curvatures of convex surfaces are positive on the side that is looked at
        k0, k1 = sign * (w * a[8] + u * b[8] + v * c[8]), sign * (w * a[9] + u * b[9] + v * c[9])
        m = material[p]
        s, t = w * a[6] + u * b[6] + v * c[6], w * a[7] + u * b[7] + v * c[7]
        du1, dv1, du2, dv2 = b[6] - a[6], b[7] - a[7], c[6] - a[6], c[7] - a[7]
        # twice the triangle's area in uv: its ratio to the area is the scale, its sign a mirrored
        # texture
        turn = du1 * dv2 - du2 * dv1
        z = far[i]
        style = relief[m]
        lit[i, 0], lit[i, 1], lit[i, 2] = nx, ny, nz
        # on surfaces that bend already the tangents turn within a triangle, and the formula does
        # not hold
        if style > 0 and abs(turn) > 1e-12 and abs(k0) < FLAT and abs(k1) < FLAT:
            _height(heights[style], s / tile[style], t / tile[style], wave)
            # over turn: the determinant of the inverse that the next lines lack; uv are metres, so
            # that slopes need no other scale
            hu, hv = sign * wave[1] / turn, sign * wave[2] / turn
            # the columns that turn multiplies are the tangents along u and v: the inverse of the
            # triangle's uv matrix
            nx -= hu * (e1x * dv2 - e2x * dv1) + hv * (e2x * du1 - e1x * du2)
            ny -= hu * (e1y * dv2 - e2y * dv1) + hv * (e2y * du1 - e1y * du2)
            nz -= hu * (e1z * dv2 - e2z * dv1) + hv * (e2z * du1 - e1z * du2)
            length = math.sqrt(nx * nx + ny * ny + nz * nz)
            nx, ny, nz = nx / length, ny / length, nz / length
            if style >= SOFT:
                lit[i, 0], lit[i, 1], lit[i, 2] = nx, ny, nz
            # eigenvalues of the Hessian: mean +- the root of half the difference squared and the
            # mixed one squared
            difference = (wave[3] - wave[5]) * HALF
            mean, half = (
                -sign * (wave[3] + wave[5]) * HALF,
                math.sqrt(difference * difference + wave[4] * wave[4]),
            )
            k0, k1 = k0 + mean + half, k1 + mean - half
            # a height h moves the hit by h / cosine; nearly edge on, first order no longer holds
            # and the cosine is kept away from 0
            z += sign * wave[0] / min(facing, STEEPEST)
        tilt = nx * dx + ny * dy + nz * dz
        if tilt > -GRAZING:  # an interpolated normal may turn away at a silhouette
            nx, ny, nz = (
                nx - (tilt + GRAZING) * dx,
                ny - (tilt + GRAZING) * dy,
                nz - (tilt + GRAZING) * dz,
            )
            length = math.sqrt(nx * nx + ny * ny + nz * nz)
            nx, ny, nz = nx / length, ny / length, nz / length
        distance[i], of_material[i], of_instance[i] = z, m, instance[p]
        # shadow rays start from the mesh that they can hit, not from below its relief
        point[i, 0], point[i, 1], point[i, 2] = (
            origins[o, 0] + far[i] * dx,
            origins[o, 1] + far[i] * dy,
            origins[o, 2] + far[i] * dz,
        )
        normal[i, 0], normal[i, 1], normal[i, 2] = nx, ny, nz
        plane[i, 0], plane[i, 1], plane[i, 2] = gx, gy, gz
        bend[i, 0], bend[i, 1] = k0, k1
        # uv area over the triangle's, stretched by 1 / cosine in one direction: the root is the
        # mean scale of both
        footprint = (
            z * pixel * math.sqrt(abs(turn) / area / max(-facing, EDGE_ON)) / scale[m] * sides[0]
        )
        level = 0
        while footprint > NEARER and level + 1 < len(sides):
            footprint, level = footprint * HALF, level + 1
        _texture(texels[m], starts[level], sides[level], s / scale[m], t / scale[m], colour[i])
