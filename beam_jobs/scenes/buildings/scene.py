"""A scene: one triangle soup with materials, instances, rooms and lights, and the builder that
collects it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from beam_jobs.scenes.geometry.relief import STYLES, height_fields
from beam_jobs.scenes.geometry.shapes import Shape

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


@dataclass(frozen=True)
class Room:
    """low, high: [3] world corners in metres; kind: key of `PLACES`."""

    kind: str
    low: tuple[float, float, float]
    high: tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """position [3] m; size: radius of the emitting ball, m; power [3]: radiant intensity, arbitrary
    units.

    along, up [3]: half-sides of a window, whose light goes towards along x up; zero: a ball.
    """

    position: tuple[float, float, float]
    size: float
    power: tuple[float, float, float]
    along: tuple[float, float, float] = (0.0, 0.0, 0.0)
    up: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Scene:
    """shape: all triangles. material, instance: [f] ids. semantic: [instance] id in SEMANTIC. name:
    [instance] word for the object.

    textures: [material, S, S, 3] float32, S a power of two; scale: [material] metres of one texture
    repeat; glow: [material] emitted light. relief: [material] row of `heights`, 0: none; heights
    [row, T, T, 6]: height m and its derivatives u, v, uu, uv, vv; tile: [row] metres of a period.
    """

    shape: Shape
    material: np.ndarray
    instance: np.ndarray
    semantic: np.ndarray
    names: tuple[str, ...]
    textures: np.ndarray
    scale: np.ndarray
    glow: np.ndarray
    rooms: tuple[Room, ...]
    lights: tuple[Light, ...]
    relief: np.ndarray | None = None
    heights: np.ndarray | None = None
    tile: np.ndarray | None = None


@dataclass
class Builder:
    """Collects shapes while a building grows. rng: the only source of randomness."""

    rng: np.random.Generator
    shapes: list = field(default_factory=list)
    materials: list = field(default_factory=list)
    instances: list = field(default_factory=list)
    textures: list = field(default_factory=list)
    scales: list = field(default_factory=list)
    glows: list = field(default_factory=list)
    reliefs: list = field(default_factory=list)
    semantics: list = field(default_factory=list)
    names: list = field(default_factory=list)
    rooms: list = field(default_factory=list)
    lights: list = field(default_factory=list)

    def material(
        self, texture: np.ndarray, scale: float = 1.0, glow: float = 0.0, relief: str = "none"
    ) -> int:
        """scale: metres of one repeat; relief: key of `relief.STYLES`."""
        self.textures.append(texture)
        self.scales.append(scale)
        self.glows.append(glow)
        self.reliefs.append(list(STYLES).index(relief))
        return len(self.textures) - 1

    def object(self, name: str) -> int:
        """a new instance; its semantic class is its name where SEMANTIC knows it, else background."""
        self.names.append(name)
        self.semantics.append(SEMANTIC.index(name) if name in SEMANTIC else 1)
        return len(self.names) - 1

    def add(
        self,
        shape: Shape,
        material: int,
        instance: int,
        position=(0.0, 0.0, 0.0),
        yaw: float = 0.0,
        stretch: bool = False,
    ) -> None:
        """stretch: fit one texture repeat to the whole shape (pictures, screens)."""
        if stretch:
            low, span = shape.uv.min(0), np.maximum(np.ptp(shape.uv, 0), 1e-6)
            shape = Shape(
                shape.vertices,
                shape.faces,
                shape.normals,
                (shape.uv - low) / span * 0.999 * self.scales[material],
                shape.curvature,
            )
        self.shapes.append(shape.placed(np.asarray(position, "float64"), yaw))
        self.materials.append(material)
        self.instances.append(instance)

    def finished(self) -> Scene:
        from beam_jobs.scenes.geometry.shapes import joined

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
