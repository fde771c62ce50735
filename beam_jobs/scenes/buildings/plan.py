"""The plan of a room: its four sides, what is open in them, and where there is still space."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from beam_jobs.scenes.buildings.scene import Placement
from models.tasks.arrays import Floats

WALL = 0.14  # thickness between neighbouring rooms, metres
ALIKE = 2  # loose things of one kind that a room may hold
QUARTER_TURNS = (0.0, np.pi / 2, np.pi, -np.pi / 2)


@dataclass(frozen=True)
class Side:
    """One side of a room, from `start` along `along` (unit, 2) for `length` metres; `inward` is its
    normal.

    yaw: turns furniture so that its back (+y) is against this side.
    """

    start: Floats
    along: Floats
    inward: Floats
    length: float
    yaw: float

    def point(self, at: float, off: float) -> Floats:
        """Returns [2], the place `at` metres along the side and `off` metres into the room."""
        return self.start + self.along * at + self.inward * off

    def place(self, at: float, off: float, z: float = 0.0) -> Placement:
        """Returns where a piece stands `at` metres along and `off` metres into the room, its back
        to the wall.
        """
        x, y = self.point(at, off)
        return Placement(x, y, z, self.yaw)


# From, to (metres along the wall), low, high (metres above the floor), "door" or "window".
Opening = tuple[float, float, float, float, str]


@dataclass
class Plan:
    """A room under construction: kind, floor rectangle, height (m), openings of each side (from,
    to, low, high, what), taken rectangles (x, y, w, d).

    inner: sides with a doorway to a neighbour. hung: (wall, from, to) of what hangs on the walls.
    loose: how many of each kind of thing lie about.
    """

    kind: str
    x0: float
    y0: float
    x1: float
    y1: float
    height: float
    openings: list[list[Opening]] = field(default_factory=lambda: [[], [], [], []])
    footprints: list[tuple[float, float, float, float]] = field(default_factory=list)
    inner: set[int] = field(default_factory=set)
    hung: list[tuple[int, float, float]] = field(default_factory=list)
    loose: Counter[str] = field(default_factory=Counter)

    def side(self, wall: int) -> Side:
        """Returns a side of the room. wall: 0 south, 1 east, 2 north, 3 west."""
        width, depth = self.x1 - self.x0, self.y1 - self.y0
        start, along, inward, length, yaw = (
            # anticlockwise, with the room to the left: wherever `along` runs to, `inward` is a
            # quarter turn on
            ((self.x0, self.y0), (1, 0), (0, 1), width, np.pi),
            ((self.x1, self.y0), (0, 1), (-1, 0), depth, -np.pi / 2),
            ((self.x1, self.y1), (-1, 0), (0, -1), width, 0.0),
            ((self.x0, self.y1), (0, -1), (1, 0), depth, np.pi / 2),
        )[wall]
        return Side(
            np.array(start, float), np.array(along, float), np.array(inward, float), length, yaw
        )

    def outer_walls(self) -> list[int]:
        """Returns the numbers of the sides that have no doorway to a neighbour."""
        return [wall for wall in range(4) if wall not in self.inner]

    def has(self, what: str) -> bool:
        """Returns whether the room has an opening of this kind, "door" or "window"."""
        return any(opening[4] == what for side in self.openings for opening in side)

    def free(self, x: float, y: float, width: float, depth: float, margin: float = 0.05) -> bool:
        """Returns whether the rectangle is inside the room and `margin` away from everything."""
        if (
            x - width / 2 < self.x0 + 0.01
            or x + width / 2 > self.x1 - 0.01
            or y - depth / 2 < self.y0 + 0.01
            or y + depth / 2 > self.y1 - 0.01
        ):
            return False
        # a loop and not `all`, which takes half as long again: a building asks two thousand times
        for a, b, w, d in self.footprints:
            if abs(x - a) < (width + w) / 2 + margin and abs(y - b) < (depth + d) / 2 + margin:
                return False
        return True

    def against_wall(
        self,
        rng: np.random.Generator,
        width: float,
        depth: float,
        *,
        tall: bool = True,
        tries: int = 25,
    ) -> Placement | None:
        """Returns (x, y, 0, yaw) of a free place with its back to a wall, not in front of a door
        nor, if tall, of a window, and takes it; None if none was found.
        """
        sides = [self.side(wall) for wall in range(4)]
        for _ in range(tries):
            wall = int(rng.integers(4))
            side = sides[wall]
            if side.length < width + 0.1:
                continue
            at = rng.uniform(width / 2 + 0.04, side.length - width / 2 - 0.04)
            if any(
                # doors begin at the floor; before a window, which does not, only tall pieces are in
                # the way
                at + width / 2 > a and at - width / 2 < b and (tall or low < 0.3)
                for a, b, low, _, _ in self.openings[wall]
            ):
                continue
            (x, y) = side.point(at, depth / 2 + 0.02)
            # along y a piece is turned by a quarter: its width lies along the wall
            (w, d) = (width, depth) if wall % 2 == 0 else (depth, width)
            if self.free(x, y, w, d):
                self.footprints.append((x, y, w, d))
                return Placement(x, y, 0.0, side.yaw)
        return None

    def hang(self, wall: int, at: float, width: float) -> bool:
        """Takes the wall from at - width/2 to at + width/2 and returns True, or returns False if
        something hangs there already.
        """
        start, end = at - width / 2 - 0.08, at + width / 2 + 0.08
        if any(number == wall and start < b and end > a for number, a, b in self.hung):
            return False
        self.hung.append((wall, start, end))
        return True

    def another(self, kind: str) -> bool:
        """Returns whether one more loose thing of this kind may lie about, and counts it if so."""
        if self.loose[kind] == ALIKE:
            return False
        self.loose[kind] += 1
        return True

    def somewhere(
        self,
        rng: np.random.Generator,
        width: float,
        depth: float,
        margin: float = 0.3,
        tries: int = 30,
        around: float = 0.2,
    ) -> Placement | None:
        """Returns (x, y, 0, yaw) of a free place at least `around` metres away from the walls, and
        takes it; None if none was found.
        """
        for _ in range(tries):
            # drawn as `rng.choice` draws, which makes an array of them first
            yaw = QUARTER_TURNS[int(rng.integers(4))]
            # quarter turns alone: the sine is 0 or 1, but for rounding
            w, d = (width, depth) if abs(np.sin(yaw)) < 0.5 else (depth, width)
            if self.x1 - self.x0 < w + 0.5 or self.y1 - self.y0 < d + 0.5:
                continue
            x, y = (
                rng.uniform(low + side / 2 + around, high - side / 2 - around)
                for low, high, side in ((self.x0, self.x1, w), (self.y0, self.y1, d))
            )
            if self.free(x, y, w, d, margin):
                self.footprints.append((x, y, w, d))
                return Placement(x, y, 0.0, yaw)
        return None

    def beside(
        self, place: Placement, across: float, width: float, depth: float, back: float
    ) -> Placement | None:
        """Returns the place `across` metres to the right of `place` and `back` metres behind its
        middle, facing the same way, and takes it; None if it is not free.
        """
        x, y, _, yaw = place
        x, y = (
            x + np.cos(yaw) * across - np.sin(yaw) * back,
            y + np.sin(yaw) * across + np.cos(yaw) * back,
        )
        w, d = (width, depth) if abs(np.sin(yaw)) < 0.5 else (depth, width)
        if not self.free(x, y, w, d, 0.0):
            return None
        self.footprints.append((x, y, w, d))
        return Placement(x, y, 0.0, yaw)

    def in_front(
        self, place: Placement, distance: float, width: float, depth: float
    ) -> Placement | None:
        """Returns the place `distance` metres in front of `place`, facing the same way, and takes
        it; None if it is not free.
        """
        x, y, _, yaw = place
        x, y = x + np.sin(yaw) * distance, y - np.cos(yaw) * distance
        w, d = (width, depth) if abs(np.sin(yaw)) < 0.5 else (depth, width)
        if not self.free(x, y, w, d, 0.0):
            return None
        self.footprints.append((x, y, w, d))
        return Placement(x, y, 0.0, yaw)


def doorways(plans: list[Plan], columns: int, rng: np.random.Generator) -> None:
    """Cuts a door or a wide opening between every two neighbours of the grid, and takes the floor
    before it on both sides, so that it stays free.
    """
    for i, plan in enumerate(plans):
        # east and north alone: every pair of neighbours once
        for j, wall in ((i + 1, 1), (i + columns, 2)):
            if j >= len(plans) or (wall == 1 and (i + 1) % columns == 0):
                continue
            other = plans[j]
            opposite = {1: 3, 2: 0}[wall]
            wide = rng.random() < 0.4
            here, there = plan.side(wall), other.side(opposite)
            width, height = (
                (rng.uniform(1.3, min(2.4, here.length - 0.8)), min(2.3, plan.height - 0.2))
                if wide
                else (0.9, 2.05)
            )
            at = rng.uniform(width / 2 + 0.25, here.length - width / 2 - 0.25)
            # the two sides run against each other, and each counts from its own start
            across = float((here.point(at, 0) - there.start) @ there.along)
            for room, side, number, place in (
                (plan, here, wall, at),
                (other, there, opposite, across),
            ):
                room.openings[number].append(
                    (place - width / 2, place + width / 2, 0.0, height, "door")
                )
                room.inner.add(number)
                x, y = side.point(place, 0.45)
                room.footprints.append(
                    (x, y, width, 0.9) if number % 2 == 0 else (x, y, 0.9, width)
                )
