"""Computes light: shadow rays go to the strongest lamps and windows, and the light that walls and
things reflect comes from a grid of probes, computed once for a building.

A probe holds an ambient cube: the mean radiance that arrives from six directions (McTaggart 2004),
after two bounces. Which lights a probe sees at all is kept too, so that no shadow ray goes to a
lamp of another room. Samples are interleaved over a 4 x 4 lattice of pixels; `light_upsampling`
joins them again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from beam_jobs.scenes.buildings.scene import Light
from beam_jobs.scenes.render.shading import Hits
from models.provenance.kernels import njit
from models.tasks.arrays import Array, Bools, Floats, Integers

SPACING = 0.8  # m between probes
PROBE_RAYS = 48  # rays a probe
SHADOWS = 2  # shadow rays a point
OPENINGS = 2  # occlusion rays a point
REACH = 1.1  # m of occlusion
SKY = 0.6  # radiance where nothing is
# Numba computes in float64 as soon as a literal is mixed in; float32 divides and takes roots in
# less time.
ZERO = np.float32(0)
HALF = np.float32(0.5)
ONE = np.float32(1)
TWO = np.float32(2)
DARKEST = np.float32(0.1)  # share of the light from all around that reaches a closed corner
SMALL = np.float32(1e-6)  # sum of weights
LEAST = np.float32(0.05)  # weight of a probe behind the surface
FAINT = np.float32(3e-3)  # share of a light worth a ray
LIFT = np.float32(3e-3)  # m above the plane where rays start
NEARLY = np.float32(0.98)  # share of the way to a light that must be clear
CLOSE = np.float32(0.3)  # m2 below which a light grows no stronger
CLOSEST = np.float32(1e-9)  # m2 that keep a division by a distance finite


# Look gives what rays hit, and which of them see it from behind; Free gives which ways are clear.
Look = Callable[[Floats, Floats], tuple[Hits, Bools]]
Free = Callable[[Floats, Floats, Floats], Bools]


def light_table(lights: Sequence[Light]) -> Floats:
    """Returns [light, 16] float32: position, size, power, two half-sides of a window (zero: a
    ball), the window's normal.
    """
    table = np.zeros((len(lights), 16), "float32")
    for row, light in zip(table, lights):
        row[:3] = light.position
        row[3] = light.size
        row[4:7] = light.power
        row[7:10] = light.along
        row[10:13] = light.up
        across = np.cross(light.along, light.up)
        row[13:] = across / (np.linalg.norm(across) + 1e-12)
    return table


class ProbeGrid(NamedTuple):
    """Probes of light along three axes. low, step: [3] m, the lowest one and the way to the next;
    counts: [3] along each axis; valid: [probe], which of them are of use.
    """

    low: Floats
    step: Floats
    counts: Integers
    valid: Bools


class Lamps(NamedTuple):
    """Where shadow rays go. lights: [light, 16] of `light_table`; goals: [16, light, 3] m of
    `aims`; openings: [16, ray, 4] of `openings`; sees: [probe] int64 of `Lighting.sight`.
    """

    lights: Floats
    goals: Floats
    openings: Floats
    sees: Integers


class ShadowRays(NamedTuple):
    """Rays of n points, as many of each. origins, ways: [n * rays, 3]; reach: [n * rays] m; shares:
    [n, shadow, 3], the light that each of those towards lamps brings if it is clear.
    """

    origins: Floats
    ways: Floats
    reach: Floats
    shares: Floats


class Lighting:
    """A building's light. free(origins, ways, reach): [n] bool, whether each way is clear for so
    far; look(origins, ways): the hits of rays, and which of them see a surface from behind.
    """

    def __init__(
        self,
        lights: Sequence[Light],
        low: Floats,
        high: Floats,
        glow: Floats,
        look: Look,
        free: Free,
    ) -> None:
        self.table = light_table(lights)
        self.glow = glow.astype("float32")
        self.free = free
        # the outermost vertices lie on the outside of the shell: probes there would be inside walls
        self.low = (low + 0.2).astype("float32")
        # two probes at least along every axis: a cell has eight corners
        self.counts = np.maximum(2, np.ceil((high - low - 0.4) / SPACING).astype("int64") + 1)
        self.step = ((high - low - 0.4) / (self.counts - 1)).astype("float32")
        grid = np.stack(
            np.meshgrid(*(np.arange(n) for n in self.counts), indexing="ij"), -1
        ).reshape(-1, 3)
        self.places = (self.low + grid * self.step).astype("float32")
        # an ambient cube: what arrives along +x, -x, +y, -y, +z, -z
        self.cubes = np.zeros((len(grid), 6, 3), "float32")
        self.valid = np.ones(len(grid), np.bool_)
        self.sees = self.sight()
        self.goals = aims(self.table)
        self.openings = openings()
        self.bake(look)

    def sight(self, tries: int = 4) -> Integers:
        """Returns [probe] int64, in which bit i says whether the probe sees light i from one of
        `tries` places around it.
        """
        rng = np.random.default_rng(0)
        mask = np.zeros(len(self.places), "int64")
        # one bit a light in an int64, short of its sign: lights beyond the 62nd are taken for seen
        for number, light in enumerate(self.table[:62]):
            unseen = np.arange(len(self.places))
            # from several places around the probe: it stands for all points of its cells
            for _ in range(tries):
                moved = rng.uniform(-0.45, 0.45, self.places.shape).astype("float32") * self.step
                goal = (
                    light[:3]
                    + light[7:10] * rng.uniform(-0.9, 0.9)
                    + light[10:13] * rng.uniform(-0.9, 0.9)
                    # just in front of the pane, which would block the ray itself
                    + light[13:] * 0.02
                )
                start = self.places[unseen] + moved[unseen]
                way = goal - start
                length = np.linalg.norm(way, axis=1)
                clear = self.free(
                    start,
                    way / np.maximum(length, 1e-6)[:, None],
                    # short of the lamp's own ball, which would block the ray itself
                    np.maximum(length - light[3] * 0.5 - 0.05, 0.01),
                )
                mask[unseen[clear]] |= np.int64(1) << number
                # a probe that has seen the light is not tested again
                unseen = unseen[~clear]
        return mask

    def bake(self, look: Look) -> None:
        """Computes the probes' light over two bounces: rays go out from every probe, and the light
        at what they hit comes back.
        """
        # the Fibonacci lattice: even over the sphere with any number of ways
        turn = np.arange(PROBE_RAYS) + 0.5
        polar = np.arccos(1 - 2 * turn / PROBE_RAYS)
        around = np.pi * (1 + 5**0.5) * turn
        ways = np.stack(
            [np.cos(around) * np.sin(polar), np.sin(around) * np.sin(polar), np.cos(polar)], 1
        ).astype("float32")
        rays = np.tile(ways, (len(self.places), 1))
        origins = np.repeat(self.places, PROBE_RAYS, 0)
        hits, behind = look(origins, rays)
        # a probe that sees backs of surfaces stands inside a wall or a thing: its light is no light
        # of a room
        self.valid = behind.reshape(-1, PROBE_RAYS).mean(1) < 0.25
        if self.valid.mean() < 0.02:  # a mesh whose windings say nothing
            self.valid[:] = True
        surface = hits.material >= 0
        # nothing hit is -1, which reads the last material: masked by `surface`
        glow = np.where(surface, self.glow[hits.material], 0)[:, None]
        direct = self.arriving(hits, np.zeros(len(rays), "int64"), np.arange(len(rays)), bare=True)
        # in the order in which `_handed_on` numbers the six directions
        cosine = np.maximum(
            np.stack(
                [ways @ (sign * axis) for axis in np.eye(3, dtype="float32") for sign in (1, -1)]
            ),
            0,
        )
        cosine /= cosine.sum(1, keepdims=True)
        # the first pass sees lamps and windows alone; the second hits what the first has lit
        for bounce in range(2):
            arrived = direct + (self.handed_on(hits) if bounce else 0)
            radiance = np.where(
                surface[:, None],
                hits.colour * np.where(glow > 0, np.minimum(glow, 1.5), arrived),
                SKY,
            )
            self.cubes = np.einsum(
                "fr,prc->pfc", cosine, radiance.reshape(len(self.places), PROBE_RAYS, 3)
            ).astype("float32")

    @property
    def grid(self) -> ProbeGrid:
        """Returns what the compiled passes read of the probes' grid."""
        return ProbeGrid(self.low, self.step, self.counts, self.valid)

    def handed_on(self, hits: Hits) -> Floats:
        """Returns [n, 3], the light of the probes alone."""
        out = np.empty((len(hits.distance), 3), "float32")
        _handed_on(hits, np.arange(len(out)), self.grid, self.cubes, out)
        return out

    def arriving(
        self, hits: Hits, phase: Integers, selection: Integers, bare: bool = False
    ) -> Floats:
        """Returns [n, 3], the light at the hits of the `selection` (0 elsewhere). phase: [n] 0 to
        15, which of the interleaved samples; bare: without probes and occlusion.
        """
        out = np.zeros((len(hits.distance), 3), "float32")
        self.arrive(hits, phase, selection, out, bare)
        return out

    def arrive(
        self, hits: Hits, phase: Integers, selection: Integers, out: Floats, bare: bool = False
    ) -> None:
        """Writes the light that `arriving` returns into out[selection]."""
        n = len(selection)
        rays = SHADOWS + (0 if bare else OPENINGS)
        origins = np.empty((n * rays, 3), "float32")
        ways = np.empty((n * rays, 3), "float32")
        reach = np.empty(n * rays, "float32")
        shares = np.empty((n, SHADOWS, 3), "float32")
        light = np.empty((n, 3), "float32")
        # all rays of all points first, then one call of Embree for them: it is at its best with
        # many
        lamps = Lamps(self.table, self.goals, self.openings, self.sees)
        shadows = ShadowRays(origins, ways, reach, shares)
        _aim(hits, phase, selection, rays, lamps, self.grid, shadows, light)
        clear = self.free(origins, ways, reach)
        around = np.empty((0 if bare else n, 3), "float32")
        if not bare:
            _handed_on(hits, selection, self.grid, self.cubes, around)
        _gathered(clear, rays, shares, light, around, selection, out)


def aims(table: Floats) -> Floats:
    """Returns [16, light, 3], the points on each light to which the shadow rays of each of the 16
    interleaved samples go.
    """
    # 7 and 11 are odd: multiples of them run through all 16 strata once, in another order each
    one, two = (
        ((np.arange(16) * step + first) % 16 + 0.5) / 16 for step, first in ((7, 0), (11, 3))
    )
    a, b = (2 * x[:, None] - 1 for x in (one, two))
    around = 6.2832 * two[:, None]
    ball = table[:, 3] * 0.6
    flat = np.sqrt(np.maximum(0, 1 - a * a)) * ball
    offset = np.stack([flat * np.cos(around), flat * np.sin(around), a * ball], -1)
    window = a[..., None] * table[:, 7:10] + b[..., None] * table[:, 10:13]
    return (table[:, :3] + np.where(table[:, 13:].any(1)[:, None], window, offset)).astype(
        "float32"
    )


def openings() -> Floats:
    """Returns [16, ray, 4]: x, y, z of the cosine-weighted directions of each sample's occlusion
    rays, z along the plane's normal, and how far they reach, metres.
    """
    phase = np.arange(16)[:, None]
    k = np.arange(OPENINGS)
    # 7 and 11 are odd: multiples of them run through all 16 strata once, in another order each
    one, two = (((phase * step + first) % 16 + 0.5) / 16 for step, first in ((7, 0), (11, 3)))
    a, b = (one + k * 0.5) % 1.0, (two + k * 0.381) % 1.0
    # rays of different length: occlusion fades with distance instead of ending at a sphere
    reach = REACH * (0.35 + 0.65 * ((phase * 5 + (SHADOWS + k) * 7) % 16 + 0.5) / 16)
    return np.stack(
        # a disk lifted onto the half sphere: as many ways as the cosine weighs them, so that their
        # mean needs no weights
        [np.sqrt(a) * np.cos(6.2832 * b), np.sqrt(a) * np.sin(6.2832 * b), np.sqrt(1 - a), reach],
        -1,
    ).astype("float32")


@njit(cache=True, fastmath=True, nogil=True)
def _cell(p: Floats, i: int, low: Floats, step: Floats, counts: Integers, place: Floats) -> int:
    """Returns the number of the probe below `p[i]`, and writes the fractions of the way to the next
    probes into `place`.
    """
    number = 0
    for q in range(3):
        # below the last probe by a little: the cell above it does not exist
        f = min(max((p[i, q] - low[q]) / step[q], ZERO), np.float32(counts[q] - 1.001))
        k = int(f)
        place[q] = f - np.float32(k)
        number = number * counts[q] + k
    return number


@njit(cache=True, fastmath=True, nogil=True)
def _handed_on(hits: Hits, selection: Integers, grid: ProbeGrid, cubes: Floats, out: Array) -> None:
    """Writes into out[j] the light of the 8 probes around hit selection[j]; 0 where nothing
    was hit.
    """
    points, normals, material = hits.point, hits.lit, hits.material
    low, step, counts, valid = grid
    # strides of the grid in C order: x, y; along z it is 1
    place, rows = np.empty(3, np.float32), np.array([counts[1] * counts[2], counts[2], 1])
    for j in range(len(selection)):
        i = selection[j]
        if material[i] < 0:
            out[j] = 0
            continue
        first, total = _cell(points, i, low, step, counts, place), SMALL
        r, g, b = ZERO, ZERO, ZERO
        x, y, z = normals[i, 0], normals[i, 1], normals[i, 2]
        # the face of the cube that looks the way of each component: +x 0, -x 1 and so on
        fx, fy, fz = 0 if x >= 0 else 1, 2 if y >= 0 else 3, 4 if z >= 0 else 5
        for k in range(8):
            bx, by, bz = k & 1, (k >> 1) & 1, (k >> 2) & 1
            number = first + bx * rows[0] + by * rows[1] + bz
            if not valid[number]:
                continue
            ax, ay, az = (
                np.float32(bx) - place[0],
                np.float32(by) - place[1],
                np.float32(bz) - place[2],
            )
            wx, wy, wz = ax * step[0], ay * step[1], az * step[2]
            # probes behind the surface tell little about its light
            side = max(
                LEAST,
                HALF
                + HALF
                * (wx * x + wy * y + wz * z)
                / math.sqrt(wx * wx + wy * wy + wz * wz + CLOSEST),
            )
            weight = (ONE - abs(ax)) * (ONE - abs(ay)) * (ONE - abs(az)) * side * side
            total += weight
            # squares of a unit normal sum to 1: they are the weights of the ambient cube's three
            # faces
            x2, y2, z2 = weight * x * x, weight * y * y, weight * z * z
            r += x2 * cubes[number, fx, 0] + y2 * cubes[number, fy, 0] + z2 * cubes[number, fz, 0]
            g += x2 * cubes[number, fx, 1] + y2 * cubes[number, fy, 1] + z2 * cubes[number, fz, 1]
            b += x2 * cubes[number, fx, 2] + y2 * cubes[number, fy, 2] + z2 * cubes[number, fz, 2]
        out[j, 0], out[j, 1], out[j, 2] = r / total, g / total, b / total


@njit(cache=True, fastmath=True, nogil=True)
def _aim(
    hits: Hits,
    phase: Integers,
    selection: Integers,
    rays: int,
    lamps: Lamps,
    grid: ProbeGrid,
    shadows: ShadowRays,
    rest: Floats,
) -> None:
    """Writes, for every hit of the selection, the rays to its strongest lights and into the open,
    the light that each shadow ray brings if it is clear, and half of what the weaker lights would
    bring.
    """
    points, normals, planes, material = hits.point, hits.lit, hits.plane, hits.material
    lights, goals, openings, sees = lamps
    low, step, counts, valid = grid
    origins, ways, reach, shares = shadows
    place, rows, count = (
        np.empty(3, np.float32),
        np.array([counts[1] * counts[2], counts[2], 1]),
        len(lights),
    )
    share, window = np.empty(max(count, 1), np.float32), np.empty(count, np.bool_)
    for n in range(count):
        window[n] = lights[n, 13] != 0 or lights[n, 14] != 0 or lights[n, 15] != 0
    for j in range(len(selection)):
        i = selection[j]
        # rays without length, which nothing blocks: rows stay where their points are
        if material[i] < 0:
            rest[j], shares[j] = 0, 0
            for row in range(j * rays, (j + 1) * rays):
                origins[row], ways[row], reach[row] = 0, 0, 0
            continue
        gx, gy, gz = planes[i, 0], planes[i, 1], planes[i, 2]
        # from the triangle's plane, not along the bent normal, which may point below the neighbour
        px, py, pz = points[i, 0] + gx * LIFT, points[i, 1] + gy * LIFT, points[i, 2] + gz * LIFT
        nx, ny, nz = normals[i, 0], normals[i, 1], normals[i, 2]
        first, candidates = _cell(points, i, low, step, counts, place), 0
        # what any of the eight probes around sees may be seen from here
        for k in range(8):
            number = first + (k & 1) * rows[0] + ((k >> 1) & 1) * rows[1] + ((k >> 2) & 1) * rows[2]
            if valid[number]:
                candidates |= sees[number]
        goal = goals[phase[i]]
        for n in range(count):
            share[n] = 0
            if n < 62 and not (candidates >> n) & 1:
                continue
            dx, dy, dz = goal[n, 0] - px, goal[n, 1] - py, goal[n, 2] - pz
            cosine = dx * nx + dy * ny + dz * nz
            # below the horizon of the surface no light arrives
            if cosine <= 0:
                continue
            square = dx * dx + dy * dy + dz * dz
            far = math.sqrt(square)
            if window[n]:
                # a flat light shines to one side with the cosine: its mean over the half sphere is
                # 1/2, made up for by the 2
                cosine *= TWO * max(
                    ZERO, -(dx * lights[n, 13] + dy * lights[n, 14] + dz * lights[n, 15]) / far
                )
            # the cosine so far is times the distance: once more than the square that light falls
            # off with
            share[n] = cosine / (far * max(square, CLOSE))
        for k in range(rays):
            row = j * rays + k
            origins[row, 0], origins[row, 1], origins[row, 2] = px, py, pz
        for k in range(SHADOWS):
            best, strongest = -1, FAINT
            # a few rounds of the largest: a sort of all lights would take longer
            for n in range(count):
                if share[n] * lights[n, 4] > strongest:
                    best, strongest = n, share[n] * lights[n, 4]
            row = j * rays + k
            if best < 0:
                shares[j, k], ways[row], reach[row] = 0, 0, 0
                continue
            dx, dy, dz = goal[best, 0] - px, goal[best, 1] - py, goal[best, 2] - pz
            far = math.sqrt(dx * dx + dy * dy + dz * dz)
            ways[row, 0], ways[row, 1], ways[row, 2] = dx / far, dy / far, dz / far
            # short of the lamp, which is part of the mesh, too
            reach[row] = far * NEARLY
            for q in range(3):
                shares[j, k, q] = share[best] * lights[best, 4 + q]
            # taken: neither the next round nor the sum of the weaker ones counts it again
            share[best] = 0
        r, g, b = ZERO, ZERO, ZERO
        for n in range(count):  # the weaker ones: half of their light arrives
            r, g, b = (
                r + share[n] * lights[n, 4],
                g + share[n] * lights[n, 5],
                b + share[n] * lights[n, 6],
            )
        rest[j, 0], rest[j, 1], rest[j, 2] = HALF * r, HALF * g, HALF * b
        sign = ONE if gz >= 0 else -ONE  # the frame of the plane (Duff et al. 2017)
        c = -ONE / (sign + gz)
        d = gx * gy * c
        for k in range(SHADOWS, rays):
            x, y, up, far = openings[phase[i], k - SHADOWS]
            row = j * rays + k
            # up, x and y turned from the normal's frame into the world's
            ways[row, 0] = x * (ONE + sign * gx * gx * c) + y * d + up * gx
            ways[row, 1] = x * sign * d + y * (sign + gy * gy * c) + up * gy
            ways[row, 2] = -x * sign * gx - y * gy + up * gz
            reach[row] = far


@njit(cache=True, fastmath=True, nogil=True)
def _gathered(
    clear: Bools,
    rays: int,
    shares: Floats,
    light: Floats,
    around: Floats,
    selection: Integers,
    out: Array,
) -> None:
    """Writes into out[selection] the light of the clear rays, and that of the probes as far as the
    point is open.
    """
    for j in range(len(selection)):
        open_, i = 0, selection[j]
        for k in range(SHADOWS, rays):
            open_ += clear[j * rays + k]
        share = DARKEST + (ONE - DARKEST) * np.float32(open_ / max(rays - SHADOWS, 1))
        for q in range(3):
            # the light of the weaker lamps is shadowed like the light from all around: it has no
            # rays of its own
            total = light[j, q] * (share if rays > SHADOWS else ONE)
            for k in range(SHADOWS):
                if clear[j * rays + k]:
                    total += shares[j, k, q]
            out[i, q] = total + (around[j, q] * share if rays > SHADOWS else ZERO)
