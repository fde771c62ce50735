"""Compiled geometry of cameras that are only tried: their rotations, rays through their pictures,
directions to points, and how much of a view shows what.

Hundreds of points are tried for the ten that a building gets, each with a few cameras and a few
dozen rays: in numpy the calls took three times as long as the rays. Sums run from left to right, as
numpy's over a last axis of three do, so that every bit is numpy's.
"""

from __future__ import annotations

import math

import numpy as np

from models.provenance.kernels import njit
from models.tasks.arrays import Bools, Floats, Integers


@njit(cache=True, nogil=True, error_model="numpy")
def rotations(ahead: Floats) -> Floats:
    """Returns [n, 3, 3] rotations, world from camera (x right, y up, looking along -z), of level
    cameras that look along ahead [n, 3].
    """
    turns = np.empty((len(ahead), 3, 3))
    for i in range(len(ahead)):
        x, y, z = ahead[i, 0], ahead[i, 1], ahead[i, 2]
        length = math.sqrt(x * x + y * y + z * z)
        # backwards
        x, y, z = -x / length, -y / length, -z / length
        # level: the right axis has no part upwards, hence no roll, as published
        across, along, up = -y, x, 0 * x
        length = math.sqrt(across * across + along * along + up * up)
        across, along, up = across / length, along / length, up / length
        turns[i, 0, 0], turns[i, 1, 0], turns[i, 2, 0] = across, along, up
        turns[i, 0, 1] = y * up - z * along
        turns[i, 1, 1] = z * across - x * up
        turns[i, 2, 1] = x * along - y * across
        turns[i, 0, 2], turns[i, 1, 2], turns[i, 2, 2] = x, y, z
    return turns


def rays_through(turns: Floats, angles: Floats, spots: Floats) -> Floats:
    """Returns [n, k, 3] unit rays of n cameras (turns [n, 3, 3], angles [n] rad) through spots [k,
    2] of their pictures, which span -1 to 1.
    """
    return np.asarray(before_turning(np.tan(angles / 2), spots) @ turns.transpose(0, 2, 1))


@njit(cache=True, nogil=True, error_model="numpy")
def before_turning(slopes: Floats, spots: Floats) -> Floats:
    """Returns [n, k, 3] unit rays in the cameras' own frames. slopes: [n], of the
    pictures' edges.
    """
    ways = np.empty((len(slopes), len(spots), 3))
    for i in range(len(slopes)):
        for k in range(len(spots)):
            x, y = slopes[i] * spots[k, 0], slopes[i] * spots[k, 1]
            length = math.sqrt(x * x + y * y + 1.0)
            ways[i, k, 0], ways[i, k, 1], ways[i, k, 2] = x / length, y / length, -1.0 / length
    return ways


@njit(cache=True, nogil=True, error_model="numpy")
def ways_to(
    places: Floats, locations: Floats, steepest: float, closest: float
) -> tuple[Floats, Floats, Floats, Bools]:
    """Returns (from every camera to every point, metres [p, c, 3]; how far [p, c]; unit directions
    [p, c, 3]; whether the camera may count [p, c]: it neither looks more steeply than a slope of
    `steepest` nor stands nearer than `closest` metres).
    """
    shape = (len(places), len(locations), 3)
    ahead, ways = np.empty(shape), np.empty(shape)
    length, counts = np.empty(shape[:2]), np.empty(shape[:2], np.bool_)
    for p in range(len(places)):
        for c in range(len(locations)):
            x = places[p, 0] - locations[c, 0]
            y = places[p, 1] - locations[c, 1]
            z = places[p, 2] - locations[c, 2]
            far = math.sqrt(x * x + y * y + z * z)
            ahead[p, c, 0], ahead[p, c, 1], ahead[p, c, 2] = x, y, z
            ways[p, c, 0], ways[p, c, 1], ways[p, c, 2] = x / far, y / far, z / far
            length[p, c] = far
            counts[p, c] = (abs(z / far) < steepest) & (far > closest)
    return ahead, length, ways, counts


@njit(cache=True, nogil=True, error_model="numpy")
def shares(
    locations: Floats,
    rays: Floats,
    distance: Floats,
    triangle: Integers,
    instances: Integers,
    rooms: Integers,
    near: float,
    low: Floats,
    high: Floats,
    ceiling: Bools,
    named: Bools,
) -> Floats:
    """Returns [n, 4], the shares of n views' rays [n, k, 3] that hit something nearer than `near`
    metres, a ceiling, something outside the view's room, and something named.

    distance [n * k] m; triangle [n * k], -1 for none; instances: of all triangles; rooms [n]; low,
    high [rooms, 2] their corners; ceiling, named: [instances].
    """
    views, count = rays.shape[:2]
    out = np.zeros((views, 4))
    for i in range(views):
        room = rooms[i]
        for k in range(count):
            j = i * count + k
            hit = triangle[j] >= 0
            # a ray that hits nothing is taken to end 100 m away
            far = 100.0
            if hit and distance[j] < 100:
                far = float(distance[j])
            x = locations[i, 0] + rays[i, k, 0] * far
            y = locations[i, 1] + rays[i, k, 1] * far
            across = (low[room, 0] <= x) & (x <= high[room, 0])
            along = (low[room, 1] <= y) & (y <= high[room, 1])
            out[i, 0] += far < near
            out[i, 2] += not (across & along)
            if hit:
                out[i, 1] += ceiling[instances[triangle[j]]]
                out[i, 3] += named[instances[triangle[j]]]
    return out / count


@njit(cache=True, nogil=True, error_model="numpy")
def triangles(corners: Floats) -> tuple[Floats, Floats, Floats]:
    """Returns (cross product of two sides [f, 3], its length [f], height of the middle [f] m) of
    triangles [f, 3, 3].
    """
    spread = np.empty((len(corners), 3), corners.dtype)
    length, height = np.empty(len(corners), corners.dtype), np.empty(len(corners), corners.dtype)
    for i in range(len(corners)):
        a, b, c = corners[i, 0], corners[i, 1], corners[i, 2]
        e0, e1, e2 = b[0] - a[0], b[1] - a[1], b[2] - a[2]
        f0, f1, f2 = c[0] - a[0], c[1] - a[1], c[2] - a[2]
        x, y, z = e1 * f2 - e2 * f1, e2 * f0 - e0 * f2, e0 * f1 - e1 * f0
        spread[i, 0], spread[i, 1], spread[i, 2] = x, y, z
        length[i] = math.sqrt(x * x + y * y + z * z)
        height[i] = (a[2] + b[2] + c[2]) / 3
    return spread, length, height
