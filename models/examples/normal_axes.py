"""Checks whether a view's normals and its depth show the same surfaces in the axes of the contract.
Another encoding breaks no range: a normal with green up is a unit vector all the same. But depth
and camera say which way a surface faces, on whatever scale the depth is.

The stored normals are compared with what they would be in another encoding; only what another
encoding explains, and the contract's does not, is a contradiction. What depth does not tell (noise,
edges, a wall seen head on, which looks the same both ways) is none.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from models.examples.normals import Normals, pixel_slopes
from models.tasks import Camera
from models.tasks.arrays import Array, Bools, Floats, Integers
from models.tasks.targets import SURFACE_LIMIT

USUAL_FIELD_OF_VIEW = 1.07  # radians, the published mean; for views without their camera
# Of 1 / depth, which is linear in the pixel on a plane: its second difference, as a share, from
# which on a pixel lies on an edge or on something small, of which depth does not say how it faces.
FLATNESS = 0.02
# Least number of flat pixels to judge by, and their least share of the view.
LEAST_PIXELS = 300
LEAST_SHARE = 0.1
MARGIN = 5  # degrees by which one normal must be nearer than another to count
# Share of the flat pixels that the other encoding explains better, and how many times those that it
# explains worse; `normal_contradiction` says what sound views reach.
BETTER_SHARE = 0.25
BETTER_TIMES = 4
ALIKE = 0.05  # difference in gain below which two encodings explain as much: the plainer one wins
CLEAR = 3  # median degrees up to which nobody asks how else depth might be meant
EXPLAINED = 5  # median degrees that depth meant another way must reach: noise reaches none
CLOSE = 30  # degrees
CLOSE_SHARE = 0.75  # share of flat pixels with normals so close from which both maps lie alike
# Published axes (x right, y down, z away) as the camera's own (y up, looking along -z).
CAMERA_AXES = np.diag([1.0, -1.0, -1.0])
AXES = "x right, y down, z away from the camera, code (n + 1) 127.5"


def signed_permutations() -> Floats:
    """Returns [48, 3, 3], all ways to exchange three axes and to reverse them, the identity
    first.
    """
    rows = np.eye(3)
    return np.stack(
        [
            np.array(signs)[:, None] * rows[list(order)]
            for order in itertools.permutations(range(3))
            for signs in itertools.product((1.0, -1.0), repeat=3)
        ]
    )


ALL_AXES = signed_permutations()


@dataclass(frozen=True)
class Contradiction:
    """Another encoding that a view is written in instead of the contract's. kind: the other
    encoding, in the same words for every view. evidence: what in this view only that encoding
    explains. cure: what to do.
    """

    kind: str
    evidence: str
    cure: str

    def words(self) -> str:
        return f"{self.kind} ({self.evidence}); {self.cure}"


@dataclass(frozen=True)
class Encoding:
    """An encoding that a view might be written in. shown: [n, 3] unit normals of the flat pixels
    that depth then shows. within: median degrees between these and the stored ones, up to which the
    encoding counts as an explanation.
    """

    kind: str
    cure: str
    shown: Floats
    within: float = CLOSE


@dataclass(frozen=True)
class Surface:
    """Where a view's normals can be compared with its depth. stored: [n, 3] unit normals of the
    flat pixels. flat: [s, s], which pixels they are. depth: [s, s] codes of any scale, inf where
    nothing is seen. along: whether they are measured along the camera's axis, else along the
    pixel's ray. angle: field of view, radians. inner: [n], where the flat pixels lie among the
    [s - 2, s - 2] that are not at the border.
    """

    stored: Floats
    flat: Bools
    depth: Floats
    along: bool
    angle: float
    inner: Integers

    def shown(
        self,
        *,
        depth: Floats | None = None,
        along: bool | None = None,
        angle: float | None = None,
    ) -> Floats:
        """Returns [n, 3] unit normals at the flat pixels that depth shows, as it is or meant
        otherwise.
        """
        depth = self.depth if depth is None else depth
        angle = self.angle if angle is None else angle
        slopes = pixel_slopes(len(depth), np.tan(angle / 2))
        inverse = 1 / depth
        if not (self.along if along is None else along):
            inverse *= np.sqrt(1 + slopes**2 + slopes[:, None] ** 2)
        # 1 / depth is linear in the pixel on a plane. The plane nearest to 3 x 3 pixels rises by
        # what the last column (row) has more than the first, over six steps of a pixel.
        rows = inverse[:-2] + inverse[1:-1] + inverse[2:]
        columns = inverse[:, :-2] + inverse[:, 1:-1] + inverse[:, 2:]
        six = 6 * (slopes[1] - slopes[0])
        x = ((rows[:, :-2] - rows[:, 2:]) / six).ravel()[self.inner]
        y = ((columns[:-2] - columns[2:]) / six).ravel()[self.inner]
        mean = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]).ravel()[self.inner] / 9
        row, column = np.divmod(self.inner, len(depth) - 2)
        z = -mean - x * slopes[column + 1] - y * slopes[row + 1]
        length = np.sqrt(x * x + y * y + z * z) + 1e-12
        return np.stack([x / length, y / length, z / length], -1)


def normal_contradiction(
    labels: Mapping[str, Array], camera: Camera | None
) -> Contradiction | None:
    """Returns another encoding of normals, depth or field of view that a view shows, None if it
    shows none. labels: maps of a view, thinned alike to some 64 x 64 pixels: normal uint8 [s, s,
    3], depth uint16 [s, s].

    Measured on 249 procedural views and the four released frames (64 x 64 pixels): of sound views
    another encoding explains 12 % of the flat pixels better at most, and never twice as many as it
    explains worse where it explains a tenth better; 25 % and 4 times are asked for. Nothing is
    found in them, nor in 3,943 other procedural views at 64 and 256 pixels, nor with depth noisy as
    a depth camera's (1.5 and 6 mm times the square of the metres) or half of it missing. Found are,
    of the procedural views written otherwise: axes turned round or exchanged 96 to 100 % (x
    mirrored least: a wall seen head on looks the same), the world's axes 100, distances along the
    ray 100, half and twice the field of view 97 and 94, depth mirrored 70 (many rooms are nearly
    symmetrical). Of 1,024 pixels (32 x 32) somewhat fewer, of fewer pixels nothing.
    """
    surface = surface_of(labels, camera)
    if surface is None:
        return None
    shown = surface.shown()
    close = cosines(surface.stored, shown)
    # what is not off cannot be explained better
    if (close < np.cos(np.deg2rad(MARGIN))).mean() < BETTER_SHARE:
        return None
    off = degrees(close)
    candidates = []
    for encoding in encodings(surface, shown, off, camera):
        closer = cosines(surface.stored, encoding.shown)
        # angles, which take longer, only where enough of them are smaller
        if (closer > close).mean() < BETTER_SHARE:
            continue
        other = degrees(closer)
        better = float((other < off - MARGIN).mean())
        worse = float((off < other - MARGIN).mean())
        explains = better >= max(BETTER_SHARE, BETTER_TIMES * worse)
        if explains and np.median(other) <= encoding.within:
            candidates.append((better - worse, encoding, better))
    if not candidates:
        return None
    most = max(gain for gain, _, _ in candidates)
    _, best, better = next(row for row in candidates if row[0] >= most - ALIKE)
    return Contradiction(best.kind, f"only so {better:.0%} of the flat pixels fit", best.cure)


def surface_of(labels: Mapping[str, Array], camera: Camera | None) -> Surface | None:
    """Returns the surface of a view's thinned labels; None if normals or depth are absent, or
    little is flat. labels: normal uint8 [s, s, 3], depth uint16 [s, s].
    """
    folder = "depth_zbuffer" if "depth_zbuffer" in labels else "depth_euclidean"
    if "normal" not in labels or folder not in labels:
        return None
    normals = Normals.of(labels["normal"])
    codes = labels[folder]
    # the code of no surface, 128, is hardly a vector; of foreign depth 0 is nothing seen
    mask = (codes < SURFACE_LIMIT) & (codes > 0) & (normals.squares > 0.25)
    depth = np.where(mask, codes, np.inf)
    flat = flat_pixels(depth)
    count = np.count_nonzero(flat)
    if count < LEAST_PIXELS or count < LEAST_SHARE * flat.size:
        return None
    angle = USUAL_FIELD_OF_VIEW if camera is None else camera.field_of_view
    along = folder == "depth_zbuffer"
    return Surface(normals.unit(flat), flat, depth, along, angle, np.flatnonzero(flat[1:-1, 1:-1]))


def flat_pixels(depth: Floats) -> Bools:
    """Returns [s, s], the pixels whose 3 x 3 neighbours are all seen and lie nearly on a plane;
    none at the border, beyond which nothing is known. depth: inf where nothing is seen.
    """
    flat = np.zeros(depth.shape, bool)
    if len(depth) < 3:
        return flat
    inverse = 1 / depth
    middle = inverse[1:-1, 1:-1]
    across = np.abs(inverse[1:-1, :-2] + inverse[1:-1, 2:] - 2 * middle)
    down = np.abs(inverse[:-2, 1:-1] + inverse[2:, 1:-1] - 2 * middle)
    whole = cv2.erode((inverse > 0).view("uint8"), np.ones((3, 3), "uint8"))[1:-1, 1:-1] > 0
    flat[1:-1, 1:-1] = (np.maximum(across, down) < FLATNESS * middle) & whole
    return flat


def cosines(one: Floats, other: Floats) -> Floats:
    """Returns [n] cosines of the angles between unit vectors [n, 3]."""
    cosine: Floats = np.einsum("ij,ij->i", one, other)
    return cosine


def degrees(cosine: Floats) -> Floats:
    """Returns [n] angles of cosines."""
    angles: Floats = np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))
    return angles


def encodings(
    surface: Surface, shown: Floats, off: Floats, camera: Camera | None
) -> Iterator[Encoding]:
    """Yields the encodings of other data sets that could be meant, the plainer ones first. shown:
    [n, 3] unit normals that depth shows at the flat pixels; off: [n], degrees between these and the
    stored ones.
    """
    yield from other_axes(surface, shown, camera)
    if camera is not None and np.median(off) > CLEAR:
        yield from other_depths(surface)
    if (off < CLOSE).mean() < CLOSE_SHARE:
        yield from turned_maps(surface)
    # with a camera the world's axes are among the others above
    if camera is None and np.median(off) > CLOSE:
        kind = "normal is turned against depth, as normals in the world's axes are"
        turned = shown @ best_turn(surface.stored, shown).T
        yield Encoding(kind, f"write vectors in the camera's axes: {AXES}", turned)


def other_axes(surface: Surface, shown: Floats, camera: Camera | None) -> Iterator[Encoding]:
    """Yields the best of all ways to exchange the camera's axes, and the best of the world's.
    shown: [n, 3] unit normals that depth shows at the flat pixels.
    """
    axes = best_axes(surface.stored, shown)
    kind = f"normal holds {axes_said(axes)} where (x, y, z) is meant"
    candidates = [Encoding(kind, f"convert the codes: {AXES}", shown @ axes.T)]
    if camera is not None:
        in_world = shown @ (camera.rotation @ CAMERA_AXES).T
        world = best_axes(surface.stored, in_world)
        kind = f"normal holds {axes_said(world)} of the world where the camera's axes are meant"
        cure = f"turn vectors into the camera's axes: {AXES}"
        candidates.append(Encoding(kind, cure, in_world @ world.T))
        # few encodings exchange what points away with what lies in the picture; a world does
        if not axes[2, 2]:
            candidates.reverse()
    yield from candidates


def best_axes(stored: Floats, shown: Floats) -> Floats:
    """Returns [3, 3], the member of `ALL_AXES` by which `shown` [n, 3] comes nearest to
    `stored`.
    """
    # the mean cosine of each is a sum over nine numbers
    covariance = stored.T @ shown
    axes: Floats = ALL_AXES[np.einsum("nij,ij->n", ALL_AXES, covariance).argmax()]
    return axes


def axes_said(axes: Floats) -> str:
    """Returns axes [3, 3], of which a row has one entry of 1 or -1, as text, such as (x, -y, z)."""
    places = abs(axes).argmax(1).tolist()
    signs = ["-" if row[place] < 0 else "" for row, place in zip(axes, places)]
    return "({})".format(", ".join(sign + "xyz"[place] for sign, place in zip(signs, places)))


def best_turn(stored: Floats, shown: Floats) -> Floats:
    """Returns the [3, 3] orthogonal matrix that brings `shown` [n, 3] nearest to `stored` on
    average.
    """
    left, _, right = np.linalg.svd(stored.T @ shown)
    turn: Floats = left @ right
    return turn


def other_depths(surface: Surface) -> Iterator[Encoding]:
    """Yields the encodings of depth and angle: distances along the ray in place of those along the
    axis or the other way round, and angles that are half or twice the camera's.
    """
    folder, other = "depth_zbuffer", "depth_euclidean"
    measured = "pixel's ray"
    if not surface.along:
        folder, other, measured = other, folder, "camera's axis"
    kind = f"{folder} holds distances along the {measured}"
    shown = surface.shown(along=not surface.along)
    yield Encoding(kind, f"they belong into {other}", shown, EXPLAINED)
    for times, word in ((2, "half"), (0.5, "twice")):
        # a picture is flat: it shows less than half a turn
        if surface.angle * times < np.pi - 0.1:
            kind = f"field_of_view_rads is {word} the angle that depth and normals show"
            shown = surface.shown(angle=surface.angle * times)
            cure = "it is the full angle of the square picture, in radians"
            yield Encoding(kind, cure, shown, EXPLAINED)


def turned_maps(surface: Surface) -> Iterator[Encoding]:
    """Yields the encodings in which depth is mirrored, or turned by quarters, against the
    normals.
    """
    for turns in range(4):
        for mirrored in (False, True):
            if turns or mirrored:
                depth = np.rot90(surface.depth[:, ::-1] if mirrored else surface.depth, turns)
                how = turned_said(turns, mirrored)
                kind = f"of normal and depth one is {how} against the other"
                cure = "write every map of a view as its picture lies"
                yield Encoding(kind, cure, surface.shown(depth=depth))


def turned_said(turns: int, mirrored: bool) -> str:
    """Returns in words how a map is mirrored left to right, then turned left by quarters."""
    if mirrored and turns == 2:
        return "upside down, mirrored"
    turned = f"turned by {90 * turns} degrees" if turns else ""
    return " and ".join(filter(None, ("mirrored" if mirrored else "", turned)))
