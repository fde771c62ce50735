"""A mesh file as a scene that cameras look at: its own colours, which hold the light already, flat faces, curvature from the mesh.

Both sides of a face are visible: scans have holes, and are wound as their maker liked. A surface bends towards the side it is seen from.
"""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes.curvature import principal_curvatures
from beam_jobs.scenes.mesh_file import Mesh
from beam_jobs.scenes.pictures import Pictures
from beam_jobs.scenes.rays import Rays
from beam_jobs.scenes.renderer import TO_OPENCV, Surfaces, pixel_rays
from models.tasks import Camera

STRAIGHT = np.radians(1.0)  # walls nearer to the axes than this are on them


class Scan:
    """mesh: as read; yaw: radians by which it was turned about z so that its walls run along x and y (vanishing points and room boxes need that);
    normal [f, 3]; area [f] m2; curvature [f, 3, 2] at the corners.
    """

    def __init__(self, mesh: Mesh, radius: float = 0.035) -> None:
        self.yaw = wall_direction(mesh.vertices, mesh.faces)
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        self.mesh, self.vertices = mesh, mesh.vertices @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        spread = crossed(self.vertices, mesh.faces)
        self.area = np.linalg.norm(spread, axis=1) / 2
        self.normal = spread / (2 * self.area[:, None])
        self.curvature = principal_curvatures(self.vertices, mesh.faces, radius)
        self.rays = Rays(self.vertices, mesh.faces)
        self.pictures = Pictures(mesh.pictures, [repeats(mesh, number) for number in range(len(mesh.pictures))])
        self.density = texel_density(mesh, self.area)

    def cast(self, origins: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """as `Rays.cast`."""
        return self.rays.cast(origins, directions)

    def look(self, camera: Camera, size: int, antialias: bool = True) -> Surfaces:
        """one view. instance: the published class id of the surface, 0 without face labels, -1 where nothing is. antialias: four rays a pixel, for the
        colour, where edges run."""
        rays, share = pixel_rays(camera, size)
        distance, triangle, weights = self.cast(np.broadcast_to(camera.location, rays.shape), rays)
        seen, hit = triangle >= 0, np.maximum(triangle, 0)
        normal = self.normal[hit]
        behind = (normal * rays).sum(1) > 0
        normal = np.where(behind[:, None], -normal, normal)
        bend = np.einsum("nkc,nk->nc", self.curvature[hit], weights) * np.where(behind, -1, 1)[:, None]
        facing = -(normal * rays).sum(1)
        pixel = 2 * np.tan(camera.field_of_view / 2) / size
        colour = np.where(seen[:, None], self.colour(hit, weights, np.where(seen, distance, 0) * pixel, facing), 0)
        square = lambda values: values.reshape(size, size, *values.shape[1:])
        if antialias:
            colour = smoothed_edges(self, camera, square(colour), square(np.where(seen, distance, 1e3)), square(normal), pixel).reshape(colour.shape)
        classes = self.mesh.semantic[hit].astype("int32") if self.mesh.semantic is not None else np.zeros(len(hit), "int32")
        return Surfaces(
            rgb=square((np.clip(colour, 0, 1) * 255 + 0.5).astype("uint8")),
            depth=square(np.where(seen, distance * share, np.inf)),
            distance=square(distance),
            normal=square((normal @ camera.rotation) * TO_OPENCV),
            curvature=square(bend),
            instance=square(np.where(seen, classes, -1).astype("int32")),
            facing=square(np.where(seen, facing, 0)),
        )

    def colour(self, triangle: np.ndarray, weights: np.ndarray, footprint: np.ndarray, facing: np.ndarray) -> np.ndarray:
        """[n, 3] of the surface at places of triangles. footprint [n]: a pixel's side there, metres; facing [n]: cosine to the camera."""
        corners = self.mesh.faces[triangle]
        mix = lambda values: np.einsum("nkc,nk->nc", values[corners], weights)
        texels = self.density[triangle] * footprint / np.sqrt(np.maximum(facing, 0.05))
        return mix(self.mesh.colour) * self.pictures.look_up(self.mesh.picture[triangle], mix(self.mesh.uv), texels)


def smoothed_edges(scan: Scan, camera: Camera, colour: np.ndarray, distance: np.ndarray, normal: np.ndarray, pixel: float) -> np.ndarray:
    """colour [S, S, 3] with four rays a pixel where a silhouette, a crease or a change of vertex colours runs through it."""
    size = len(colour)
    edge = np.zeros((size, size), bool)
    for a, b in (((slice(1, None), slice(None)), (slice(None, -1), slice(None))), ((slice(None), slice(1, None)), (slice(None), slice(None, -1)))):
        apart = (np.abs(distance[a] - distance[b]) > 0.05 * np.minimum(distance[a], distance[b])) | ((normal[a] * normal[b]).sum(-1) < 0.9)
        if not scan.mesh.pictures:  # a picture is looked up at the pixel's own scale already; colours of vertices are not
            apart |= np.abs(colour[a] - colour[b]).max(-1) > 0.1
        edge[a] |= apart
        edge[b] |= apart
    row, column = np.nonzero(edge)
    if not len(row):
        return colour
    total = np.zeros((len(row), 3))
    for dx, dy in ((-0.125, -0.375), (0.375, -0.125), (-0.375, 0.125), (0.125, 0.375)):
        ways = np.stack([(column + 0.5 + dx - size / 2) * pixel, -(row + 0.5 + dy - size / 2) * pixel, -np.ones(len(row))], 1)
        ways = ways / np.linalg.norm(ways, axis=1, keepdims=True) @ camera.rotation.T
        far, triangle, weights = scan.cast(np.broadcast_to(camera.location, ways.shape), ways)
        hit, seen = np.maximum(triangle, 0), triangle >= 0
        facing = np.abs((scan.normal[hit] * ways).sum(1))
        total += np.where(seen[:, None], scan.colour(hit, weights, np.where(seen, far, 0) * pixel / 2, facing), 0) / 4
    colour = colour.copy()
    colour[row, column] = total
    return colour


def crossed(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """[f, 3] normals, twice the area long."""
    corner = vertices[faces]
    return np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])


def wall_direction(vertices: np.ndarray, faces: np.ndarray) -> float:
    """radians in [-pi/4, pi/4) that most walls are turned from the axes, 0 below a degree: the fullest degree of a histogram by area, refined."""
    spread = crossed(vertices, faces)
    area = np.linalg.norm(spread, axis=1)
    upright = np.abs(spread[:, 2]) < 0.1 * area
    if not upright.any():
        return 0.0
    angle = np.arctan2(spread[upright, 1], spread[upright, 0]) % (np.pi / 2)
    counts, edges = np.histogram(angle, 90, (0, np.pi / 2), weights=area[upright])
    peak = edges[(counts + np.roll(counts, 1) + np.roll(counts, -1)).argmax()] + np.pi / 360
    off = (angle - peak + np.pi / 4) % (np.pi / 2) - np.pi / 4
    near = np.abs(off) < np.radians(2)
    peak += np.average(off[near], weights=area[upright][near])
    peak = (peak + np.pi / 4) % (np.pi / 2) - np.pi / 4
    return float(peak) if abs(peak) > STRAIGHT else 0.0


def repeats(mesh: Mesh, picture: int) -> bool:
    """do the coordinates of this picture's surfaces leave [0, 1]?"""
    uv = mesh.uv[mesh.faces[mesh.picture == picture]]
    return bool(uv.min() < -1e-3 or uv.max() > 1 + 1e-3)


def texel_density(mesh: Mesh, area: np.ndarray) -> np.ndarray:
    """[f] texels a metre, 0 without a picture."""
    uv = mesh.uv[mesh.faces]
    first, second = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    sides = np.array([picture.shape[0] * picture.shape[1] for picture in mesh.pictures] + [0], "float64")
    return np.sqrt(np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2 * sides[mesh.picture] / area)
