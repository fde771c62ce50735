"""Where cameras stand and what they look at, after the published distributions: several cameras see
every point.

Published means: distance 5.3 m, obliqueness 52.9 degrees, field of view 45 to 75 degrees, pitch
within 22.5 degrees, no roll (data/README).
"""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes.buildings.scene import Scene
from beam_jobs.scenes.cameras.shot import PITCH, Shot, aimed, fibonacci, field_of_view
from beam_jobs.scenes.render.renderer import Eye, pixel_rays
from models.tasks import Camera
from models.tasks.arrays import Floats, Integers

SHELL = 0.38  # share of the points that lie on walls, floors and ceilings
# how much rarer a square metre of ceiling is chosen than one of wall or floor: bare ceilings show
# nothing
CEILING = 0.15
# share of the points above eye height, so that pitch is near zero in the mean, as published
ABOVE = 0.48
EYE = 1.42  # m
# chance that a point is passed over which all its cameras see head on: obliqueness is then as
# published
HEAD_ON = 0.4
BARE = 0.45  # share of a view that ceilings may fill
NEAR = 1.0  # m
# Share of a view that things nearer than NEAR may fill: a door jamb before the eye shows nothing of
# a room.
BLOCKED = 0.3


def stands(
    eye: Eye, rng: np.random.Generator, per_room: int = 8, clearance: float = 0.6
) -> list[tuple[Floats, int]]:
    """(location, room) of cameras at head height with free space around them, as scanners are set
    up, and floor below.
    """
    found: list[tuple[Floats, int]] = []
    around = fibonacci(40)
    for number, room in enumerate(eye.scene.rooms):
        low = np.array(room.low)
        high = np.array(room.high)
        count = 0
        for _ in range(200):
            place = np.array(
                [
                    rng.uniform(low[0] + clearance, high[0] - clearance),
                    rng.uniform(low[1] + clearance, high[1] - clearance),
                    np.clip(rng.normal(EYE, 0.16), 0.9, 1.9),
                ]
            )
            if count == per_room or any(np.hypot(*(place - other)[:2]) < 0.6 for other, _ in found):
                continue
            if (
                eye.cast(np.repeat(place[None], len(around), 0), around)[0].min() >= clearance
                and eye.cast(place[None], np.array([[0, 0, -1.0]]))[0][0] > place[2] - 0.3
            ):
                found.append((place, number))
                count += 1
    return found


def shots(
    eye: Eye, rng: np.random.Generator, count: int, fewest: int = 3, most: int = 5
) -> list[Shot]:
    """about `count` shots (never fewer, unless the building has no more): points on surfaces that
    at least `fewest` cameras see, numbered from 0.
    """
    scene = eye.scene
    cameras = stands(eye, rng)
    corners = scene.shape.vertices[scene.shape.faces]
    spread = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(spread, axis=1) / 2
    up_to = np.cumsum(chances(scene, area))
    locations = np.array([place for place, _ in cameras])
    made: list[Shot] = []
    point = 0
    above = rng.random() < ABOVE
    for _ in range(count * 60):
        if len(made) >= count or len(cameras) < fewest:
            break
        triangle, place = on_surface(rng, corners, up_to, above)
        ahead = place - locations
        length = np.linalg.norm(ahead, axis=1)
        seen = (
            (np.abs(eye.cast(locations, ahead / length[:, None])[0] - length) < 5e-3)
            & (length > 1.2)
            & (np.abs(np.arcsin(ahead[:, 2] / length)) < PITCH)
        )
        if seen.sum() < fewest:
            continue
        normal = spread[triangle] / (2 * area[triangle])
        straight = np.abs(ahead @ normal) / length
        if rng.random() < HEAD_ON * straight[seen].mean():
            continue
        chosen: list[tuple[int, Camera]] = []
        for index in far_first(rng, np.flatnonzero(seen), length):
            camera = aimed(
                locations[index], place, field_of_view(rng), scene.rooms[cameras[index][1]]
            )
            if not blocked(eye, camera):
                chosen.append((index, camera))
            if len(chosen) == most:
                break
        if len(chosen) < fewest:
            continue
        for view, (index, camera) in enumerate(chosen):
            facing = normal if normal @ ahead[index] < 0 else -normal
            made.append(Shot(camera, point, view, facing, cameras[index][1]))
        point = point + 1
        above = rng.random() < ABOVE
    return made


def blocked(eye: Eye, camera: Camera, rays: int = 6) -> bool:
    """do things nearer than NEAR fill more than BLOCKED of the view, or ceilings more than BARE? By
    rays x rays of its pixels.
    """
    ways = pixel_rays(camera, rays)[0]
    length, triangle, _ = eye.cast(np.repeat(camera.location[None], len(ways), 0), ways)
    names = np.array(eye.scene.names)[eye.scene.instance[triangle]]
    return (length < NEAR).mean() > BLOCKED or (
        (names == "ceiling") & (triangle >= 0)
    ).mean() > BARE


def chances(scene: Scene, area: Floats) -> Floats:
    """[f] chance of every triangle of `area` square metres to hold a point: SHELL for walls, floors
    and ceilings together, the rest for things.
    """
    number = np.array(
        [
            ("wall", "floor", "ceiling").index(name) if name in ("wall", "floor", "ceiling") else 3
            for name in scene.names
        ]
    )[scene.instance]
    weight = np.where(number == 2, CEILING, 1.0) * area
    shell = number < 3
    return np.where(
        shell,
        weight / max(weight[shell].sum(), 1e-9) * SHELL,
        weight / max(weight[~shell].sum(), 1e-9) * (1 - SHELL),
    )


def on_surface(
    rng: np.random.Generator, corners: Floats, up_to: Floats, above: bool
) -> tuple[int, Floats]:
    """(triangle, [3] point in it) by the cumulated chances, above or below eye height."""
    for _ in range(50):  # a scene may have nothing there
        triangle = int(np.searchsorted(up_to, rng.random() * up_to[-1]))
        u, v = sorted(rng.random(2))
        place = corners[triangle].T @ np.array([u, v - u, 1 - v])
        if (place[2] > EYE) == above:
            break
    return triangle, place


def far_first(rng: np.random.Generator, cameras: Integers, length: Floats) -> Integers:
    """the cameras in a random order weighted by distance (Efraimidis and Spirakis 2006): they look
    along a room rather than across it.
    """
    return cameras[np.argsort(-(rng.random(len(cameras)) ** (1 / length[cameras])))]
