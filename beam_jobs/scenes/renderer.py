"""What a camera sees of a scene: geometry exact per pixel (see `shading` for relief), light from `lighting`, edges antialiased, exposed.

Rays: Embree. Pixel centres at +0.5 (measured on the published frames).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numba
import numpy as np

from beam_jobs.scenes.lighting import Lighting, rejoined
from beam_jobs.scenes.scene import Scene
from beam_jobs.scenes.shading import Hits, Surface
from models.tasks import Camera

TO_OPENCV = np.array([1.0, -1.0, -1.0], "float32")  # normals are published in a frame with x right, y down, z away
SUBPIXELS = ((0.22, 0.3), (0.72, 0.78))  # where edge pixels are looked at twice more
EMPTY = 3.0  # radiance of the sky outside


@dataclass(frozen=True)
class Surfaces:
    """[S, S] maps of one view: rgb uint8 [S, S, 3]; depth m along the axis, distance m along the ray (inf: nothing hit); normal [S, S, 3] OpenCV
    camera frame; curvature [S, S, 2] 1/m; instance int32 (-1: nothing); facing: cosine between the normal and the way back to the camera."""

    rgb: np.ndarray
    depth: np.ndarray
    distance: np.ndarray
    normal: np.ndarray
    curvature: np.ndarray
    instance: np.ndarray
    facing: np.ndarray


def pixel_rays(camera: Camera, size: int, place: tuple[float, float] = (0.5, 0.5), chosen=None) -> tuple[np.ndarray, np.ndarray]:
    """directions [S*S, 3] unit float32, world frame, and their share along the optical axis [S*S] (depth = distance * share).

    place: within the pixel; chosen: [n] flat indices of the pixels wanted, in place of all.
    """
    half = np.tan(camera.field_of_view / 2)
    x = ((np.arange(size) + place[0]) / size * 2 - 1) * half
    y = -((np.arange(size) + place[1]) / size * 2 - 1) * half
    rows, columns = np.divmod(np.arange(size * size) if chosen is None else chosen, size)
    ways = np.stack([x[columns], y[rows], np.full(len(rows), -1.0)], 1).astype("float32")
    share = 1 / np.sqrt(1 + ways[:, 0] ** 2 + ways[:, 1] ** 2)
    return (ways @ camera.rotation.T.astype("float32")) * share[:, None], share


class Eye:
    """A scene made ready for rays."""

    def __init__(self, scene: Scene) -> None:
        from embreex import rtcore_scene
        from embreex.mesh_construction import TriangleMesh

        self.scene, self.embree = scene, rtcore_scene.EmbreeScene()
        self.surface = Surface.of(scene)
        TriangleMesh(self.embree, self.surface.vertices[self.surface.faces])

    @cached_property
    def lighting(self) -> Lighting:
        """baked when the first picture is taken: who only measures geometry pays nothing."""
        vertices = self.surface.vertices
        return Lighting(self.scene.lights, vertices.min(0), vertices.max(0), self.scene.glow, self.probed, self.free)

    def cast(self, origins: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """distance [n] (inf: none), triangle [n] (-1: none), barycentric weights [n, 3] of the first hit of every ray."""
        hit = self.embree.run(np.ascontiguousarray(origins, "float32"), np.ascontiguousarray(directions, "float32"), output=1)
        found = hit["primID"] >= 0
        weights = np.stack([1 - hit["u"] - hit["v"], hit["u"], hit["v"]], 1).astype("float64")
        return np.where(found, hit["tfar"], np.inf).astype("float64"), np.where(found, hit["primID"], -1), weights

    def free(self, origins: np.ndarray, ways: np.ndarray, reach: np.ndarray) -> np.ndarray:
        """[n] bool: is nothing hit within `reach` metres along the unit ways? (any-hit rays)"""
        return self.embree.run(origins, ways, reach.astype("float32"), query="OCCLUDED") < 0

    def clear(self, points: np.ndarray, goals: np.ndarray) -> np.ndarray:
        """[n] is the straight way from point to goal free, but for its last 2 %?"""
        way = goals - points
        length = np.linalg.norm(way, axis=1)
        rays = np.ascontiguousarray(way / np.maximum(length, 1e-9)[:, None], "float32")
        return self.free(np.ascontiguousarray(points, "float32"), rays, length * 0.98)

    def hits(self, origins: np.ndarray, rays: np.ndarray, pixel: float) -> Hits:
        return self.surface.under(origins, rays, self.embree.run(origins, rays, output=1), pixel)

    def probed(self, origins: np.ndarray, rays: np.ndarray) -> tuple[Hits, np.ndarray]:
        """hits of a probe's rays with averaged colours, and which of them see a surface from behind."""
        hit = self.embree.run(origins, rays, output=1)
        hits = self.surface.under(origins, rays, hit, 0.4)
        first = self.surface.normals[self.surface.faces[np.maximum(hit["primID"], 0), 0]]
        return hits, (hit["primID"] >= 0) & ((first * rays).sum(1) > 0)

    def look(self, camera: Camera, size: int, rng: np.random.Generator) -> Surfaces:
        """one view. rng: the sensor's noise."""
        rays, share = pixel_rays(camera, size)
        origins = np.broadcast_to(camera.location.astype("float32"), rays.shape).copy()
        hits = self.hits(origins, rays, 2 * np.tan(camera.field_of_view / 2) / size)
        light = self.light(hits, size)
        colour = self.composed(hits, light)
        self.soften(colour, light, hits, camera, size)
        square = lambda values: values.reshape(size, size, *values.shape[1:])
        return Surfaces(
            square(developed(colour, rng)),
            square(hits.distance * share),
            square(hits.distance),
            square((hits.normal @ camera.rotation.astype("float32")) * TO_OPENCV),
            square(hits.curvature),
            square(hits.instance),
            square(-(hits.normal * rays).sum(1)),
        )

    def light(self, hits: Hits, size: int) -> np.ndarray:
        """[S*S, 3]: every second pixel sampled, 16 phases interleaved, joined again; pixels without a neighbour on their plane are sampled themselves."""
        y, x = np.divmod(np.arange(size * size), size)
        phase, sampled = (x & 3) * 4 + (y & 3), (x + y) % 2 == 0
        samples = self.lighting.arriving(hits, phase, np.flatnonzero(sampled))
        once, twice = np.zeros_like(samples), np.zeros_like(samples)
        rejoined(samples, hits.point, hits.plane, hits.material, sampled, size, 1, once)
        alone = np.flatnonzero(once[:, 0] < 0)
        if len(alone):
            once[alone] = self.lighting.arriving(hits, phase, alone)[alone]
        rejoined(once, hits.point, hits.plane, hits.material, np.ones(size * size, np.bool_), size, 2, twice)
        return np.where(twice[:, :1] < 0, once, twice)

    def composed(self, hits: Hits, light: np.ndarray) -> np.ndarray:
        """[n, 3] radiance towards the camera."""
        glow = np.where(hits.material >= 0, self.lighting.glow[hits.material], 0)[:, None]
        return np.where(hits.material[:, None] < 0, np.float32(EMPTY), hits.colour * np.where(glow > 0, glow, light))

    def soften(self, colour: np.ndarray, light: np.ndarray, hits: Hits, camera: Camera, size: int) -> None:
        """pixels on edges (in place): the mean with two more rays, whose light is that of a neighbour on the same surface."""
        marked = np.zeros(size * size, np.bool_)
        edges(hits.instance, hits.material, hits.plane, hits.distance, size, marked)
        where = np.flatnonzero(marked)
        total, pixel = np.minimum(colour[where], 4), 2 * np.tan(camera.field_of_view / 2) / size
        origins = np.broadcast_to(camera.location.astype("float32"), (len(where), 3)).copy()
        for place in SUBPIXELS:
            rays = pixel_rays(camera, size, place, where)[0]
            beside = self.hits(origins, rays, pixel)
            borrowed = np.zeros((len(where), 3), "float32")
            borrow(where, beside.instance, beside.plane, hits.instance, hits.plane, light, size, borrowed)
            total += np.minimum(self.composed(beside, borrowed), 4)
        colour[where] = total / (1 + len(SUBPIXELS))


@numba.njit(cache=True, fastmath=True, nogil=True)
def edges(instance, material, plane, distance, size, marked):
    """marks pixels beside which another object, material, orientation or depth begins."""
    for y in range(size):
        for x in range(size):
            i = y * size + x
            for k in range(2):
                if (x if k == 0 else y) + 1 == size:
                    continue
                j = i + 1 if k == 0 else i + size
                same = instance[i] == instance[j] and material[i] == material[j]
                if same and instance[i] >= 0:
                    tilt = plane[i, 0] * plane[j, 0] + plane[i, 1] * plane[j, 1] + plane[i, 2] * plane[j, 2]
                    same = tilt > 0.85 and abs(distance[i] - distance[j]) < 0.05 * min(distance[i], distance[j])
                if not same:
                    marked[i] = marked[j] = True


@numba.njit(cache=True, fastmath=True, nogil=True)
def borrow(where, instance, plane, instances, planes, light, size, out):
    """light of the pixel of 3 x 3 that shows the same object with the most similar plane; the pixel's own if there is none."""
    for k in range(len(where)):
        y, x = where[k] // size, where[k] % size
        best, chosen = 0.3, where[k]
        for yy in range(max(0, y - 1), min(size, y + 2)):
            for xx in range(max(0, x - 1), min(size, x + 2)):
                j = yy * size + xx
                if instances[j] < 0 or instances[j] != instance[k]:
                    continue
                alike = plane[k, 0] * planes[j, 0] + plane[k, 1] * planes[j, 1] + plane[k, 2] * planes[j, 2]
                if alike > best:
                    best, chosen = alike, j
        for q in range(3):
            out[k, q] = light[chosen, q]


def developed(colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """uint8 [n, 3]: exposure by the log mean, ACES-like curve, gamma 2.2, a little noise."""
    out = np.empty(colour.shape, "uint8")
    _develop(colour, rng.standard_normal(colour.shape, "float32"), GAMMA, out)
    return out


GAMMA = (np.linspace(0, 1, 4097) ** (1 / 2.2)).astype("float32")


@numba.njit(cache=True, fastmath=True, nogil=True)
def _develop(colour, noise, gamma, out):
    total = 0.0
    for i in range(len(colour)):
        total += math.log(max(0.2126 * colour[i, 0] + 0.7152 * colour[i, 1] + 0.0722 * colour[i, 2], 1e-3))
    gain = 0.25 / math.exp(total / len(colour))
    for i in range(len(colour)):
        for q in range(3):
            x = colour[i, q] * gain
            x = min(max(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0.0), 1.0)
            out[i, q] = int(min(max(gamma[int(x * 4096)] + 0.008 * noise[i, q], 0.0), 1.0) * 255 + 0.5)
