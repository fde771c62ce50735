"""A mesh file as a scene that cameras look at: its own colours, which hold the light already, flat
faces, curvature from the mesh.

Both sides of a face are visible: scans have holes, and their faces are wound in no fixed direction.
A surface bends towards the side it is seen from.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from beam_jobs.scenes.geometry.curvature import principal_curvatures
from beam_jobs.scenes.render.ray_caster import FirstHits, RayCaster
from beam_jobs.scenes.render.renderer import TO_OPENCV, Surfaces, before_camera, pixel_rays
from beam_jobs.scenes.scans.masks import MaskedCaster
from beam_jobs.scenes.scans.mesh_file import Mesh
from beam_jobs.scenes.scans.parts import BORDER, REPEAT, reflected, shown
from beam_jobs.scenes.scans.textures import Pictures
from models.provenance.kernels import njit
from models.tasks import Camera
from models.tasks.arrays import Array, Bools, Floats, Integers

STRAIGHT = np.radians(1.0)  # walls nearer to the axes than this are on them


# infinity minus infinity is NaN, and would mark no edge
FAR = 1e3  # metres: where nothing is, for the edges' sake
SUBPIXELS = (
    (0.375, 0.125),
    (0.875, 0.375),
    (0.125, 0.625),
    (0.625, 0.875),
)  # a rotated grid within the pixel


class Met(NamedTuple):
    """What n rays meet. distance [n] m (inf: nothing), triangle [n] (-1), normal [n, 3] towards the
    ray's origin, curvature [n, 2] 1/m, colour [n, 3] in [0, 1]. float32, int32; 0 where nothing is.
    """

    distance: Floats
    triangle: Integers
    normal: Floats
    curvature: Floats
    colour: Floats


class MeshSurface(NamedTuple):
    """What `_met` reads of a mesh. faces [f, 3]; normal [f, 3]; curvature [f, 3, 2] 1/m; colour [v,
    3]; uv [v, 2]; picture [f]: index, -1 none; density [f]: texels a metre.
    """

    faces: Integers
    normal: Floats
    curvature: Floats
    colour: Floats
    uv: Floats
    picture: Integers
    density: Floats


class PictureSpots(NamedTuple):
    """Where n rays look pictures up: uv [n, 2], texels [n] a pixel, picture [n]: index, -1 none."""

    uv: Floats
    texels: Floats
    picture: Integers


class Scan:
    """A mesh that cameras look at. mesh: as read; yaw: radians by which it was turned about z so
    that its walls run along x and y (vanishing points and room boxes need that); normal [f, 3];
    area [f] m2; curvature [f, 3, 2] at the corners.
    """

    def __init__(self, mesh: Mesh, radius: float = 0.035) -> None:
        self.yaw = wall_direction(mesh.vertices, mesh.faces)
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        self.mesh = mesh
        # rows times a matrix: turned by -yaw, so that walls come onto the axes
        self.vertices = mesh.vertices @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        spread = crossed(self.vertices, mesh.faces)
        self.area = np.linalg.norm(spread, axis=1) / 2
        self.normal = spread / (2 * self.area[:, None])
        self.curvature = principal_curvatures(self.vertices, mesh.faces, radius)
        repeated = np.array([repeats(mesh, number) for number in range(len(mesh.pictures))], bool)
        # a picture that does not repeat has no neighbours beyond its border, which goes on there
        wraps = np.where((mesh.wraps == REPEAT) & ~repeated[:, None], BORDER, mesh.wraps)
        self.caster = (
            RayCaster(self.vertices, mesh.faces)
            if mesh.masks is None
            else MaskedCaster(self.vertices, mesh.faces, mesh.masks, mesh.uv, mesh.picture, wraps)
        )
        self.pictures = Pictures(mesh.pictures, wraps)
        self.density = texel_density(mesh, self.area)

    def cast(self, origins: Floats, directions: Floats) -> tuple[Floats, Integers, Floats]:
        """Returns what `RayCaster.cast` returns of origins and directions [n, 3]."""
        return self.caster.cast(origins, directions)

    def look(self, camera: Camera, size: int, antialias: bool = True) -> Surfaces:
        """Returns the maps of one view. instance: the published class id of the surface, 0 without
        face labels, -1 where nothing is. antialias: whether the colours of pixels on edges are the
        mean of four rays.
        """
        rays, share = pixel_rays(camera, size)
        pixel = 2 * np.tan(camera.field_of_view / 2) / size
        met = self.met(camera, rays, pixel)
        if antialias:
            self.smooth_edges(camera, met, size, pixel)
        depth = np.empty_like(met.distance)
        normal = np.empty_like(met.normal)
        facing = np.empty_like(met.distance)
        before_camera(
            met.distance,
            met.normal,
            rays,
            share,
            camera.rotation.astype("float32") * TO_OPENCV,
            depth,
            normal,
            facing,
        )
        # -1, where nothing is hit, is read as the first triangle and replaced by the outer choice
        classes = np.where(
            met.triangle < 0,
            -1,
            0 if self.mesh.semantic is None else self.mesh.semantic[np.maximum(met.triangle, 0)],
        ).astype("int32")

        def square(values: Array) -> Array:
            return values.reshape(size, size, *values.shape[1:])

        rgb = (np.clip(met.colour, 0, 1) * 255 + 0.5).astype("uint8")
        return Surfaces(
            *map(square, (rgb, depth, met.distance, normal, met.curvature, classes, facing))
        )

    def met(self, camera: Camera, rays: Floats, pixel: float) -> Met:
        """Returns what the rays [n, 3] meet. pixel: a pixel's side at 1 m, metres."""
        n = len(rays)
        mesh = self.mesh
        hit = self.caster.first(camera.location[None].astype("float32"), rays)
        met = Met(
            np.empty(n, "float32"),
            hit.triangle,
            *(np.empty((n, width), "float32") for width in (3, 2, 3)),
        )
        spots = PictureSpots(np.empty((n, 2)), np.empty(n), np.empty(n, "int64"))
        surface = MeshSurface(
            mesh.faces,
            self.normal,
            self.curvature,
            mesh.colour,
            mesh.uv,
            mesh.picture,
            self.density,
        )
        _met(rays, hit, pixel, surface, met, spots)
        # -1, where nothing is hit, reads the last triangle and is masked
        linear = mesh.linear[met.triangle] & (met.triangle >= 0)
        light = met.colour[linear]
        met.colour[linear] = 1
        # afterwards and in place: a colour of the vertices multiplies that of the picture
        self.pictures.paint(spots.picture, spots.uv, spots.texels, met.colour)
        met.colour[linear] = shown(light * reflected(met.colour[linear]))
        return met

    def smooth_edges(self, camera: Camera, met: Met, size: int, pixel: float) -> None:
        """Changes met.colour of the pixels where depth, normal or (where no picture is filtered)
        colour jumps, to the mean over four rays of a rotated grid.
        """
        marked = np.zeros(size * size, np.bool_)
        # a picture is looked up at the pixel's own scale already; colours of vertices are not
        _edges(met.distance, met.normal, met.colour, size, not self.mesh.pictures, marked)
        where = np.flatnonzero(marked)
        if len(where):
            # half a pixel's side: each of the four stands for a quarter of it
            four = [
                self.met(camera, pixel_rays(camera, size, place, where)[0], pixel / 2).colour
                for place in SUBPIXELS
            ]
            met.colour[where] = np.mean(four, axis=0)


# no fastmath: what is not hit is infinitely far
@njit(cache=True, nogil=True)
def _met(
    rays: Floats,
    hits: FirstHits,
    pixel: float,
    surface: MeshSurface,
    met: Met,
    spots: PictureSpots,
) -> None:
    """Fills the arrays of `met` [n], with the colours of the vertices, and `spots` [n]. rays:
    [n, 3]; pixel: a pixel's side at 1 m, metres.
    """
    far, triangle, bu, bv = hits
    faces, normals, curvature, colours, uvs, pictures, density = surface
    distance, _, normal, bend, colour = met
    uv, texels, picture = spots
    for i in range(len(triangle)):
        p = triangle[i]
        if p < 0:
            distance[i], picture[i], texels[i] = np.inf, -1, 0
            normal[i], bend[i], colour[i], uv[i] = 0, 0, 0, 0
            continue
        u, v = float(bu[i]), float(bv[i])
        w = 1 - u - v
        tilt = normals[p, 0] * rays[i, 0] + normals[p, 1] * rays[i, 1] + normals[p, 2] * rays[i, 2]
        sign = -1.0 if tilt > 0 else 1.0  # a surface bends towards the side it is seen from
        a, b, c = faces[p, 0], faces[p, 1], faces[p, 2]
        distance[i], picture[i] = far[i], pictures[p]
        for q in range(3):
            normal[i, q] = sign * normals[p, q]
            colour[i, q] = w * colours[a, q] + u * colours[b, q] + v * colours[c, q]
        for q in range(2):
            bend[i, q] = sign * (
                w * curvature[p, 0, q] + u * curvature[p, 1, q] + v * curvature[p, 2, q]
            )
            uv[i, q] = w * uvs[a, q] + u * uvs[b, q] + v * uvs[c, q]
        # nearly edge on the footprint would grow without bound, and textures turn to their mean
        texels[i] = density[p] * far[i] * pixel / math.sqrt(max(abs(tilt), 0.05))


@njit(cache=True, nogil=True)
def _edges(
    distance: Floats, normal: Floats, colour: Floats, size: int, colours_too: bool, marked: Bools
) -> None:
    """Marks both pixels wherever two neighbours differ in depth by a twentieth, in direction by 26
    degrees, or in colour by a tenth.
    """
    for i in range(size * size):
        for step in (1, size):
            j = i + step
            # the last pixel of a row and the first of the next are no neighbours
            if j >= size * size or (step == 1 and j % size == 0):
                continue
            here, there = min(distance[i], FAR), min(distance[j], FAR)
            is_edge = abs(here - there) > 0.05 * min(here, there)
            is_edge |= (
                normal[i, 0] * normal[j, 0]
                + normal[i, 1] * normal[j, 1]
                + normal[i, 2] * normal[j, 2]
                < 0.9
            )
            if colours_too:
                for q in range(3):
                    is_edge |= abs(colour[i, q] - colour[j, q]) > 0.1
            if is_edge:
                marked[i] = marked[j] = True


def crossed(vertices: Floats, faces: Integers) -> Floats:
    """Returns [f, 3] normals, as long as twice the area."""
    corner = vertices[faces]
    return np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])


def wall_direction(vertices: Floats, faces: Integers) -> float:
    """Returns the angle in radians, in [-pi/4, pi/4), by which most walls are turned from the axes,
    0 if it is below a degree. It is the fullest degree of a histogram by area, refined.
    """
    spread = crossed(vertices, faces)
    area = np.linalg.norm(spread, axis=1)
    # within six degrees of upright: spread's length is the area here
    upright = np.abs(spread[:, 2]) < 0.1 * area
    if not upright.any():
        return 0.0
    # walls stand at right angles: four directions count as one
    angle = np.arctan2(spread[upright, 1], spread[upright, 0]) % (np.pi / 2)
    counts, edges = np.histogram(angle, 90, (0, np.pi / 2), weights=area[upright])
    # with the neighbours, since a peak may lie on the border of two degrees; the first and the last
    # degree are neighbours, too
    peak = edges[(counts + np.roll(counts, 1) + np.roll(counts, -1)).argmax()] + np.pi / 360
    # the shorter way around the quarter circle
    off = (angle - peak + np.pi / 4) % (np.pi / 2) - np.pi / 4
    near = np.abs(off) < np.radians(2)
    # the mean of walls near the peak: finer than the histogram's degree
    peak += np.average(off[near], weights=area[upright][near])
    peak = (peak + np.pi / 4) % (np.pi / 2) - np.pi / 4
    return float(peak) if abs(peak) > STRAIGHT else 0.0


def repeats(mesh: Mesh, picture: int) -> bool:
    """Returns whether the coordinates of this picture's surfaces leave [0, 1]."""
    uv = mesh.uv[mesh.faces[mesh.picture == picture]]
    # a little beyond is an exporter's rounding, and no repeat
    # initial: a picture may have no faces left, if none of them had an area
    return bool(uv.min(initial=0) < -1e-3 or uv.max(initial=1) > 1 + 1e-3)


def texel_density(mesh: Mesh, area: Floats) -> Floats:
    """Returns [f] texels a metre, 0 without a picture."""
    uv = mesh.uv[mesh.faces]
    first, second = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    # a last 0, which -1 (no picture) reads
    sides = np.array(
        [picture.shape[0] * picture.shape[1] for picture in mesh.pictures] + [0], "float64"
    )
    # areas of uv and of the triangle: their ratio's root is a length
    return np.sqrt(
        np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
        / 2
        * sides[mesh.picture]
        / area
    )
