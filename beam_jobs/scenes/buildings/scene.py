"""A scene, one triangle soup with materials, instances, rooms and lights, and the builder that
collects it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from beam_jobs.scenes.geometry.relief import STYLES, height_fields
from beam_jobs.scenes.geometry.shapes import Shape, Triple, joined
from models.tasks.arrays import Floats, Integers

SEMANTIC = (
    "uncertain",
    "background",
    "bottle",
    "chair",
    "couch",
    "potted plant",
    "bed",
    "dining table",
    "toilet",
    "tv",
    "microwave",
    "oven",
    "toaster",
    "sink",
    "refrigerator",
    "book",
    "clock",
    "vase",
)


class Placement(NamedTuple):
    """Where a piece stands and how it is turned: metres, world frame; yaw: radians about z.

    In a piece's own frame the footprint is centred, the front looks towards -y, the floor is z = 0.
    """

    x: float
    y: float
    z: float
    yaw: float

    def at(self, offset: Triple) -> tuple[float, float, float]:
        """Returns the world coordinates of a point `offset` in the piece's own frame."""
        c = float(np.cos(self.yaw))
        s = float(np.sin(self.yaw))
        return (
            self.x + c * offset[0] - s * offset[1],
            self.y + s * offset[0] + c * offset[1],
            self.z + offset[2],
        )

    def turned(self, yaw: float) -> Placement:
        """Returns the same place, turned by `yaw` more radians."""
        return self._replace(yaw=self.yaw + yaw)

    def facing(self, yaw: float) -> Placement:
        """Returns the same place, turned to `yaw`."""
        return self._replace(yaw=yaw)


ORIGIN = (0.0, 0.0, 0.0)
# What carries small things: width, depth and height above the floor, metres.
Top = tuple[float, float, float]


# Names that have the semantic class of another name: the released labels know 17 classes of COCO,
# whose annotators call desks and coffee tables dining tables, and screens of any kind televisions.
SEEN_AS = {
    "beer bottle": "bottle",
    "binder": "book",
    "coffee table": "dining table",
    "crib": "bed",
    "desk": "dining table",
    "digital clock": "clock",
    "monitor": "tv",
    "pouf": "chair",
    "quilt": "bed",
    "rocking chair": "chair",
    "side table": "dining table",
    "stool": "chair",
    "wine bottle": "bottle",
}


@dataclass(frozen=True)
class Room:
    """A room's kind (key of `PLACES`) and its low and high [3] world corners in metres."""

    kind: str
    low: tuple[float, float, float]
    high: tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """A lamp or a window that gives light. position [3] m; size: radius of the emitting ball, m;
    power [3]: radiant intensity, arbitrary units.

    along, up [3]: half-sides of a window, whose light goes towards along x up; zero: a ball.
    """

    position: tuple[float, float, float]
    size: float
    power: tuple[float, float, float]
    along: tuple[float, float, float] = (0.0, 0.0, 0.0)
    up: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Scene:
    """All that a camera may see of a building. shape: all triangles. material, instance: [f] ids.
    semantic: [instance] id in SEMANTIC. names: [instance] word for the object.

    textures: [material, S, S, 3] float32, S a power of two; scale: [material] metres of one texture
    repeat; glow: [material] emitted light. relief: [material] row of `heights`, 0: none; heights
    [row, T, T, 6]: height m and its derivatives u, v, uu, uv, vv; tile: [row] metres of a period.
    """

    shape: Shape
    material: Integers
    instance: Integers
    semantic: Integers
    names: tuple[str, ...]
    textures: Floats
    scale: Floats
    glow: Floats
    rooms: tuple[Room, ...]
    lights: tuple[Light, ...]
    relief: Integers | None = None
    heights: Floats | None = None
    tile: Floats | None = None


@dataclass
class Builder:
    """Collects shapes while a building grows. rng: the only source of randomness."""

    rng: np.random.Generator
    shapes: list[Shape] = field(default_factory=list)
    materials: list[int] = field(default_factory=list)
    instances: list[int] = field(default_factory=list)
    textures: list[Floats] = field(default_factory=list)
    scales: list[float] = field(default_factory=list)
    glows: list[float] = field(default_factory=list)
    reliefs: list[int] = field(default_factory=list)
    semantics: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)
    lights: list[Light] = field(default_factory=list)

    def material(
        self, texture: Floats, scale: float = 1.0, glow: float = 0.0, relief: str = "none"
    ) -> int:
        """Adds a material and returns its id. texture: [128, 128, 3] float32 in [0, 1]; scale:
        metres of one texture repeat; relief: key of `relief.STYLES`.
        """
        self.textures.append(texture)
        self.scales.append(scale)
        self.glows.append(glow)
        self.reliefs.append(list(STYLES).index(relief))
        return len(self.textures) - 1

    def object(self, name: str) -> int:
        """Adds an instance and returns its id; its semantic class is its name where SEMANTIC knows
        it, else background.
        """
        self.names.append(name)
        semantic = SEEN_AS.get(name, name)
        self.semantics.append(SEMANTIC.index(semantic) if semantic in SEMANTIC else 1)
        return len(self.names) - 1

    def add(
        self,
        shape: Shape,
        material: int,
        instance: int,
        position: Triple = (0.0, 0.0, 0.0),
        yaw: float = 0.0,
        stretch: bool = False,
    ) -> None:
        """Adds a shape, turned by `yaw` about z and moved to `position`. stretch: fit one texture
        repeat to the whole shape (pictures, screens).
        """
        if stretch:
            low = shape.uv.min(0)
            span = np.maximum(np.ptp(shape.uv, 0), 1e-6)
            shape = Shape(
                shape.vertices,
                shape.faces,
                shape.normals,
                # short of 1, where the texture begins again: the last edge would show texels of the
                # first
                (shape.uv - low) / span * 0.999 * self.scales[material],
                shape.curvature,
            )
        self.shapes.append(shape.placed(np.asarray(position, "float64"), yaw))
        self.materials.append(material)
        self.instances.append(instance)

    def finished(self) -> Scene:
        """Returns the scene of all that was collected."""
        counts = [len(shape.faces) for shape in self.shapes]
        return Scene(
            joined(self.shapes),
            np.repeat(self.materials, counts),
            np.repeat(self.instances, counts),
            np.array(self.semantics, "uint8"),
            tuple(self.names),
            np.stack(self.textures).astype("float32", copy=False),
            np.array(self.scales, "float32"),
            np.array(self.glows, "float32"),
            tuple(self.rooms),
            tuple(self.lights),
            np.array(self.reliefs),
            *height_fields(self.rng),
        )
