"""Parametric solids with exact normals and principal curvatures.

A `Shape` is a triangle mesh whose corners carry what the surface really is, not what the triangles
suggest: a cylinder's side has curvature (1/r, 0) however few facets it has. Convex surfaces have
positive curvature (the sign of the published labels). Metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from beam_jobs.scenes.geometry import lattices
from models.tasks.arrays import Floats, Integers

# A point, an extent or a colour: three numbers.
Triple = Sequence[float] | Floats
# One coordinate along the profile of a surface of revolution.
Profile = Sequence[float] | Floats
# In the order of a lattice of 2 x 2 vertices.
UNIT_SQUARE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


@dataclass(frozen=True)
class Shape:
    """A triangle mesh with the exact normals and curvatures of its surface. vertices [v, 3]; faces
    [f, 3]; normals [v, 3] unit, outward; uv [v, 2] metres along the surface; curvature [v, 2] 1/m.
    Raises ValueError for arrays that do not fit together.
    """

    vertices: Floats
    faces: Integers
    normals: Floats
    uv: Floats
    curvature: Floats

    def __post_init__(self) -> None:
        count = len(self.vertices)
        three, two = (count, 3), (count, 2)
        if not (
            self.vertices.shape == self.normals.shape == three
            and self.uv.shape == self.curvature.shape == two
        ):
            shapes = [x.shape for x in (self.vertices, self.normals, self.uv, self.curvature)]
            raise ValueError(
                f"shape: vertices and normals are [{count}, 3], uv and curvature [{count}, 2], got "
                f"{', '.join(map(str, shapes))}"
            )
        if lattices.stray(self.faces, count):
            raise ValueError(
                f"shape: faces index {count} vertices, got {self.faces.min()} to {self.faces.max()}"
            )

    def placed(self, position: Triple = (0.0, 0.0, 0.0), yaw: float = 0.0) -> Shape:
        """Returns the shape turned by `yaw` about z, then moved."""
        vertices = np.empty_like(self.vertices)
        normals = np.empty_like(self.normals)
        lattices.placed(
            self.vertices,
            self.normals,
            np.asarray(position, "float64"),
            float(yaw),
            vertices,
            normals,
        )
        return Shape(vertices, self.faces, normals, self.uv, self.curvature)

    def oriented(self, rotation: Floats) -> Shape:
        """Returns the shape turned by any rotation matrix [3, 3]."""
        return Shape(
            self.vertices @ rotation.T,
            self.faces,
            self.normals @ rotation.T,
            self.uv,
            self.curvature,
        )


def joined(shapes: list[Shape]) -> Shape:
    """Returns one shape made of several."""
    offsets = np.cumsum([0] + [len(shape.vertices) for shape in shapes[:-1]])
    return Shape(
        np.concatenate([s.vertices for s in shapes]),
        np.concatenate([s.faces + o for s, o in zip(shapes, offsets)]),
        np.concatenate([s.normals for s in shapes]),
        np.concatenate([s.uv for s in shapes]),
        np.concatenate([s.curvature for s in shapes]),
    )


# buildings ask for the same few sizes a thousand times; callers share the array and never write
# into it
@lru_cache(maxsize=256)
def lattice_faces(rows: int, columns: int) -> Integers:
    """Returns [2 cells, 3], two triangles for each cell of a rows x columns lattice of vertices."""
    i = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    return np.concatenate(
        [np.stack([i, i + columns, i + columns + 1], 1), np.stack([i, i + columns + 1, i + 1], 1)]
    )


def wound(vertices: Floats, faces: Integers, normals: Floats) -> Integers:
    """Returns the faces [f, 3] of one lattice, all turned over if most of up to 64 of them look
    against their normals [v, 3].
    """
    return (
        faces[:, ::-1]
        # 64 faces decide: all faces of a lattice are wound alike
        if lattices.leaning(vertices, faces, normals, max(1, len(faces) // 64)) < 0
        else faces
    )


def sheet(points: Floats, normals: Floats, uv: Floats, curvature: Floats) -> Shape:
    """Returns the shape of a lattice [rows, columns, ...]."""
    rows, columns = points.shape[:2]
    flat = [
        np.ascontiguousarray(x, "float64").reshape(rows * columns, -1)
        for x in (points, normals, uv, curvature)
    ]
    # a pole of a lattice may have a normal of length 0
    flat[1] /= np.linalg.norm(flat[1], axis=1, keepdims=True) + 1e-12
    return Shape(
        flat[0], wound(flat[0], lattice_faces(rows, columns), flat[1]), flat[1], flat[2], flat[3]
    )


def quad(origin: Triple, along: Triple, up: Triple) -> Shape:
    """Returns a flat parallelogram whose normal is along x up; uv in metres from `origin`."""
    origin, along, up = (np.asarray(x, "float64") for x in (origin, along, up))
    points, normals = np.empty((4, 3)), np.empty((4, 3))
    lattices.parallelogram(origin, along, up, points, normals)
    return Shape(
        points,
        wound(points, lattice_faces(2, 2), normals),
        normals,
        UNIT_SQUARE * (np.linalg.norm(along), np.linalg.norm(up)),
        np.zeros((4, 2)),
    )


def rounded_box(extent: Triple, radius: float = 0.012, steps: int = 2) -> Shape:
    """Returns a box centred at the origin with rounded edges of `radius`: faces flat, edges (1/r,
    0), corners (1/r, 1/r).
    """
    half = np.asarray(extent, "float64") / 2
    # a full half would leave the flat sides without any area
    radius = min(radius, half.min() * 0.95)
    sign, direction, faces, bent, across = box_lattices(steps)
    place = sign * (half - radius) + radius * direction
    uv = (place + half).take(across)
    return Shape(place, faces, direction, uv, bent / radius)


@lru_cache(maxsize=8)
def box_lattices(steps: int) -> tuple[Floats, Floats, Integers, Floats, Integers]:
    """Returns what all rounded boxes share: sign [v, 3] of the corner of the inner box, direction
    [v, 3] from it, faces, bent [v, 2], and where in an array [v, 3] the two numbers of uv lie
    [v, 2].
    """
    # each of two sides takes half of the edge's quarter turn: lattices meet at 45 degrees
    angles = np.linspace(0, np.pi / 4, steps + 1)
    tangent = np.tan(np.concatenate([-angles[::-1], angles]))
    # the middle angle, 0, is there twice: the flat of the side lies between the two
    sign = np.concatenate([-np.ones(steps + 1), np.ones(steps + 1)])
    bent = np.abs(tangent) > 1e-9
    sides = []
    signs = []
    axes = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for side in (1, -1):
            direction = np.zeros((len(sign), len(sign), 3))
            direction[..., axis] = side
            direction[..., u] = tangent[:, None]
            direction[..., v] = tangent[None]
            direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
            corner = np.zeros_like(direction)
            corner[..., axis] = side
            corner[..., u] = sign[:, None]
            corner[..., v] = sign[None]
            curvature = np.stack(
                [bent[:, None] | bent[None], bent[:, None] & bent[None]], -1
            ).astype(float)
            sides.append(
                sheet(
                    # any size serves: places are computed anew for every box, here they only say
                    # how faces are wound
                    corner + 0.1 * direction,
                    direction,
                    np.zeros((len(sign), len(sign), 2)),
                    curvature,
                )
            )
            signs.append(corner.reshape(-1, 3))
            axes.append(np.tile([u, v], (len(sign) ** 2, 1)))
    whole = joined(sides)
    sign_of_corner = np.concatenate(signs)
    # flat positions: `take_along_axis` takes five times as long
    across = np.arange(len(sign_of_corner))[:, None] * 3 + np.concatenate(axes)
    return sign_of_corner, whole.normals, whole.faces, whole.curvature, across


def revolved(radius: Profile, height: Profile, segments: int = 20) -> Shape:
    """Returns a surface of revolution about z. The outside lies to the right of the direction in
    which the profile runs.

    k along the profile = (r' z'' - r'' z')/q^3, around it z'/(r q), q = |(r', z')| (do Carmo,
    section 3-3, example 4).
    """
    r, z = np.asarray(radius, "float64"), np.asarray(height, "float64")
    count = len(r) * (segments + 1)
    points, normals, uv, curvature = (np.empty((count, width)) for width in (3, 3, 2, 2))
    lattices.revolved(r, z, segments, points, normals, uv, curvature)
    return Shape(
        points, wound(points, lattice_faces(len(r), segments + 1), normals), normals, uv, curvature
    )


def cylinder(radius: float, height: float, segments: int = 20) -> Shape:
    """Returns an upright closed cylinder that stands on z = 0."""
    return cone(radius, radius, height, segments)


def cone(bottom: float, top: float, height: float, segments: int = 20) -> Shape:
    """Returns an upright closed frustum that stands on z = 0. bottom, top: radii."""
    return joined(
        [
            revolved([0, bottom], [0, 0], segments),
            revolved([bottom, top], [0, height], segments),
            revolved([top, 0], [height, height], segments),
        ]
    )


def ball(radius: float, segments: int = 20) -> Shape:
    """Returns a sphere centred at the origin, with curvature (1/r, 1/r) everywhere."""
    t = np.linspace(-np.pi / 2, np.pi / 2, segments // 2 + 3)
    shape = revolved(radius * np.cos(t), radius * np.sin(t), segments)
    # exact, where the profile's differences are only nearly so
    normals = shape.vertices / radius
    return Shape(
        shape.vertices, shape.faces, normals, shape.uv, np.full((len(normals), 2), 1 / radius)
    )


def ring(radius: float, thickness: float, segments: int = 28) -> Shape:
    """Returns a torus about z. radius: of its middle circle; thickness: radius of its tube."""
    t = np.linspace(-np.pi, np.pi, 13)
    return revolved(radius + thickness * np.cos(t), thickness * np.sin(t), segments)


def cushion(extent: Triple, power: float = 0.5, segments: int = 20) -> Shape:
    """Returns a soft block (superellipsoid) with half-extents `extent` and curvature estimated from
    its mesh.
    """
    a, b = (
        np.linspace(-np.pi / 2, np.pi / 2, segments // 2 + 3),
        np.linspace(-np.pi, np.pi, segments + 1),
    )

    def bend(w: Floats) -> Floats:
        return np.sign(w) * np.abs(w) ** power

    across = bend(np.cos(a))[:, None]
    points = (
        np.stack(
            [
                across * bend(np.cos(b)),
                across * bend(np.sin(b)),
                np.broadcast_to(np.sin(a)[:, None], (len(a), len(b))),
            ],
            -1,
        )
        * extent
    )
    return from_lattice(points, closed=True)


def from_lattice(points: Floats, closed: bool = False) -> Shape:
    """Returns the shape of a lattice of points [rows, columns, 3], with normals and curvature
    estimated from it (Rusinkiewicz 2004). closed: the first and the last column coincide.
    """
    rows, columns = points.shape[:2]
    flat = np.ascontiguousarray(points, "float64").reshape(-1, 3)
    faces = lattice_faces(rows, columns)
    normals = np.empty_like(flat)
    uv = np.empty((len(flat), 2))
    curvature = np.zeros((len(flat), 2))
    turned = np.empty_like(faces)
    lattices.normals_of(flat, faces, rows, columns, closed, normals)
    lattices.curvature_of(flat, faces, normals, curvature)
    lattices.measured(flat, rows, columns, uv)
    lattices.outward(flat, faces, normals, turned)
    return Shape(flat, turned, normals, uv, curvature)


def turned_back(lean: float) -> Floats:
    """Returns the [3, 3] rotation that tips the top of a thing backwards (+y) by `lean` radians."""
    return np.array([[1, 0, 0], [0, np.cos(lean), np.sin(lean)], [0, -np.sin(lean), np.cos(lean)]])
