"""Light: shadow rays to the strongest lamps and windows, and what walls and things hand on, from a grid of probes baked once a building.

A second pass, two pixels apart, softens the steps that are left in half shadows.

A probe holds an ambient cube: the mean radiance that arrives from six directions (McTaggart 2004), after two bounces. Which lights a probe sees at all
is kept too, so that no shadow ray goes to a lamp of another room. Samples are interleaved over a 4 x 4 lattice of pixels, and a cross-bilateral
window of exactly 4 x 4 joins them again (Keller and Heidrich 2001; Segovia 2006); another width would show the lattice.
"""

from __future__ import annotations

import math

import numba
import numpy as np

SPACING, PROBE_RAYS, SHADOWS, OPENINGS, REACH = 0.7, 48, 2, 2, 0.9  # m between probes; rays a probe; shadow and occlusion rays a point; m of occlusion
SKY = 0.6  # radiance where nothing is


def light_table(lights) -> np.ndarray:
    """[light, 16] float32: position, size, power, two half-sides of a window (zero: a ball), the window's normal."""
    table = np.zeros((len(lights), 16), "float32")
    for row, light in zip(table, lights):
        row[:3], row[3], row[4:7], row[7:10], row[10:13] = light.position, light.size, light.power, light.along, light.up
        across = np.cross(light.along, light.up)
        row[13:] = across / (np.linalg.norm(across) + 1e-12)
    return table


class Lighting:
    """A building's light. free(origins, ways, reach): [n] bool, is the way clear for so far? look(origins, ways) -> Hits."""

    def __init__(self, lights, low: np.ndarray, high: np.ndarray, glow: np.ndarray, look, free) -> None:
        self.table, self.glow, self.free = light_table(lights), glow.astype("float32"), free
        self.low = (low + 0.2).astype("float32")
        self.counts = np.maximum(2, np.ceil((high - low - 0.4) / SPACING).astype("int64") + 1)
        self.step = ((high - low - 0.4) / (self.counts - 1)).astype("float32")
        grid = np.stack(np.meshgrid(*(np.arange(n) for n in self.counts), indexing="ij"), -1).reshape(-1, 3)
        self.places = (self.low + grid * self.step).astype("float32")
        self.cubes = np.zeros((len(grid), 6, 3), "float32")
        self.valid, self.sees = np.ones(len(grid), np.bool_), self.sight()
        self.bake(look)

    def sight(self, tries: int = 4) -> np.ndarray:
        """[probe] int64, bit i: does it see light i from one of `tries` places around it?"""
        rng, mask = np.random.default_rng(0), np.zeros(len(self.places), "int64")
        for number, light in enumerate(self.table[:62]):
            for _ in range(tries):
                start = self.places + rng.uniform(-0.45, 0.45, self.places.shape).astype("float32") * self.step
                goal = light[:3] + light[7:10] * rng.uniform(-0.9, 0.9) + light[10:13] * rng.uniform(-0.9, 0.9) + light[13:] * 0.02
                way = goal - start
                length = np.linalg.norm(way, axis=1)
                clear = self.free(start, way / np.maximum(length, 1e-6)[:, None], np.maximum(length - light[3] * 0.5 - 0.05, 0.01))
                mask |= np.where(clear, np.int64(1) << number, 0)
        return mask

    def bake(self, look) -> None:
        """two bounces: rays from every probe, the light at what they hit, handed back."""
        turn = np.arange(PROBE_RAYS) + 0.5
        polar, around = np.arccos(1 - 2 * turn / PROBE_RAYS), np.pi * (1 + 5**0.5) * turn
        ways = np.stack([np.cos(around) * np.sin(polar), np.sin(around) * np.sin(polar), np.cos(polar)], 1).astype("float32")
        rays, origins = np.tile(ways, (len(self.places), 1)), np.repeat(self.places, PROBE_RAYS, 0)
        hits, behind = look(origins, rays)
        self.valid = behind.reshape(-1, PROBE_RAYS).mean(1) < 0.25
        if self.valid.mean() < 0.02:  # a mesh whose windings say nothing
            self.valid[:] = True
        seen = hits.material >= 0
        glow = np.where(seen, self.glow[hits.material], 0)[:, None]
        direct = self.arriving(hits, np.zeros(len(rays), "int64"), np.arange(len(rays)), bare=True)
        cosine = np.maximum(np.stack([ways @ (sign * axis) for axis in np.eye(3, dtype="float32") for sign in (1, -1)]), 0)
        cosine /= cosine.sum(1, keepdims=True)
        for bounce in range(2):
            arrived = direct + (self.handed_on(hits) if bounce else 0)
            radiance = np.where(seen[:, None], hits.colour * np.where(glow > 0, np.minimum(glow, 1.5), arrived), SKY)
            self.cubes = np.einsum("fr,prc->pfc", cosine, radiance.reshape(len(self.places), PROBE_RAYS, 3)).astype("float32")

    def handed_on(self, hits) -> np.ndarray:
        """[n, 3] light of the probes alone."""
        out = np.zeros((len(hits.distance), 3), "float32")
        _handed_on(hits.point, hits.normal, hits.material, self.low, self.step, self.counts, self.valid, self.cubes, out)
        return out

    def arriving(self, hits, phase: np.ndarray, chosen: np.ndarray, bare: bool = False) -> np.ndarray:
        """[n, 3] light at the `chosen` hits (0 elsewhere). phase: [n] 0 to 15, which of the interleaved samples; bare: without probes and occlusion."""
        n, rays = len(chosen), SHADOWS + (0 if bare else OPENINGS)
        origins, ways, reach = np.zeros((n * rays, 3), "float32"), np.zeros((n * rays, 3), "float32"), np.zeros(n * rays, "float32")
        shares, rest = np.zeros((n, SHADOWS, 3), "float32"), np.zeros((n, 3), "float32")
        _aim(
            hits.point, hits.normal, hits.plane, hits.material, phase, chosen, rays, self.table, self.low, self.step, self.counts, self.valid, self.sees,
            origins, ways, reach, shares, rest,
        )  # fmt: skip
        clear = self.free(origins, ways, reach).reshape(n, rays)
        out = np.zeros((len(hits.distance), 3), "float32")
        light = rest
        for k in range(SHADOWS):
            light += shares[:, k] * clear[:, k, None]
        if not bare:
            around = self.handed_on_at(hits, chosen)
            light += around * (0.3 + 0.7 * clear[:, SHADOWS:].mean(1, dtype="float32"))[:, None]
        out[chosen] = light
        return out

    def handed_on_at(self, hits, chosen: np.ndarray) -> np.ndarray:
        out = np.zeros((len(chosen), 3), "float32")
        _handed_on(hits.point[chosen], hits.normal[chosen], hits.material[chosen], self.low, self.step, self.counts, self.valid, self.cubes, out)
        return out


@numba.njit(cache=True, fastmath=True, nogil=True)
def _cell(p, i, low, step, counts, place):
    """the probe below `p[i]` and the fractions to the next ones in `place`."""
    number = 0
    for q in range(3):
        f = min(max((p[i, q] - low[q]) / step[q], 0.0), counts[q] - 1.001)
        k = int(f)
        place[q] = f - k
        number = number * counts[q] + k
    return number


@numba.njit(cache=True, fastmath=True, nogil=True)
def _handed_on(points, normals, material, low, step, counts, valid, cubes, out):
    place, rows = np.empty(3, np.float32), np.array([counts[1] * counts[2], counts[2], 1])
    for i in range(len(points)):
        if material[i] < 0:
            continue
        first, total = _cell(points, i, low, step, counts, place), 1e-6
        r, g, b = 0.0, 0.0, 0.0
        for k in range(8):
            number, weight, ahead, far = first, 1.0, 0.0, 1e-9
            for q in range(3):
                bit = (k >> q) & 1
                number += bit * rows[q]
                weight *= place[q] if bit else 1 - place[q]
                way = (bit - place[q]) * step[q]
                ahead += way * normals[i, q]
                far += way * way
            if not valid[number]:
                continue
            side = max(0.05, 0.5 + 0.5 * ahead / math.sqrt(far))  # probes behind the surface know little of its light
            weight *= side * side
            total += weight
            for q in range(3):
                share = weight * normals[i, q] * normals[i, q]
                face = 2 * q if normals[i, q] >= 0 else 2 * q + 1
                r += share * cubes[number, face, 0]
                g += share * cubes[number, face, 1]
                b += share * cubes[number, face, 2]
        out[i, 0], out[i, 1], out[i, 2] = r / total, g / total, b / total


@numba.njit(cache=True, fastmath=True, nogil=True)
def _aim(
    points, normals, planes, material, phase, chosen, rays, lights, low, step, counts, valid, sees, origins, ways, reach, shares, rest
):  # fmt: skip
    place, rows, count = np.empty(3, np.float32), np.array([counts[1] * counts[2], counts[2], 1]), len(lights)
    share, goal = np.empty(max(count, 1), np.float32), np.empty((max(count, 1), 3), np.float32)
    for j in range(len(chosen)):
        i = chosen[j]
        if material[i] < 0:
            continue
        one, two = ((phase[i] * 7) % 16 + 0.5) / 16, ((phase[i] * 11 + 3) % 16 + 0.5) / 16
        px, py, pz = points[i, 0] + planes[i, 0] * 3e-3, points[i, 1] + planes[i, 1] * 3e-3, points[i, 2] + planes[i, 2] * 3e-3
        nx, ny, nz = normals[i, 0], normals[i, 1], normals[i, 2]
        first, seen = _cell(points, i, low, step, counts, place), 0
        for k in range(8):
            number = first + (k & 1) * rows[0] + ((k >> 1) & 1) * rows[1] + ((k >> 2) & 1) * rows[2]
            if valid[number]:
                seen |= sees[number]
        for n in range(count):
            share[n] = 0
            if n < 62 and not (seen >> n) & 1:
                continue
            a, b = 2 * one - 1, 2 * two - 1
            if lights[n, 13] == 0 and lights[n, 14] == 0 and lights[n, 15] == 0:
                flat = math.sqrt(max(0.0, 1 - a * a)) * lights[n, 3] * 0.6
                goal[n, 0], goal[n, 1] = lights[n, 0] + flat * math.cos(6.2832 * two), lights[n, 1] + flat * math.sin(6.2832 * two)
                goal[n, 2] = lights[n, 2] + lights[n, 3] * 0.6 * a
            else:
                for q in range(3):
                    goal[n, q] = lights[n, q] + lights[n, 7 + q] * a + lights[n, 10 + q] * b
            dx, dy, dz = goal[n, 0] - px, goal[n, 1] - py, goal[n, 2] - pz
            square = dx * dx + dy * dy + dz * dz
            far = math.sqrt(square) + 1e-9
            cosine = (dx * nx + dy * ny + dz * nz) / far
            if cosine <= 0:
                continue
            if not (lights[n, 13] == 0 and lights[n, 14] == 0 and lights[n, 15] == 0):
                cosine *= 2 * max(0.0, -(dx * lights[n, 13] + dy * lights[n, 14] + dz * lights[n, 15]) / far)
            share[n] = cosine / max(square, 0.3)
        for k in range(SHADOWS):
            best, strongest = -1, 0.003
            for n in range(count):
                if share[n] * lights[n, 4] > strongest:
                    best, strongest = n, share[n] * lights[n, 4]
            if best < 0:
                break
            row = j * rays + k
            dx, dy, dz = goal[best, 0] - px, goal[best, 1] - py, goal[best, 2] - pz
            far = math.sqrt(dx * dx + dy * dy + dz * dz) + 1e-9
            origins[row, 0], origins[row, 1], origins[row, 2] = px, py, pz
            ways[row, 0], ways[row, 1], ways[row, 2] = dx / far, dy / far, dz / far
            reach[row] = far * 0.98
            for q in range(3):
                shares[j, k, q] = share[best] * lights[best, 4 + q]
            share[best] = 0
        for n in range(count):  # the weaker ones: half of their light arrives
            for q in range(3):
                rest[j, q] += 0.5 * share[n] * lights[n, 4 + q]
        for k in range(SHADOWS, rays):  # cosine-weighted directions in the frame of the plane (Duff et al. 2017)
            a, b = (one + (k - SHADOWS) * 0.5) % 1.0, (two + (k - SHADOWS) * 0.381) % 1.0
            flat, up = math.sqrt(a), math.sqrt(1 - a)
            x, y = flat * math.cos(6.2832 * b), flat * math.sin(6.2832 * b)
            gx, gy, gz = planes[i, 0], planes[i, 1], planes[i, 2]
            sign = 1.0 if gz >= 0 else -1.0
            c = -1 / (sign + gz)
            d = gx * gy * c
            row = j * rays + k
            origins[row, 0], origins[row, 1], origins[row, 2] = px, py, pz
            ways[row, 0] = x * (1 + sign * gx * gx * c) + y * d + up * gx
            ways[row, 1] = x * sign * d + y * (sign + gy * gy * c) + up * gy
            ways[row, 2] = -x * sign * gx - y * gy + up * gz
            reach[row] = REACH * (0.35 + 0.65 * ((phase[i] * 5 + k * 7) % 16 + 0.5) / 16)


@numba.njit(cache=True, fastmath=True, nogil=True)
def rejoined(light, points, planes, material, sampled, size, step, out):
    """the cross-bilateral 4 x 4 window, `step` pixels apart, over the sampled pixels; out [n, 3], negative where no neighbour lies on the same plane."""
    for y in range(size):
        for x in range(size):
            i = y * size + x
            if material[i] < 0:
                continue
            total, r, g, b = 0.0, 0.0, 0.0, 0.0
            for dy in range(-2, 2):
                yy = y + dy * step + (step - 1)
                if yy < 0 or yy >= size:
                    continue
                for dx in range(-2, 2):
                    xx = x + dx * step + (step - 1)
                    j = yy * size + xx
                    if xx < 0 or xx >= size or not sampled[j] or material[j] < 0:
                        continue
                    if planes[i, 0] * planes[j, 0] + planes[i, 1] * planes[j, 1] + planes[i, 2] * planes[j, 2] < 0.85:
                        continue
                    gap = 0.0
                    for q in range(3):
                        gap += (points[j, q] - points[i, q]) * planes[i, q]
                    if abs(gap) > 0.04:
                        continue
                    total += 1
                    r, g, b = r + light[j, 0], g + light[j, 1], b + light[j, 2]
            if total == 0:
                out[i, 0] = -1
            else:
                out[i, 0], out[i, 1], out[i, 2] = r / total, g / total, b / total
