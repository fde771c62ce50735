"""The materials of one building, and the methods that put parts of a piece in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from beam_jobs.scenes.buildings import textures
from beam_jobs.scenes.buildings.scene import ORIGIN, Builder, Placement
from beam_jobs.scenes.geometry import shapes, soft
from beam_jobs.scenes.geometry.shapes import Shape, Triple
from models.tasks.arrays import Floats

WOODS = (
    (0.52, 0.41, 0.31),
    (0.34, 0.26, 0.21),
    (0.66, 0.55, 0.43),
    (0.82, 0.79, 0.74),
    (0.42, 0.4, 0.39),
)
CLOTHS = (
    (0.33, 0.38, 0.46),
    (0.55, 0.54, 0.52),
    (0.68, 0.63, 0.55),
    (0.42, 0.45, 0.4),
    (0.5, 0.36, 0.33),
    (0.24, 0.25, 0.28),
    (0.78, 0.76, 0.72),
)
BRIGHT = (
    (0.6, 0.34, 0.3),
    (0.74, 0.62, 0.38),
    (0.36, 0.48, 0.52),
    (0.46, 0.53, 0.42),
    (0.54, 0.46, 0.54),
    (0.76, 0.58, 0.48),
    (0.32, 0.38, 0.52),
)
SLIM = 0.02  # m
FLAT = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # stands a disc up: its axis from z to -y


# A piece of furniture, and a small thing that lies `offset` from the middle of what carries it.
Piece = Callable[["Kit", Placement], object]
Thing = Callable[["Kit", Placement, Triple], object]


class Kit:
    """The materials of a building. `put` and `box` place a part in the frame of a piece: footprint
    centred, front towards -y, floor at z = 0; place = (x, y, z, yaw).
    """

    def __init__(self, builder: Builder) -> None:
        rng = builder.rng
        make = builder.material

        def near(colours: Sequence[Triple], spread: float = 0.05) -> Floats:
            """Returns a colour near one of `colours`."""
            return textures.tinted(rng, colours[rng.integers(len(colours))], spread)

        self.builder = builder
        self.rng = rng
        self.woods = [
            make(textures.grain(rng, textures.tinted(rng, wood, 0.04)), 1.2, relief="wood")
            for wood in WOODS
        ]
        self.cloths = [
            make(textures.fabric(rng, near(CLOTHS)), 0.35, relief="cloth") for _ in range(3)
        ]
        self.patterns = [
            make(
                textures.printed(rng, near(CLOTHS), near(BRIGHT)),
                float(rng.uniform(0.3, 0.7)),
                relief="cloth",
            )
            for _ in range(4)
        ]
        self.brights = [
            make(textures.fabric(rng, near(BRIGHT)), 0.3, relief="cloth") for _ in range(3)
        ]
        self.fabrics = self.cloths + self.patterns + self.brights
        self.white = make(textures.worn(rng, textures.tinted(rng, (0.88, 0.88, 0.87), 0.03)))
        self.dark = make(textures.plain(rng, textures.tinted(rng, (0.1, 0.1, 0.11), 0.03)))
        self.metal = make(
            textures.grain(rng, textures.tinted(rng, (0.6, 0.61, 0.63), 0.04), 0.04),
            relief="plaster",
        )
        self.leaves = [
            make(textures.leaf(rng, np.array(green)), 0.3)
            for green in ((0.25, 0.38, 0.2), (0.33, 0.46, 0.27), (0.2, 0.32, 0.22))
        ]
        self.clay = make(textures.worn(rng, textures.tinted(rng, (0.6, 0.42, 0.33))))
        self.stone = make(textures.granite(rng, textures.tinted(rng, (0.4, 0.39, 0.37))), 0.5)
        self.ceramics = [
            make(textures.marble(rng, near(BRIGHT + CLOTHS)), 0.4) for _ in range(3)
        ] + [self.white]
        self.paints = [make(textures.worn(rng, near(BRIGHT)), 0.5) for _ in range(4)]
        self.lacquers = [
            make(textures.worn(rng, near(CLOTHS)), 0.8, relief="wood") for _ in range(2)
        ]
        self.glass = [
            make(textures.plain(rng, np.array(c)), 0.3)
            for c in ((0.2, 0.33, 0.24), (0.42, 0.28, 0.16), (0.62, 0.7, 0.72))
        ]
        self.spines = [make(textures.books(rng), 0.6) for _ in range(3)]
        self.prints = [make(textures.painting(rng)) for _ in range(6)]
        self.rugs = [make(textures.rug(rng), relief="pile") for _ in range(3)]
        self.pictures = [make(textures.framed(rng)) for _ in range(9)]
        self.linen = make(
            textures.fabric(rng, textures.tinted(rng, (0.87, 0.86, 0.83), 0.04)),
            0.5,
            relief="cloth",
        )
        self.cardboard = make(textures.cardboard(rng), 0.6, relief="wood")
        self.papers = make(textures.page(rng), 0.3)
        self.shade = make(textures.plain(rng, np.array([0.98, 0.93, 0.82])), glow=2.6)
        self.yellow = make(textures.worn(rng, textures.tinted(rng, (0.8, 0.68, 0.24), 0.03)), 0.2)
        self.orange = make(textures.worn(rng, textures.tinted(rng, (0.8, 0.46, 0.18), 0.03)), 0.2)
        self.grey = make(textures.worn(rng, textures.tinted(rng, (0.6, 0.6, 0.59), 0.06)), 0.8)
        self.keyboard = make(textures.keys(rng))
        self.screens = [make(textures.window_of_words(rng), glow=0.9) for _ in range(2)]
        self.piano_keys = make(textures.piano_keys(rng))
        baize = textures.tinted(rng, ((0.16, 0.36, 0.26), (0.18, 0.27, 0.4))[rng.integers(2)], 0.03)
        self.baize = make(textures.fabric(rng, baize), 0.3)
        self.black = make(textures.plain(rng, np.full(3, 0.035), 0.004))
        self.digits = make(textures.digits(rng))
        self.spotted = make(textures.dots(rng, np.full(3, 0.88), np.full(3, 0.1), 4), 0.22)
        self.mirror = make(textures.grain(rng, np.array([0.62, 0.68, 0.7]), 0.12), 1.5)

    def one(self, materials: list[int]) -> int:
        """Returns one of the materials at random."""
        # as `choice` does, but without making an array of the list first
        return materials[int(self.rng.integers(len(materials)))]

    def assembly(self, name: str, place: Placement, offset: Triple = ORIGIN) -> Assembly:
        """Returns a new instance of `name`, `offset` from the middle of what carries it."""
        return Assembly(self, self.builder.object(name), place, offset)

    def put(
        self,
        shape: Shape,
        material: int,
        instance: int,
        offset: Triple,
        place: Placement,
        stretch: bool = False,
    ) -> None:
        """Adds a shape to the scene, `offset` from the middle of a piece at `place`. stretch: fit
        one texture repeat to the whole shape.
        """
        x, y, z, yaw = place
        c, s = np.cos(yaw), np.sin(yaw)
        self.builder.add(
            shape,
            material,
            instance,
            (x + c * offset[0] - s * offset[1], y + s * offset[0] + c * offset[1], z + offset[2]),
            yaw,
            stretch,
        )

    def box(
        self,
        extent: Triple,
        offset: Triple,
        material: int,
        instance: int,
        place: Placement,
        radius: float = 0.024,
    ) -> None:
        """Adds a rounded box. Edges below 2 cm are narrower than most pixels, so that one facet is
        enough for half of them (on wider ones it would bend the neighbouring faces in a mesh file).
        """
        self.put(
            shapes.rounded_box(extent, radius, 2 if radius > SLIM else 1),
            material,
            instance,
            offset,
            place,
        )

    def foot(
        self,
        width: float,
        depth: float,
        material: int,
        instance: int,
        place: Placement,
        offset: Triple = (0, 0, 0),
        radius: float = 0.05,
    ) -> None:
        """Adds the hollow between a thing and what it stands on, around a footprint of width x
        depth. Fused scans round off such edges.
        """
        self.put(soft.skirt(width, depth, radius), material, instance, offset, place)

    def rim(
        self,
        width: float,
        height: float,
        material: int,
        instance: int,
        place: Placement,
        offset: Triple = (0, 0, 0),
        radius: float = 0.03,
    ) -> None:
        """Adds the hollow between a thing and the wall that it hangs on, around width x height."""
        self.put(
            soft.skirt(width, height, radius).oriented(FLAT), material, instance, offset, place
        )

    def legs(
        self,
        width: float,
        depth: float,
        height: float,
        material: int,
        instance: int,
        place: Placement,
        thick: float = 0.025,
    ) -> None:
        """Adds four legs that carry a top of width x depth at `height`."""
        leg = shapes.cone(thick * 0.7, thick, height, 10)
        for x in (-1, 1):
            for y in (-1, 1):
                self.put(
                    leg,
                    material,
                    instance,
                    (x * (width / 2 - 0.06), y * (depth / 2 - 0.06), 0),
                    place,
                )


@dataclass(frozen=True)
class Assembly:
    """One instance under construction: parts are placed from its own origin."""

    kit: Kit
    piece: int
    place: Placement
    offset: Triple

    def put(self, shape: Shape, material: int, at: Triple = ORIGIN, stretch: bool = False) -> None:
        self.kit.put(shape, material, self.piece, np.add(self.offset, at), self.place, stretch)

    def box(self, extent: Triple, material: int, at: Triple, radius: float) -> None:
        self.kit.box(extent, np.add(self.offset, at), material, self.piece, self.place, radius)

    def tube(self, path: Sequence[Triple] | Floats, radius: float, material: int) -> None:
        """Adds a cable of six sides along a path [n, 3], metres."""
        self.put(soft.tube(np.asarray(path, "float64"), radius, 6), material)
