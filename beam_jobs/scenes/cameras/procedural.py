"""Chooses the cameras of procedural buildings after the published distributions: several cameras
see every point.

Published means: distance 5.3 m, obliqueness 52.9 degrees, field of view 45 to 75 degrees, pitch
within 22.5 degrees, no roll (data/README).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from beam_jobs.scenes.buildings.plan import WALL
from beam_jobs.scenes.buildings.scene import Scene
from beam_jobs.scenes.cameras.shot import PITCH, Shot, aimed, fibonacci, fields_of_view
from beam_jobs.scenes.cameras.sightlines import rays_through, rotations, shares, triangles, ways_to
from beam_jobs.scenes.render.renderer import Eye
from models.tasks import Camera
from models.tasks.arrays import Bools, Floats, Integers

SHELL = 0.12  # share of the points that lie on walls, floors and ceilings
# How much oftener a square metre of what the semantic label names is chosen than one of another
# thing: people who show a room aim at its furniture.
NAMED = 3.0
# The same for what is above eye height: rooms have less of it, and about half of the points are
# wanted there.
HIGH = 4.0
# How much rarer a square metre of ceiling is chosen than one of wall or floor: bare ceilings show
# nothing.
CEILING = 0.15
# Share of the points above eye height, so that pitch is near zero in the mean, as published.
ABOVE = 0.56
EYE = 1.38  # m
CLOSEST = 1.2  # m to the point
SAME = 5e-3  # m between the point and what a ray meets, if that is the point itself
STEEPEST = float(np.sin(PITCH))
# Chance that a point is rejected if all its cameras see it head on; obliqueness then comes out as
# published.
HEAD_ON = 0.75
# Cameras are chosen by this power of their distance: they look along a room rather than across it.
FAR = 2.0
# Below this mean distance, metres, a point is rejected the oftener, the nearer its cameras are.
DISTANT = 7.2
BATCH = 64  # points that are tried at a time
IDLE = 20  # batches without a find until the search turns to the other side of eye height
BATCHES = 8  # that are tried for every view asked for
PATIENCE = 150  # batches at least, so that a building of which few views are asked for has some
# Pixels of the picture in which the point's surroundings must show its normal, and the cosine from
# which on they do.
PIXELS = 128
AGREED = np.cos(np.radians(18))
# The middle, and the corners of the pixel around it: pictures span -1 to 1, a pixel 2 / PIXELS.
AROUND = np.array([[0, 0], [-1, -1], [1, -1], [-1, 1], [1, 1]]) / PIXELS
BARE = 0.27  # share of a view that ceilings may fill
BEYOND = 0.5  # share of a view that may lie beyond the camera's own room
# Share of named things from which on a view is always taken, and the least chance of any view.
SHOWN = 0.68
SHOWN_ABOVE = 0.34  # where it looks above eye height
LEAST = 0.01
KEEN = 2.5  # power of that share's part of enough, which is the chance to be taken
NEAR = 1.0  # m
# Share of a view that things nearer than NEAR may fill: a door jamb close to the camera hides the
# room.
BLOCKED = 0.3


def stands(
    eye: Eye, rng: np.random.Generator, per_room: int = 9, clearance: float = 0.6
) -> list[tuple[Floats, int]]:
    """Returns (location [3] m, number of the room) of cameras at head height with free space around
    them, as scanners are set up, and floor below. per_room: at most; clearance: metres.
    """
    cameras: list[tuple[Floats, int]] = []
    around = fibonacci(40)
    for number, room in enumerate(eye.scene.rooms):
        low = np.array(room.low)
        high = np.array(room.high)
        count = 0
        for _ in range(200):
            x = rng.uniform(low[0] + clearance, high[0] - clearance)
            y = rng.uniform(low[1] + clearance, high[1] - clearance)
            # the tails of the normal distribution would put a camera under a table or above a door
            z = min(max(rng.normal(EYE, 0.16), 0.9), 1.9)
            if count == per_room or any(
                np.hypot(x - other[0], y - other[1]) < 0.6 for other, _ in cameras
            ):
                continue
            place = np.array([x, y, z])
            if (
                # 40 directions, evenly over the sphere, stand for all: a thing thinner than their
                # gaps may be nearer
                eye.cast(np.repeat(place[None], len(around), 0), around)[0].min() >= clearance
                # what is below may be up to 0.3 m high (a rug, a low step), but no table: people
                # stand on the floor
                and eye.cast(place[None], np.array([[0, 0, -1.0]]))[0][0] > place[2] - 0.3
            ):
                cameras.append((place, number))
                count += 1
    return cameras


def shots(
    eye: Eye, rng: np.random.Generator, count: int, fewest: int = 3, most: int = 5
) -> list[Shot]:
    """Returns about `count` shots (never fewer, unless the building has no more) of points on
    surfaces that at least `fewest` cameras see, numbered from 0. most: views of a point.
    """
    cameras = stands(eye, rng)
    if len(cameras) < fewest:
        return []
    surface = Corners.of(eye.scene)
    kinds = Kinds.of(eye.scene)
    locations = np.array([place for place, _ in cameras])
    rooms = np.array([room for _, room in cameras])
    # points above and below eye height are kept apart: most surfaces lie below, and ABOVE sets the
    # share above, so that the mean pitch is level
    waiting: dict[bool, list[Candidate | Points]] = {True: [], False: []}
    series: list[Shot] = []
    point = 0
    idle = 0
    above = rng.random() < ABOVE
    for _ in range(max(count * BATCHES, PATIENCE)):
        if len(series) >= count:
            break
        points = Points.of(surface, rng, BATCH)
        for high in (True, False):
            waiting[high].append(points.where((points.places[:, 2] > EYE) == high))
        idle += 1
        while waiting[above] and len(series) < count:
            candidate = waiting[above].pop()
            if isinstance(candidate, Points):
                # rays are cast only now: half of the points are never needed
                waiting[above] += candidates(eye, candidate, locations, fewest)
                continue
            views = chosen(eye, rng, candidate, rooms, kinds, fewest, most)
            # the number of a view counts what was kept, not which camera saw it: published names
            # have no gaps
            series += [
                Shot(camera, point, view, normal, int(rooms[number]))
                for view, (camera, normal, number) in enumerate(views)
            ]
            if views:
                point += 1
                idle = 0
                above = rng.random() < ABOVE
        if idle == IDLE:  # a scene may have nothing there
            idle = 0
            above = not above
    return series


@dataclass(frozen=True)
class Candidate:
    """A point that may be fixated. place [3]; cameras [n]: numbers of those that see it; ahead
    [n, 3]: from each of them to the point; locations [n, 3]: of these cameras.
    """

    place: Floats
    cameras: Integers
    ahead: Floats
    locations: Floats

    @property
    def length(self) -> Floats:
        """The distances [n] of the cameras from the point, metres."""
        return np.asarray(np.linalg.norm(self.ahead, axis=1))


@dataclass(frozen=True)
class Points:
    """Points of a surface for which no rays have been cast yet. places, normals: [n, 3]; luck: [2,
    n] in [0, 1), which decide whether a point is rejected for being seen head on, or from nearby.
    """

    places: Floats
    normals: Floats
    luck: Floats

    @staticmethod
    def of(surface: Corners, rng: np.random.Generator, count: int) -> Points:
        places, normals = surface.drawn(rng, count)
        return Points(places, normals, rng.random((2, count)))

    def where(self, selection: Bools) -> Points:
        """Returns the points of the selection [n] bool."""
        return Points(self.places[selection], self.normals[selection], self.luck[:, selection])


def candidates(eye: Eye, points: Points, locations: Floats, fewest: int) -> list[Candidate]:
    """Returns those of the points that enough cameras see from far enough, obliquely enough and
    within the published pitch. locations: [n, 3] of the cameras.
    """
    places, normals = points.places, points.normals
    ahead, length, ways, in_reach = ways_to(places, locations, STEEPEST, CLOSEST)
    # A point is rejected by its luck unless its cameras are far enough in the mean, hence one of
    # them at least (short of rounding): nearer ones are asked if one of these sees it.
    far = in_reach & (length >= (1 - 1e-9) * DISTANT * np.sqrt(points.luck[1])[:, None])
    visible = np.zeros(length.shape, np.bool_)
    visible[far] = met(eye, locations, ways, length, far)
    near = in_reach & ~far & visible.any(1)[:, None]
    visible[near] = met(eye, locations, ways, length, near)
    # points that no camera sees divide by 1, and are dropped by `eligible` below
    count = np.maximum(visible.sum(1), 1)
    straight = (np.abs(np.einsum("pcj,pj->pc", ways, normals)) * visible).sum(1) / count
    distant = (length * visible).sum(1) / count / DISTANT
    # a point is likelier rejected the straighter it is seen, so that the mean obliqueness comes
    # out as published
    eligible = (visible.sum(1) >= fewest) & (points.luck[0] >= HEAD_ON * straight)
    eligible &= points.luck[1] <= distant**2
    return [
        Candidate(
            places[k], np.flatnonzero(visible[k]), ahead[k, visible[k]], locations[visible[k]]
        )
        for k in np.flatnonzero(eligible)
    ]


def met(eye: Eye, locations: Floats, ways: Floats, length: Floats, pairs: Bools) -> Bools:
    """Returns [n] bool for the n pairs [p, c] of points and cameras that are asked for: whether the
    point is the first thing that the ray from the camera meets. ways [p, c, 3]; length [p, c] m.
    """
    origins = locations.astype("float32")[np.nonzero(pairs)[1]]
    rays, far = ways[pairs].astype("float32"), length[pairs]
    # Most rays are blocked: it takes half as long to find that anything blocks them as what is
    # first. One call for all rays: Embree is at its best with many.
    unblocked = np.flatnonzero(eye.free(origins, rays, far - 2 * SAME))
    reached = eye.reached(origins[unblocked], rays[unblocked])[0]
    first = np.zeros(len(far), np.bool_)
    first[unblocked] = np.abs(reached - far[unblocked]) < SAME
    return first


def chosen(
    eye: Eye,
    rng: np.random.Generator,
    candidate: Candidate,
    rooms: Integers,
    kinds: Kinds,
    fewest: int,
    most: int,
) -> list[tuple[Camera, Floats, int]]:
    """Returns (camera, normal [3] that it sees at the point, number of its place) of up to `most`
    views of the point; an empty list if too few are worth it.
    """
    angles = fields_of_view(rng, len(candidate.cameras))
    # every camera gets its field of view before one is chosen: the choice depends on what the view
    # shows
    turns = rotations(candidate.ahead)
    normals, agreed = pictured(eye, candidate.locations, turns, angles)
    length = candidate.length
    cosine = np.abs((candidate.ahead * normals).sum(1)) / length
    # tested again with the normals that the pictures show, which on folds differ from the
    # triangles'
    if rng.random() < HEAD_ON * cosine.mean():
        return []
    enough = SHOWN if candidate.place[2] <= EYE else SHOWN_ABOVE
    view_worth = np.zeros(len(turns))
    # no rays are cast for the others, which are not taken whatever they show
    places, own = candidate.locations[agreed], rooms[candidate.cameras[agreed]]
    view_worth[agreed] = worth(eye, places, turns[agreed], angles[agreed], own, kinds, enough)
    selection = preferred(rng, np.flatnonzero(view_worth), view_worth * length**FAR)[:most]
    # a point is taken or left as a whole, by the mean of its views: drawing each view alone would
    # leave most points with too few
    if len(selection) < fewest or rng.random() > view_worth[selection].mean():
        return []
    return [
        (
            aimed(
                candidate.locations[k],
                candidate.place,
                float(angles[k]),
                eye.scene.rooms[rooms[candidate.cameras[k]]],
            ),
            normals[k],
            int(candidate.cameras[k]),
        )
        for k in selection
    ]


def pictured(eye: Eye, locations: Floats, turns: Floats, angles: Floats) -> tuple[Floats, Bools]:
    """Returns (the normal [n, 3], towards the camera, that each camera's picture shows where it is
    aimed; [n] bool, whether the picture shows the same normal around it).

    A point may lie on a fold or a bar that is narrower than a pixel: its own normal is then not
    what the normal map holds in the middle of the view.
    """
    rays = rays_through(turns, angles, AROUND).reshape(-1, 3).astype("float32")
    origins = np.repeat(locations.astype("float32"), len(AROUND), 0)
    hits = eye.hits(origins, rays, 2 / PIXELS)
    normals = hits.normal.reshape(len(turns), len(AROUND), 3).astype("float64")
    cosine = np.einsum("nj,nkj->nk", normals[:, 0], normals[:, 1:])
    return normals[:, 0], cosine.min(1) > AGREED


def worth(
    eye: Eye,
    locations: Floats,
    turns: Floats,
    angles: Floats,
    rooms: Integers,
    kinds: Kinds,
    enough: float,
    side: int = 7,
) -> Floats:
    """Returns the chance [n] of each view to be taken, estimated by side x side of its rays: it
    rises with the share of the view that things named by the semantic label fill, up to `enough`.

    0 where things nearer than NEAR fill more than BLOCKED of it, ceilings more than BARE, or what
    lies beyond a doorway more than BEYOND.
    """
    rays = rays_through(turns, angles, middles(side))
    origins = np.repeat(locations.astype("float32"), side * side, 0)
    hits = eye.caster.first(origins, rays.reshape(-1, 3).astype("float32"))
    near, ceiling, outside, named = shares(
        locations,
        rays,
        hits.distance,
        hits.triangle,
        eye.scene.instance,
        rooms,
        NEAR,
        # a wall's own thickness counts as the room: its reveals and door frames belong to it
        kinds.low - WALL,
        kinds.high + WALL,
        kinds.ceiling,
        kinds.named,
    ).T
    refused = (near > BLOCKED) | (ceiling > BARE) | (outside > BEYOND)
    # LEAST, not 0: a building with few things would otherwise yield nothing
    return np.where(refused, 0.0, np.clip((named / enough) ** KEEN, LEAST, 1))


@cache
def middles(side: int) -> Floats:
    """Returns [side * side, 2], the middles of side x side cells of a picture that spans -1 to 1,
    so that no ray through them runs along its border.
    """
    return (np.stack(np.divmod(np.arange(side * side), side), 1) + 0.5) / side * 2 - 1


@dataclass(frozen=True)
class Kinds:
    """What the worth of a scene's views depends on. ceiling, named: [instances] bool, whether each
    is a ceiling, or a thing that the semantic label names; low, high: [rooms, 2] m, corners of the
    floors.
    """

    ceiling: Bools
    named: Bools
    low: Floats
    high: Floats

    @staticmethod
    def of(scene: Scene) -> Kinds:
        return Kinds(
            ceiling=np.array([name == "ceiling" for name in scene.names]),
            # semantic ids above 1 are things: 0 is uncertain, 1 background
            named=scene.semantic > 1,
            low=np.array([room.low[:2] for room in scene.rooms]),
            high=np.array([room.high[:2] for room in scene.rooms]),
        )


@dataclass(frozen=True)
class Corners:
    """The triangles that points are drawn from. corners: [f, 3, 3] m; spread: [f, 3] along the
    normal, as long as twice the area; up_to: [f] their cumulated chances.
    """

    corners: Floats
    spread: Floats
    up_to: Floats

    @staticmethod
    def of(scene: Scene) -> Corners:
        corners = scene.shape.vertices[scene.shape.faces]
        spread, length, height = triangles(corners)
        weight = np.where(height > EYE, HIGH, 1.0)
        return Corners(corners, spread, np.cumsum(chances(scene, weight * length / 2)))

    def drawn(self, rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
        """Returns (points [count, 3] drawn by the chances, normals [count, 3] of their
        triangles).
        """
        triangle = np.searchsorted(self.up_to, rng.random(count) * self.up_to[-1])
        # the gaps between two sorted uniform numbers are uniform over the triangle
        u, v = np.sort(rng.random((2, count)), axis=0)
        weights = np.stack([u, v - u, 1 - v], 1)
        spread = self.spread[triangle]
        normals = spread / np.maximum(np.linalg.norm(spread, axis=1), 1e-12)[:, None]
        return np.einsum("nkc,nk->nc", self.corners[triangle], weights), normals


def chances(scene: Scene, area: Floats) -> Floats:
    """Returns [f], the chance of every triangle of `area` square metres to hold a point: SHELL for
    walls, floors and ceilings together, the rest for things.
    """
    number = np.array(
        [
            ("wall", "floor", "ceiling").index(name) if name in ("wall", "floor", "ceiling") else 3
            for name in scene.names
        ]
    )[scene.instance]
    # area times a factor: within the shell and within the things, every square metre is alike
    named = (scene.semantic > 1)[scene.instance]
    weight = np.where(number == 2, CEILING, np.where(named, NAMED, 1.0)) * area
    shell = number < 3
    return np.where(
        shell,
        weight / max(weight[shell].sum(), 1e-9) * SHELL,
        weight / max(weight[~shell].sum(), 1e-9) * (1 - SHELL),
    )


def preferred(rng: np.random.Generator, cameras: Integers, weight: Floats) -> Integers:
    """Returns the cameras in a random order weighted by weight[camera] (Efraimidis and Spirakis
    2006).
    """
    return cameras[np.argsort(-(rng.random(len(cameras)) ** (1 / weight[cameras])))]
