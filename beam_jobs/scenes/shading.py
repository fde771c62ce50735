"""What lies under every ray: place, normal, curvature, colour. One compiled pass over the hits.

Textures are image pyramids (box filtered) looked up bilinearly at the level nearest to the pixel's footprint. Flat surfaces may carry a relief: a
periodic height field of millimetres, as scanned meshes have. It moves the hit along the ray to first order in the height, and the normal
and the curvature are those of the height field: n - h_u T_u - h_v T_v, and the eigenvalues of -Hessian(h) (small slopes; do Carmo, section 3-3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np

from beam_jobs.scenes.scene import Scene

FLAT = 0.3  # 1/m: relief lies on surfaces that bend less than this


@dataclass(frozen=True)
class Hits:
    """n hits: distance [n] m along the ray (inf: none), relief included; point (of the mesh, without relief),
    normal (towards the ray's origin), plane (of the triangle), colour (linear) [n, 3],
    curvature [n, 2] 1/m (convex positive), material, instance [n] (-1: none). float32, int32."""

    distance: np.ndarray
    point: np.ndarray
    normal: np.ndarray
    plane: np.ndarray
    colour: np.ndarray
    curvature: np.ndarray
    material: np.ndarray
    instance: np.ndarray


@dataclass(frozen=True)
class Surface:
    """A scene's arrays in the form that the compiled pass reads."""

    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray
    uv: np.ndarray
    curvature: np.ndarray
    material: np.ndarray
    instance: np.ndarray
    texels: np.ndarray
    sides: np.ndarray
    scale: np.ndarray
    relief: np.ndarray
    heights: np.ndarray
    tile: np.ndarray

    @staticmethod
    def of(scene: Scene) -> Surface:
        small = lambda x: np.ascontiguousarray(x, "float32")
        texels, sides = pyramid(scene.textures)
        relief = np.zeros(len(scene.textures), "int32") if scene.relief is None else scene.relief.astype("int32")
        return Surface(
            small(scene.shape.vertices),
            np.ascontiguousarray(scene.shape.faces, "int32"),
            small(scene.shape.normals),
            small(scene.shape.uv),
            small(scene.shape.curvature),
            scene.material.astype("int32"),
            scene.instance.astype("int32"),
            texels,
            sides,
            small(scene.scale),
            relief,
            small(scene.heights) if scene.heights is not None else np.zeros((1, 4, 4, 6), "float32"),
            small(scene.tile) if scene.tile is not None else np.ones(1, "float32"),
        )

    def under(self, origins: np.ndarray, rays: np.ndarray, hit: dict, pixel: float) -> Hits:
        """hits of the rays; hit: what Embree returned; pixel: a pixel's side at 1 m, metres."""
        n = len(rays)
        three = lambda: np.zeros((n, 3), "float32")
        made = Hits(np.empty(n, "float32"), three(), three(), three(), three(), np.zeros((n, 2), "float32"), np.full(n, -1, "int32"), np.full(n, -1, "int32"))
        _under(
            origins,
            rays,
            hit["tfar"],
            hit["primID"],
            hit["u"],
            hit["v"],
            np.float32(pixel),
            self.vertices,
            self.faces,
            self.normals,
            self.uv,
            self.curvature,
            self.material,
            self.instance,
            self.texels,
            self.sides,
            self.scale,
            self.relief,
            self.heights,
            self.tile,
            made.distance,
            made.point,
            made.normal,
            made.plane,
            made.colour,
            made.curvature,
            made.material,
            made.instance,
        )
        return made


def pyramid(textures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(texels [material, all levels' texels, 3] float32 linear reflectance, sides [level]) of textures [material, S, S, 3] in [0, 1]; S a power of two."""
    level = (np.clip(textures, 0, 1) ** 2.2).astype("float32")
    levels, sides = [], []
    while True:
        levels.append(level.reshape(len(level), -1, 3))
        sides.append(level.shape[1])
        if level.shape[1] % 2 or level.shape[1] <= 2:
            return np.concatenate(levels, 1), np.array(sides, "int64")
        level = (level[:, ::2, ::2] + level[:, 1::2, ::2] + level[:, ::2, 1::2] + level[:, 1::2, 1::2]) / 4


@numba.njit(cache=True, fastmath=True, nogil=True)
def _texture(texels, sides, material, u, v, level, out, row):
    start = 0
    for k in range(level):
        start += sides[k] * sides[k]
    side = sides[level]
    x, y = (u - math.floor(u)) * side - 0.5, (v - math.floor(v)) * side - 0.5
    x0, y0 = int(math.floor(x)), int(math.floor(y))
    fx, fy = x - x0, y - y0
    x1, y1 = (x0 + 1) % side, (y0 + 1) % side
    x0, y0 = x0 % side, y0 % side
    a, b, c, d = start + y0 * side + x0, start + y0 * side + x1, start + y1 * side + x0, start + y1 * side + x1
    for q in range(3):
        low = texels[material, a, q] * (1 - fx) + texels[material, b, q] * fx
        high = texels[material, c, q] * (1 - fx) + texels[material, d, q] * fx
        out[row, q] = low * (1 - fy) + high * fy


@numba.njit(cache=True, fastmath=True, nogil=True)
def _height(heights, style, u, v, out):
    """the height and its derivatives at (u, v) periods: bilinear between lattice points, where they are exact."""
    side = heights.shape[1]
    x, y = (u - math.floor(u)) * side, (v - math.floor(v)) * side
    x0, y0 = int(x), int(y)
    fx, fy = x - x0, y - y0
    x1, y1 = (x0 + 1) % side, (y0 + 1) % side
    x0, y0 = x0 % side, y0 % side
    for q in range(6):
        low = heights[style, y0, x0, q] * (1 - fx) + heights[style, y0, x1, q] * fx
        high = heights[style, y1, x0, q] * (1 - fx) + heights[style, y1, x1, q] * fx
        out[q] = low * (1 - fy) + high * fy


@numba.njit(cache=True, fastmath=True, nogil=True)
def _under(
    origins, rays, far, triangle, bu, bv, pixel, vertices, faces, normals, uv, curvature, material, instance, texels, sides, scale, relief, heights, tile,
    distance, point, normal, plane, colour, bend, of_material, of_instance,
):  # fmt: skip
    wave = np.empty(6, np.float32)
    for i in range(len(triangle)):
        p = triangle[i]
        if p < 0:
            distance[i] = np.inf
            continue
        a, b, c = faces[p, 0], faces[p, 1], faces[p, 2]
        u, v = bu[i], bv[i]
        w = 1 - u - v
        dx, dy, dz = rays[i, 0], rays[i, 1], rays[i, 2]
        e1x, e1y, e1z = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
        e2x, e2y, e2z = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
        gx, gy, gz = e1y * e2z - e1z * e2y, e1z * e2x - e1x * e2z, e1x * e2y - e1y * e2x
        area = math.sqrt(gx * gx + gy * gy + gz * gz) + 1e-20
        gx, gy, gz = gx / area, gy / area, gz / area
        nx = w * normals[a, 0] + u * normals[b, 0] + v * normals[c, 0]
        ny = w * normals[a, 1] + u * normals[b, 1] + v * normals[c, 1]
        nz = w * normals[a, 2] + u * normals[b, 2] + v * normals[c, 2]
        length = math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-20
        nx, ny, nz = nx / length, ny / length, nz / length
        if gx * nx + gy * ny + gz * nz < 0:  # a mesh may be wound against its normals
            gx, gy, gz = -gx, -gy, -gz
        sign = 1.0
        facing = gx * dx + gy * dy + gz * dz
        if facing > 0:  # seen from behind: what was convex is concave
            sign = -1.0
            gx, gy, gz, nx, ny, nz, facing = -gx, -gy, -gz, -nx, -ny, -nz, -facing
        k0 = sign * (w * curvature[a, 0] + u * curvature[b, 0] + v * curvature[c, 0])
        k1 = sign * (w * curvature[a, 1] + u * curvature[b, 1] + v * curvature[c, 1])
        m = material[p]
        s = w * uv[a, 0] + u * uv[b, 0] + v * uv[c, 0]
        t = w * uv[a, 1] + u * uv[b, 1] + v * uv[c, 1]
        du1, dv1, du2, dv2 = uv[b, 0] - uv[a, 0], uv[b, 1] - uv[a, 1], uv[c, 0] - uv[a, 0], uv[c, 1] - uv[a, 1]
        turn = du1 * dv2 - du2 * dv1
        z = far[i]
        style = relief[m]
        if style > 0 and abs(turn) > 1e-12 and abs(k0) < FLAT and abs(k1) < FLAT:
            _height(heights, style, s / tile[style], t / tile[style], wave)
            hu, hv = sign * wave[1] / turn, sign * wave[2] / turn
            nx -= hu * (e1x * dv2 - e2x * dv1) + hv * (e2x * du1 - e1x * du2)
            ny -= hu * (e1y * dv2 - e2y * dv1) + hv * (e2y * du1 - e1y * du2)
            nz -= hu * (e1z * dv2 - e2z * dv1) + hv * (e2z * du1 - e1z * du2)
            length = math.sqrt(nx * nx + ny * ny + nz * nz)
            nx, ny, nz = nx / length, ny / length, nz / length
            mean, half = -sign * (wave[3] + wave[5]) / 2, math.hypot((wave[3] - wave[5]) / 2, wave[4])
            k0, k1 = k0 + mean + half, k1 + mean - half
            z += sign * wave[0] / min(facing, -0.2)
        tilt = nx * dx + ny * dy + nz * dz
        if tilt > -1e-3:  # an interpolated normal may turn away at a silhouette
            nx, ny, nz = nx - (tilt + 1e-3) * dx, ny - (tilt + 1e-3) * dy, nz - (tilt + 1e-3) * dz
            length = math.sqrt(nx * nx + ny * ny + nz * nz)
            nx, ny, nz = nx / length, ny / length, nz / length
        distance[i] = z
        of_material[i], of_instance[i] = m, instance[p]
        # shadow rays start from the mesh that they can hit, not from below its relief
        point[i, 0], point[i, 1], point[i, 2] = origins[i, 0] + far[i] * dx, origins[i, 1] + far[i] * dy, origins[i, 2] + far[i] * dz
        normal[i, 0], normal[i, 1], normal[i, 2] = nx, ny, nz
        plane[i, 0], plane[i, 1], plane[i, 2] = gx, gy, gz
        bend[i, 0], bend[i, 1] = k0, k1
        footprint = z * pixel / math.sqrt(max(-facing, 0.15)) * math.sqrt(abs(turn) / area) / scale[m] * sides[0]
        level = int(math.log2(max(footprint, 1.0)) + 0.35)
        _texture(texels, sides, m, s / scale[m], t / scale[m], min(level, len(sides) - 1), colour, i)
