"""Renders what a camera sees of a scene: geometry exact per pixel (see `shading` for relief), light
from `lighting`, edges antialiased, exposed.

Pixel centres at +0.5 (measured on the published frames).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from beam_jobs.scenes.buildings.scene import Scene
from beam_jobs.scenes.render.light_upsampling import rejoined
from beam_jobs.scenes.render.lighting import Lighting
from beam_jobs.scenes.render.ray_caster import RayCaster
from beam_jobs.scenes.render.shading import Hits, Surface
from models.provenance.kernels import njit
from models.tasks import Camera
from models.tasks.arrays import Array, Bools, Bytes, Floats, Integers

TO_OPENCV = np.array(
    [1.0, -1.0, -1.0], "float32"
)  # normals are published in a frame with x right, y down, z away
SUBPIXELS = ((0.22, 0.3), (0.72, 0.78))  # where edge pixels are looked at twice more
EMPTY = np.float32(3)  # radiance of the sky outside
ONE = np.float32(1)  # keeps sums in float32


@dataclass(frozen=True)
class Surfaces:
    """The [S, S] maps of one view: rgb uint8 [S, S, 3]; depth m along the axis, distance m along
    the ray (inf: nothing hit); normal [S, S, 3] OpenCV camera frame; curvature [S, S, 2] 1/m;
    instance int32 (-1: nothing); facing: cosine between the normal and the way back to the camera.
    """

    rgb: Bytes
    depth: Floats
    distance: Floats
    normal: Floats
    curvature: Floats
    instance: Integers
    facing: Floats


def pixel_rays(
    camera: Camera,
    size: int,
    place: tuple[float, float] = (0.5, 0.5),
    pixels: Integers | None = None,
) -> tuple[Floats, Floats]:
    """Returns directions [S*S, 3] unit float32, world frame, and their share along the optical axis
    [S*S] (depth = distance * share).

    place: within the pixel; pixels: [n] flat indices of the pixels wanted, in place of all.
    """
    half = np.tan(camera.field_of_view / 2)
    # with the middle of pixels at +0.5, as measured on the published frames
    x = (((np.arange(size) + place[0]) / size * 2 - 1) * half).astype("float32")
    # rows run downwards, y upwards
    y = (-((np.arange(size) + place[1]) / size * 2 - 1) * half).astype("float32")
    # only the chosen pixels are computed, so that edges cost no more than the pixels they have
    pixels = np.arange(size * size) if pixels is None else pixels
    ways = np.empty((len(pixels), 3), "float32")
    share = np.empty(len(pixels), "float32")
    _pixel_rays(x, y, pixels, camera.rotation.astype("float32"), ways, share)
    return ways, share


@njit(cache=True, fastmath=True, nogil=True)
def _pixel_rays(
    x: Floats, y: Floats, pixels: Integers, rotation: Floats, ways: Floats, share: Floats
) -> None:
    for i in range(len(pixels)):
        a, b = x[pixels[i] % len(x)], y[pixels[i] // len(x)]
        share[i] = ONE / math.sqrt(ONE + a * a + b * b)
        for q in range(3):
            ways[i, q] = (rotation[q, 0] * a + rotation[q, 1] * b - rotation[q, 2]) * share[i]


class Eye:
    """A scene made ready for casting rays and taking pictures."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.surface = Surface.of(scene)
        self.caster = RayCaster(self.surface.vertices, self.surface.faces)

    @cached_property
    def lighting(self) -> Lighting:
        """The scene's light, baked when the first picture is taken, so that measuring geometry
        alone does not pay for it.
        """
        # a minimum along three columns of memory, not across rows of ten
        axes = np.ascontiguousarray(self.surface.vertices.T)  # reduced along memory
        return Lighting(
            self.scene.lights, axes.min(1), axes.max(1), self.scene.glow, self.probed, self.free
        )

    def cast(self, origins: Floats, directions: Floats) -> tuple[Floats, Integers, Floats]:
        """Returns what `RayCaster.cast` returns of origins and directions [n, 3]."""
        return self.caster.cast(origins, directions)

    def reached(self, origins: Floats, rays: Floats) -> tuple[Floats, Integers]:
        """Returns what `RayCaster.reached` returns of origins and rays [n, 3]."""
        return self.caster.reached(origins, rays)

    def free(self, origins: Floats, ways: Floats, reach: Floats) -> Bools:
        """Returns what `RayCaster.free` returns of origins and ways [n, 3], reach [n] m."""
        return self.caster.free(origins, ways, reach)

    def clear(self, points: Floats, goals: Floats) -> Bools:
        """Returns [n] bool, whether the straight way from point to goal is free, its last 2 % not
        counted.
        """
        way = goals - points
        length = np.linalg.norm(way, axis=1)
        rays = np.ascontiguousarray(way / np.maximum(length, 1e-9)[:, None], "float32")
        return self.free(np.ascontiguousarray(points, "float32"), rays, length * 0.98)

    def hits(self, origins: Floats, rays: Floats, pixel: float) -> Hits:
        """Returns the hits of the rays. origins: [n, 3], or [1, 3] for all rays; pixel: a pixel's
        side at 1 m, metres.
        """
        return self.surface.under(origins, rays, self.caster.first(origins, rays), pixel)

    def probed(self, origins: Floats, rays: Floats) -> tuple[Hits, Bools]:
        """Returns the hits of a probe's rays [n, 3], with averaged colours, and [n], which of them
        see a surface from behind.
        """
        hit = self.caster.first(origins, rays)
        # a wide pixel: a coarse level of the textures, since 48 rays stand for all directions
        hits = self.surface.under(origins, rays, hit, 0.4)
        # of one corner: inside or outside is asked, which the faces' smoothed normals answer alike
        first = self.surface.normals[self.surface.faces[np.maximum(hit.triangle, 0), 0]]
        return hits, (hit.triangle >= 0) & ((first * rays).sum(1) > 0)

    def look(self, camera: Camera, size: int, rng: np.random.Generator) -> Surfaces:
        """Returns the maps of one view. rng: draws the sensor's noise."""
        rays, share = pixel_rays(camera, size)
        hits = self.hits(
            camera.location[None].astype("float32"),
            rays,
            2 * np.tan(camera.field_of_view / 2) / size,
        )
        light = self.light(hits, size)
        colour = self.composed(hits, light)
        self.soften(colour, light, hits, camera, size)
        depth = np.empty_like(hits.distance)
        normal = np.empty_like(hits.normal)
        facing = np.empty_like(hits.distance)
        before_camera(
            hits.distance,
            hits.normal,
            rays,
            share,
            camera.rotation.astype("float32") * TO_OPENCV,
            depth,
            normal,
            facing,
        )

        def square(values: Array) -> Array:
            return values.reshape(size, size, *values.shape[1:])

        maps = (
            developed(colour, noise(rng, size)),
            depth,
            hits.distance,
            normal,
            hits.curvature,
            hits.instance,
            facing,
        )
        return Surfaces(*map(square, maps))

    def light(self, hits: Hits, size: int) -> Floats:
        """Returns the light [S*S, 3]: every second pixel is sampled, in 16 interleaved phases, and
        the samples are joined; pixels without a neighbour on their plane are sampled themselves.
        """
        phase, sampled, selection = lattice(size)
        samples, once, twice = (np.zeros((size * size, 3), "float32") for _ in range(3))
        self.lighting.arrive(hits, phase, selection, samples)
        # the first pass averages over 4 x 4 pixels, of which half are sampled
        rejoined(samples, hits.point, hits.plane, hits.material, sampled, size, 1, once)
        self.lighting.arrive(hits, phase, np.flatnonzero(once[:, 0] < 0), once)
        # the second fills what lies between, from pixels that all have a light by now
        rejoined(once, hits.point, hits.plane, hits.material, np.ones_like(sampled), size, 2, twice)
        return twice

    def composed(self, hits: Hits, light: Floats) -> Floats:
        """Returns [n, 3] radiance towards the camera."""
        out = np.empty_like(light)
        _composed(hits.material, hits.colour, light, self.lighting.glow, out)
        return out

    def soften(self, colour: Floats, light: Floats, hits: Hits, camera: Camera, size: int) -> None:
        """Changes the colours of pixels on edges, in place, to the mean with two more rays, whose
        light is that of a neighbour on the same surface. colour, light: [S^2, 3].
        """
        marked = np.zeros(size * size, np.bool_)
        edges(hits.instance, hits.material, hits.plane, hits.distance, size, marked)
        where = np.flatnonzero(marked)
        # a lamp's radiance would outshine what covers most of the pixel
        total = np.minimum(colour[where], 4)
        pixel = 2 * np.tan(camera.field_of_view / 2) / size
        for place in SUBPIXELS:
            rays = pixel_rays(camera, size, place, where)[0]
            beside = self.hits(camera.location[None].astype("float32"), rays, pixel)
            borrowed = np.empty((len(where), 3), "float32")
            borrow(
                where,
                beside.instance,
                beside.plane,
                hits.instance,
                hits.plane,
                light,
                size,
                borrowed,
            )
            total += np.minimum(self.composed(beside, borrowed), 4)
        colour[where] = total / (1 + len(SUBPIXELS))


@lru_cache(maxsize=4)
def lattice(size: int) -> tuple[Integers, Bools, Integers]:
    """Returns for every pixel its phase [S*S] 0 to 15 and whether it is sampled [S*S], as on a
    checkerboard, and the sampled pixels' numbers.
    """
    # a checkerboard: half of the shadow rays, and every pixel has sampled neighbours on all sides
    y, x = np.divmod(np.arange(size * size), size)
    sampled = (x + y) % 2 == 0
    # 4 x 4 pixels have all 16 phases: the window of that size sees each of them once
    return (x & 3) * 4 + (y & 3), sampled, np.flatnonzero(sampled)


@njit(cache=True, nogil=True)  # distances may be infinite: no fastmath
def before_camera(
    distance: Floats,
    normals: Floats,
    rays: Floats,
    share: Floats,
    turn: Floats,
    depth: Floats,
    normal: Floats,
    facing: Floats,
) -> None:
    """Writes depth along the axis, normals in the camera's frame (turn [3, 3], world to camera by
    columns), and the cosine between the normal and the way back to the camera.
    """
    for i in range(len(distance)):
        x, y, z = normals[i, 0], normals[i, 1], normals[i, 2]
        depth[i] = distance[i] * share[i]
        facing[i] = -(x * rays[i, 0] + y * rays[i, 1] + z * rays[i, 2])
        for q in range(3):
            normal[i, q] = x * turn[0, q] + y * turn[1, q] + z * turn[2, q]


@njit(cache=True, fastmath=True, nogil=True)
def _composed(
    material: Integers, reflectance: Floats, light: Floats, glow: Floats, out: Array
) -> None:
    """Writes the radiance of every hit: what glows shines, all else reflects the light; the sky
    where nothing is hit.
    """
    for i in range(len(material)):
        m = material[i]
        for q in range(3):
            if m < 0:
                out[i, q] = EMPTY
            else:
                out[i, q] = reflectance[i, q] * (glow[m] if glow[m] > 0 else light[i, q])


@njit(cache=True, fastmath=True, nogil=True)
def edges(
    instance: Integers,
    material: Integers,
    plane: Floats,
    distance: Floats,
    size: int,
    marked: Bools,
) -> None:
    """Marks pixels, in `marked` [S^2], beside which another object, material, orientation or depth
    begins. instance, material, distance: [S^2]; plane: [S^2, 3], normals of the triangles.
    """
    for y in range(size):
        for x in range(size):
            i = y * size + x
            for k in range(2):
                if (x if k == 0 else y) + 1 == size:
                    continue
                # to the right and down only: the others were looked at from there
                j = i + 1 if k == 0 else i + size
                same = instance[i] == instance[j] and material[i] == material[j]
                # nothing beside nothing has neither plane nor depth to compare
                if same and instance[i] >= 0:
                    tilt = (
                        plane[i, 0] * plane[j, 0]
                        + plane[i, 1] * plane[j, 1]
                        + plane[i, 2] * plane[j, 2]
                    )
                    # relative: far away, a step between neighbouring pixels is larger
                    same = tilt > 0.85 and abs(distance[i] - distance[j]) < 0.05 * min(
                        distance[i], distance[j]
                    )
                if not same:
                    marked[i] = marked[j] = True


@njit(cache=True, fastmath=True, nogil=True)
def borrow(
    where: Integers,
    instance: Integers,
    plane: Floats,
    instances: Integers,
    planes: Floats,
    light: Floats,
    size: int,
    out: Array,
) -> None:
    """Writes into `out` [n, 3], for each pixel of `where` [n], the light of that pixel of the 3 x 3
    around it that shows the same object with the most similar plane; its own light if there is
    none. instance [n], plane [n, 3]: what the rays of these pixels met; instances [S^2], planes
    [S^2, 3], light [S^2, 3]: of all pixels.
    """
    for k in range(len(where)):
        y, x = where[k] // size, where[k] % size
        best, neighbour = 0.3, where[k]
        for yy in range(max(0, y - 1), min(size, y + 2)):
            for xx in range(max(0, x - 1), min(size, x + 2)):
                j = yy * size + xx
                if instances[j] < 0 or instances[j] != instance[k]:
                    continue
                alike = (
                    plane[k, 0] * planes[j, 0]
                    + plane[k, 1] * planes[j, 1]
                    + plane[k, 2] * planes[j, 2]
                )
                if alike > best:
                    best, neighbour = alike, j
        for q in range(3):
            out[k, q] = light[neighbour, q]


def noise(rng: np.random.Generator, size: int) -> Floats:
    """Returns [S*S, 3] float32, standard normal: all that one view draws from the generator."""
    return rng.standard_normal((size * size, 3), "float32")


def developed(colour: Floats, grain: Floats) -> Floats:
    """Returns uint8 [n, 3] colours: exposure by the log mean, ACES-like curve, CONTRAST, gamma 2.2,
    a little noise (grain [n, 3], standard normal).
    """
    out = np.empty(colour.shape, "uint8")
    _develop(colour, grain, GAMMA, out)
    return out


STEPS = np.float32(4096)
NOISE = np.float32(0.008)
FULL = np.float32(255)
HALF = np.float32(0.5)
ZERO = np.float32(0)
# lightness is then spread as in real frames: mean 54 and deviation 22 of 100 (they: 50 and 23),
# where 1 gives 65 and 19
CONTRAST = 1.5
# a power from a table: the exponent is the same for all, and eight bits need no more
GAMMA = (np.linspace(0, 1, 4097) ** (CONTRAST / 2.2)).astype("float32")
# Narkowicz's fit of the ACES curve
CURVE = tuple(np.float32(x) for x in (2.51, 0.03, 2.43, 0.59, 0.14))


@njit(cache=True, fastmath=True, nogil=True)
def _develop(colour: Floats, noise: Floats, gamma: Floats, out: Array) -> None:
    total, product = 0.0, 1.0
    for i in range(len(colour)):  # a logarithm of 32 factors takes less time than 32 logarithms
        # luminance by Rec. 709; the floor keeps 32 factors above 1e-96, and black from having a
        # logarithm of minus infinity
        product *= max(0.2126 * colour[i, 0] + 0.7152 * colour[i, 1] + 0.0722 * colour[i, 2], 1e-3)
        if i % 32 == 31:
            total, product = total + math.log(product), 1.0
    gain = np.float32(0.25 / math.exp((total + math.log(product)) / len(colour)))
    for i in range(len(colour)):
        for q in range(3):
            x = colour[i, q] * gain
            x = min(
                max(
                    x * (CURVE[0] * x + CURVE[1]) / (x * (CURVE[2] * x + CURVE[3]) + CURVE[4]), ZERO
                ),
                ONE,
            )
            # a half before the cut: to the nearest code, not the one below
            out[i, q] = int(
                min(max(gamma[int(x * STEPS)] + NOISE * noise[i, q], ZERO), ONE) * FULL + HALF
            )
