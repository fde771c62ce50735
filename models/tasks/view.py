"""A view: one image of a building, where the camera stood, and the labels that belong to it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from models.tasks.arrays import Array, Bytes, Floats
from models.tasks.domain import DOMAINS


class ViewKey(NamedTuple):
    """Names a view everywhere: building, point that the camera looks at, number of the view of that
    point.
    """

    building: str
    point: int
    view: int

    def __str__(self) -> str:
        return f"{self.building}/point_{self.point}/view_{self.view}"

    @classmethod
    def parse(cls, text: str) -> ViewKey:
        parts = text.split("/")
        if len(parts) != 3 or not parts[1].startswith("point_") or not parts[2].startswith("view_"):
            raise ValueError(f"a view's key reads building/point_P/view_V, got {text!r}")
        return cls(parts[0], int(parts[1][6:]), int(parts[2][5:]))


def building_of(key: object) -> str:
    """Returns the building of a view, by its key or the key's text."""
    return str(key).partition("/")[0]


# Numbers of one camera in `to_floats`: location 3, rotation 9, field of view, room 6, point 3.
CAMERA_FLOATS = 22
# Fields of a camera that hold numbers, with their shape; those that may be unknown.
_SHAPES = {"location": (3,), "rotation": (3, 3), "room": (3, 2), "point": (3,)}
_OPTIONAL = ("room", "point")


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in a world with z up, metres. Raises ValueError for numbers that describe no
    camera.

    location: [3]. rotation: [3, 3], camera to world, the camera looks along its -z with y up.
    field_of_view: radians, full angle of the square image. room: [3, 2], lowest and highest world
    x, y, z of the room, or None. point: [3], the fixated point, or None. points_in_view: numbers of
    the building's other points that the camera sees, occlusion tested, or None where nobody looked.
    """

    location: Floats
    rotation: Floats
    field_of_view: float
    room: Floats | None = None
    point: Floats | None = None
    points_in_view: frozenset[int] | None = None

    def __post_init__(self) -> None:
        for name, shape in _SHAPES.items():
            self._settle(name, shape)
        if not is_rotation(self.rotation.tolist()):
            raise ValueError(
                f"camera: rotation is orthonormal with determinant 1, got {self.rotation.tolist()}"
            )
        if not 0 < self.field_of_view < np.pi:
            raise ValueError(
                f"camera: field of view lies between 0 and pi radians, got {self.field_of_view}"
            )
        if self.room is not None and any(low > high for low, high in self.room.tolist()):
            raise ValueError(
                f"camera: a room's lowest corner is below its highest, got {self.room.tolist()}"
            )
        if self.points_in_view is not None:
            object.__setattr__(self, "points_in_view", point_numbers(self.points_in_view))

    def _settle(self, name: str, shape: tuple[int, ...]) -> None:
        """Sets a field to float64 of its shape; any sequence of numbers may have been handed in."""
        numbers = getattr(self, name)
        if numbers is None and name in _OPTIONAL:
            return
        value = np.asarray(numbers, "float64")
        # for so few numbers Python is faster than numpy
        if value.shape != shape or not all(map(math.isfinite, value.ravel().tolist())):
            raise ValueError(
                f"camera: {name} is {shape} finite numbers, got shape {value.shape}, "
                f"values {value.tolist()}"
            )
        # frozen: this is the one way to set a field, and only while the value is made
        object.__setattr__(self, name, value)

    @classmethod
    def from_point_info(cls, info: Mapping[str, Any]) -> Camera:
        """Makes a camera from the published point_info (or fixatedpose) JSON; the exchange of x and
        y in `bounding_box_ranges` is undone.

        Raises KeyError naming a missing key, ValueError for numbers that are no camera.
        """
        a, b, c = (float(x) for x in info["camera_rotation_final"])
        point = info.get("point_location")
        points = info.get("nonfixated_points_in_view")
        return cls(
            location=np.array(info["camera_location"], "float64"),
            rotation=rotation_from_euler(a, b, c),
            field_of_view=float(info["field_of_view_rads"]),
            room=room_of(info.get("bounding_box_ranges")),
            point=None if point is None else np.array(point, "float64"),
            points_in_view=None if points is None else point_numbers(points),
        )

    def to_floats(self) -> Floats:
        """Returns [22] float64: location 3, rotation 9 row by row, field of view, room 6, point 3;
        NaN where unknown.
        """
        room = np.full(6, np.nan) if self.room is None else self.room.ravel()
        point = np.full(3, np.nan) if self.point is None else self.point
        return np.concatenate(
            [self.location, self.rotation.ravel(), [self.field_of_view], room, point]
        )

    @classmethod
    def from_floats(cls, values: Floats, points_in_view: Iterable[int] | None = None) -> Camera:
        """Makes a camera of what `to_floats` returns, [22]; the list of points, which has no fixed
        length, is stored beside the numbers.
        """
        v = np.asarray(values, "float64")
        if v.shape != (CAMERA_FLOATS,):
            raise ValueError(f"a camera is {CAMERA_FLOATS} numbers, got shape {v.shape}")
        rotation = v[3:12].reshape(3, 3)
        u, _, w = np.linalg.svd(rotation)  # float32 storage costs orthonormality its last digits
        unknown = list(map(math.isnan, v[13:].tolist()))
        return cls(
            location=v[:3],
            rotation=u @ w,
            field_of_view=float(v[12]),
            room=None if any(unknown[:6]) else v[13:19].reshape(3, 2),
            point=None if any(unknown[6:]) else v[19:],
            points_in_view=None if points_in_view is None else frozenset(points_in_view),
        )


def is_rotation(rows: Sequence[Sequence[float]]) -> bool:
    """Returns whether three rows of three numbers are orthonormal, to 1e-4, with a determinant that
    is not negative. Of so few numbers Python knows it in a fifth of numpy's time.
    """
    (a, b, c), (d, e, f), (g, h, i) = rows
    products = (
        a * a + b * b + c * c - 1,
        d * d + e * e + f * f - 1,
        g * g + h * h + i * i - 1,
        a * d + b * e + c * f,
        a * g + b * h + c * i,
        d * g + e * h + f * i,
    )
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    return all(abs(product) <= 1e-4 for product in products) and determinant >= 0


def room_of(box: Mapping[str, Any] | None) -> Floats | None:
    """Returns [3, 2], lowest and highest world x, y, z of the published `bounding_box_ranges`, in
    which x and y have changed places; None without it.
    """
    if box is None:
        return None
    return np.array([sorted(box["y"]), sorted(box["x"]), sorted(box["z"])], "float64")


def point_numbers(values: Iterable[int]) -> frozenset[int]:
    """Returns the numbers of points in a list. Raises ValueError for anything but whole numbers
    from 0 to 999,999,999 (nine digits in a file's name).
    """
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise ValueError(f"camera: points in view are a list of point numbers, got {values!r:.80}")
    values = list(values)
    if set(map(type, values)) == {int} and min(values) >= 0 and max(values) < 10**9:
        return frozenset(values)  # number by number takes five times as long
    wrong = [
        value
        for value in values
        # True is an int in Python
        if isinstance(value, bool)
        or not isinstance(value, (int, np.integer))
        or not 0 <= value < 10**9
    ]
    if wrong:
        raise ValueError(
            f"camera: points in view are whole numbers from 0 to 999999999, got {wrong[0]!r:.80}"
        )
    return frozenset(int(value) for value in values)


def rotation_from_euler(a: float, b: float, c: float) -> Floats:
    """Returns [3, 3], Rz(c) Ry(b) Rx(a): static-axis XYZ Euler angles in radians ("sxyz"), as the
    published JSON holds them.
    """
    ca, cb, cc = np.cos([a, b, c])
    sa, sb, sc = np.sin([a, b, c])
    x = np.array([[1, 0, 0], [0, ca, -sa], [0, sa, ca]])
    y = np.array([[cb, 0, sb], [0, 1, 0], [-sb, 0, cb]])
    z = np.array([[cc, -sc, 0], [sc, cc, 0], [0, 0, 1]])
    return z @ y @ x


@dataclass(frozen=True)
class View:
    """One image with what is known of it. Raises ValueError for a label that does not fit its
    folder.

    rgb: uint8 [S, S, 3]. labels: folder -> array in the published file's encoding, maps all S x S.
    """

    key: ViewKey
    rgb: Bytes
    camera: Camera | None = None
    labels: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = self.rgb.shape
        square = self.rgb.ndim == 3 and shape[0] == shape[1] and shape[2] == 3
        if self.rgb.dtype != np.uint8 or not square:
            raise ValueError(f"view {self.key}: rgb is uint8 [S, S, 3], got {described(self.rgb)}")
        for folder, value in self.labels.items():
            self._check_label(folder, value)

    def _check_label(self, folder: str, value: Array) -> None:
        domain = DOMAINS.get(folder)
        if domain is None:
            raise ValueError(
                f"view {self.key}: no published folder is called {folder!r}; there are "
                f"{', '.join(DOMAINS)}"
            )
        if domain.file != "png":
            if value.shape != (domain.channels,):
                raise ValueError(
                    f"view {self.key}: {folder} is {domain.channels} numbers, got shape "
                    f"{value.shape}"
                )
            return
        channels = (domain.channels,) if domain.channels > 1 else ()
        shape = (self.size, self.size, *channels)
        if value.shape != shape or value.dtype != domain.dtype:
            raise ValueError(
                f"view {self.key}: {folder} is {domain.dtype} {shape}, got {described(value)}"
            )

    @property
    def size(self) -> int:
        return self.rgb.shape[0]


def described(value: Array) -> str:
    """Returns dtype and shape of an array [...] as text, for errors."""
    return f"{value.dtype} {value.shape}"
