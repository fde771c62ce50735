"""The arithmetic of `shapes`, compiled: a building has a thousand parts of a few hundred vertices,
each too small for NumPy to be fast. float64, metres.
"""

from __future__ import annotations

import math

import numpy as np

from models.provenance.kernels import njit
from models.tasks.arrays import Array, Floats, Integers

STEEPEST = 200.0  # 1/m: the labels are clipped at 33 already


@njit(cache=True, nogil=True)
def placed(
    vertices: Floats, normals: Floats, position: Floats, yaw: float, moved: Floats, turned: Floats
) -> None:
    """Writes the vertices [v, 3], turned by `yaw` (radians) about z and moved by `position` [3],
    into `moved`, and the turned normals into `turned`.
    """
    c, s = math.cos(yaw), math.sin(yaw)
    for i in range(len(vertices)):
        # an angle about z alone: things stand upright, and two sines serve all vertices
        x, y = vertices[i, 0], vertices[i, 1]
        moved[i, 0], moved[i, 1], moved[i, 2] = (
            c * x - s * y + position[0],
            s * x + c * y + position[1],
            vertices[i, 2] + position[2],
        )
        x, y = normals[i, 0], normals[i, 1]
        turned[i, 0], turned[i, 1], turned[i, 2] = c * x - s * y, s * x + c * y, normals[i, 2]


@njit(cache=True, nogil=True)
def stray(faces: Integers, count: int) -> bool:
    """Returns whether any of the faces [f, 3] has a corner that is none of `count` vertices."""
    for i in range(len(faces)):
        for k in range(3):
            if not 0 <= faces[i, k] < count:
                return True
    return False


@njit(cache=True, nogil=True)
def parallelogram(
    origin: Floats, along: Floats, up: Floats, points: Floats, normals: Floats
) -> None:
    """Writes the four corners of a parallelogram into points [4, 3], in the order of a lattice of 2
    x 2 vertices, and the direction of along x up into normals [4, 3]. origin, along, up: [3].
    """
    x = along[1] * up[2] - along[2] * up[1]
    y = along[2] * up[0] - along[0] * up[2]
    z = along[0] * up[1] - along[1] * up[0]
    length = math.sqrt(x * x + y * y + z * z) + 1e-12
    for i in range(4):
        for q in range(3):
            points[i, q] = origin[q] + (i // 2) * along[q] + (i % 2) * up[q]
        normals[i, 0], normals[i, 1], normals[i, 2] = x / length, y / length, z / length


@njit(cache=True, nogil=True)
def gradient(values: Floats, order: int, out: Array) -> None:
    """Writes `np.gradient` of a profile [n] into `out` [n]: central differences, one-sided of
    `order` at its ends.
    """
    n = len(values)
    for i in range(1, n - 1):
        out[i] = (values[i + 1] - values[i - 1]) / 2
    # three points at an end, as `np.gradient` with edge_order 2: the slope of a parabola is exact
    if order == 2:
        out[0] = -1.5 * values[0] + 2 * values[1] - 0.5 * values[2]
        out[n - 1] = 0.5 * values[n - 3] - 2 * values[n - 2] + 1.5 * values[n - 1]
    else:
        out[0], out[n - 1] = values[1] - values[0], values[n - 1] - values[n - 2]


@njit(cache=True, nogil=True)
def revolved(
    r: Floats,
    z: Floats,
    segments: int,
    points: Floats,
    normals: Floats,
    uv: Floats,
    curvature: Floats,
) -> None:
    """Writes the lattice of `shapes.revolved`, a profile (r, z) of [n] numbers each turned about z,
    row by row into the last four arrays, a row for each of [n (segments + 1)] vertices.
    """
    n, columns = len(r), segments + 1
    r1, z1, r2, z2 = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    gradient(r, 2 if n > 2 else 1, r1)
    gradient(z, 2 if n > 2 else 1, z1)
    # second derivatives need three points; a profile of two is a straight line without any
    if n > 2:
        gradient(r1, 1, r2)
        gradient(z1, 1, z2)
    # turns times the largest radius: a texture is stretched nowhere, and squeezed where the profile
    # narrows
    along, girth = 0.0, max(r.max(), 0.02)
    for i in range(n):
        if i:
            along += math.hypot(r[i] - r[i - 1], z[i] - z[i - 1])
        q = math.hypot(r1[i], z1[i]) + 1e-12
        length = math.hypot(r1[i] / q, z1[i] / q) + 1e-12
        out, up = z1[i] / q / length, -r1[i] / q / length
        # on the axis r is 0: a cap that meets it level has z' = 0 there, too, and hence no
        # curvature
        profile, around = (r1[i] * z2[i] - r2[i] * z1[i]) / q**3, z1[i] / (max(r[i], 1e-3) * q)
        for j in range(columns):
            turn, k = 2 * math.pi * j / segments, i * columns + j
            c, s = math.cos(turn), math.sin(turn)
            points[k, 0], points[k, 1], points[k, 2] = r[i] * c, r[i] * s, z[i]
            normals[k, 0], normals[k, 1], normals[k, 2] = out * c, out * s, up
            uv[k, 0], uv[k, 1], curvature[k, 0], curvature[k, 1] = (
                turn * girth,
                along,
                profile,
                around,
            )


@njit(cache=True, nogil=True)
def tube(
    path: Floats,
    radius: float,
    segments: int,
    points: Floats,
    normals: Floats,
    uv: Floats,
    curvature: Floats,
) -> None:
    """Writes the lattice of `soft.tube`, rings about a path [n, 3], ring by ring into the last four
    arrays. Where the path is upright, the ring's side is that of the last place where it was not.
    """
    n, columns, along = len(path), segments + 1, 0.0
    ahead, turning, sides = np.empty((3, n)), np.empty((3, n)), np.zeros((n, 3))
    step = np.empty(n)
    for q in range(3):
        gradient(path[:, q], 1, ahead[q])
    for i in range(n):
        step[i] = math.sqrt(ahead[0, i] ** 2 + ahead[1, i] ** 2 + ahead[2, i] ** 2) + 1e-12
        for q in range(3):
            ahead[q, i] /= step[i]
    for q in range(3):
        gradient(ahead[q], 1, turning[q])
    last = np.array([1.0, 0.0, 0.0])
    for k in range(
        2 * n
    ):  # once backwards, so that an upright beginning takes the side of what follows
        i = n - 1 - k if k < n else k - n
        flat = math.hypot(ahead[0, i], ahead[1, i])
        if flat > 1e-9:
            last[0], last[1] = ahead[1, i] / flat, -ahead[0, i] / flat
        # one by one: for assigning a row numba also compiles its error messages, which takes 3 s
        for q in range(3):
            sides[i, q] = last[q]
    for i in range(n):
        if i:
            along += distance(path, i, i - 1)
        ux = sides[i, 1] * ahead[2, i] - sides[i, 2] * ahead[1, i]
        uy = sides[i, 2] * ahead[0, i] - sides[i, 0] * ahead[2, i]
        uz = sides[i, 0] * ahead[1, i] - sides[i, 1] * ahead[0, i]
        for j in range(columns):
            k, turn = i * columns + j, 2 * math.pi * j / segments
            c, s, toward = math.cos(turn), math.sin(turn), 0.0
            for q in range(3):
                out = sides[i, q] * c + (ux, uy, uz)[q] * s
                points[k, q], normals[k, q] = path[i, q] + radius * out, out
                toward += turning[q, i] / step[i] * out
            uv[k, 0], uv[k, 1], curvature[k, 0], curvature[k, 1] = (
                turn * radius,
                along,
                1 / radius,
                # a bend towards the inside shortens that side of the tube: -k cos t / (1 - r k cos
                # t)
                -toward / (1 - radius * toward),
            )


@njit(cache=True, nogil=True)
def crossed(vertices: Floats, a: int, b: int, c: int) -> tuple[float, float, float]:
    """Returns the normal of the triangle of three of the vertices [v, 3], as long as twice its
    area.
    """
    ux, uy, uz = (
        vertices[b, 0] - vertices[a, 0],
        vertices[b, 1] - vertices[a, 1],
        vertices[b, 2] - vertices[a, 2],
    )
    vx, vy, vz = (
        vertices[c, 0] - vertices[a, 0],
        vertices[c, 1] - vertices[a, 1],
        vertices[c, 2] - vertices[a, 2],
    )
    return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx


@njit(cache=True, nogil=True)
def leaning(vertices: Floats, faces: Integers, normals: Floats, step: int) -> float:
    """Returns the sum, over every `step`-th of the faces [f, 3], of how far it looks the way that
    its normals [v, 3] do.
    """
    total = 0.0
    # every step-th only: the faces of one lattice are wound alike, so that a few tell for all
    for i in range(0, len(faces), step):
        a, b, c = faces[i, 0], faces[i, 1], faces[i, 2]
        x, y, z = crossed(vertices, a, b, c)
        total += x * (normals[a, 0] + normals[b, 0] + normals[c, 0]) + y * (
            normals[a, 1] + normals[b, 1] + normals[c, 1]
        )
        total += z * (normals[a, 2] + normals[b, 2] + normals[c, 2])
    return total


@njit(cache=True, nogil=True)
def outward(vertices: Floats, faces: Integers, normals: Floats, out: Array) -> None:
    """Writes the faces [f, 3] into `out` [f, 3], wound so that they look the way their normals [v,
    3] do.
    """
    for i in range(len(faces)):
        back = leaning(vertices, faces[i : i + 1], normals, 1) < 0
        for k in range(3):
            out[i, k] = faces[i, 2 - k] if back else faces[i, k]


@njit(cache=True, nogil=True)
def normals_of(
    vertices: Floats, faces: Integers, rows: int, columns: int, closed: bool, normals: Floats
) -> None:
    """Writes the unit normals of a lattice's vertices [v, 3] into `normals` [v, 3], faces [f, 3]
    weighted by area. closed: the first and the last column coincide and the rows end in poles; the
    normals then point outwards.
    """
    normals[:] = 0
    for i in range(len(faces)):
        x, y, z = crossed(vertices, faces[i, 0], faces[i, 1], faces[i, 2])
        for k in range(3):
            v = faces[i, k]
            normals[v, 0], normals[v, 1], normals[v, 2] = (
                normals[v, 0] + x,
                normals[v, 1] + y,
                normals[v, 2] + z,
            )
    # first and last column are the same vertices, and so are all of a row that is a pole: each gets
    # the faces of all
    if closed:
        for q in range(3):
            for i in range(rows):
                first, last = i * columns, i * columns + columns - 1
                normals[first, q] = normals[last, q] = normals[first, q] + normals[last, q]
            for start in (0, (rows - 1) * columns):
                normals[start : start + columns, q] = normals[start : start + columns, q].sum()
    turned, middle = 0.0, np.array([vertices[:, q].mean() for q in range(3)])
    for i in range(len(normals)):
        length = math.sqrt(normals[i, 0] ** 2 + normals[i, 1] ** 2 + normals[i, 2] ** 2) + 1e-12
        for q in range(3):
            normals[i, q] /= length
            turned += (vertices[i, q] - middle[q]) * normals[i, q]
    # turned over all together, by the side on which the middle lies: a single dent may look inwards
    if closed and turned < 0:
        for i in range(len(normals)):
            for q in range(3):
                normals[i, q] = -normals[i, q]


@njit(cache=True, nogil=True)
def measured(vertices: Floats, rows: int, columns: int, uv: Floats) -> None:
    """Writes into uv [v, 2] the lengths along the rows and the columns of a lattice's vertices [v,
    3].
    """
    for i in range(rows):
        for j in range(columns):
            k = i * columns + j
            uv[k, 0] = uv[k - 1, 0] + distance(vertices, k, k - 1) if j else 0.0
            uv[k, 1] = uv[k - columns, 1] + distance(vertices, k, k - columns) if i else 0.0


@njit(cache=True, nogil=True)
def distance(vertices: Floats, i: int, j: int) -> float:
    """Returns the distance between two of the vertices [v, 3]."""
    return math.sqrt(
        (vertices[i, 0] - vertices[j, 0]) ** 2
        + (vertices[i, 1] - vertices[j, 1]) ** 2
        + (vertices[i, 2] - vertices[j, 2]) ** 2
    )


@njit(cache=True, nogil=True)
def curvature_of(vertices: Floats, faces: Integers, normals: Floats, out: Array) -> None:
    """Writes [v, 2] principal curvatures, larger first, into `out`: each face's second fundamental
    form is fitted to its normals' differences and averaged to the vertices (Rusinkiewicz 2004,
    equation 4).
    """
    edge, turn, count = np.empty((3, 3)), np.empty((3, 3)), np.zeros(len(vertices))
    for i in range(len(faces)):
        for k in range(3):
            for q in range(3):
                edge[k, q] = vertices[faces[i, (k + 2) % 3], q] - vertices[faces[i, (k + 1) % 3], q]
                turn[k, q] = normals[faces[i, (k + 2) % 3], q] - normals[faces[i, (k + 1) % 3], q]
        larger, smaller = bent(edge, turn)
        for k in range(3):
            v = faces[i, k]
            # every face alike, not by area: the cells of one lattice are of similar size
            out[v, 0], out[v, 1], count[v] = out[v, 0] + larger, out[v, 1] + smaller, count[v] + 1
    for i in range(len(out)):
        for q in range(2):
            out[i, q] = min(max(out[i, q] / max(count[i], 1.0), -STEEPEST), STEEPEST)


@njit(cache=True, nogil=True)
def bent(edge: Floats, turn: Floats) -> tuple[float, float]:
    """Returns the (larger, smaller) eigenvalue of the form (a, b; b, c) for which form x edge =
    turn, by least squares over the edges of a face [3, 3].
    """
    x, y = (
        edge[0, 1] * edge[1, 2] - edge[0, 2] * edge[1, 1],
        edge[0, 2] * edge[1, 0] - edge[0, 0] * edge[1, 2],
    )
    z = edge[0, 0] * edge[1, 1] - edge[0, 1] * edge[1, 0]
    length = math.sqrt(x * x + y * y + z * z) + 1e-20
    x, y, z = x / length, y / length, z / length
    length = math.sqrt(edge[0, 0] ** 2 + edge[0, 1] ** 2 + edge[0, 2] ** 2) + 1e-20
    ux, uy, uz = edge[0, 0] / length, edge[0, 1] / length, edge[0, 2] / length
    vx, vy, vz = y * uz - z * uy, z * ux - x * uz, x * uy - y * ux
    uu = uv = vv = first = middle = last = 0.0
    for k in range(3):
        eu, ev = (
            edge[k, 0] * ux + edge[k, 1] * uy + edge[k, 2] * uz,
            edge[k, 0] * vx + edge[k, 1] * vy + edge[k, 2] * vz,
        )
        nu, nv = (
            turn[k, 0] * ux + turn[k, 1] * uy + turn[k, 2] * uz,
            turn[k, 0] * vx + turn[k, 1] * vy + turn[k, 2] * vz,
        )
        uu, uv, vv = uu + eu * eu, uv + eu * ev, vv + ev * ev
        first, middle, last = first + eu * nu, middle + ev * nu + eu * nv, last + ev * nv
    # the normal equations are tridiagonal: diagonal uu, uu + vv, vv, beside it uv
    # two corners of a face at a pole coincide: the small number keeps its system solvable
    d0, d1, d2 = uu + 1e-10, uu + vv + 1e-10, vv + 1e-10
    d1, middle = d1 - uv * uv / d0, middle - uv * first / d0
    d2, last = d2 - uv * uv / d1, last - uv * middle / d1
    c = last / d2
    b = (middle - uv * c) / d1
    a = (first - uv * b) / d0
    mean, spread = (a + c) / 2, math.hypot((a - c) / 2, b)
    return mean + spread, mean - spread
