"""Reads what an answer says in numbers: magnitudes with their unit, likeliest classes, and whether
it says more than a constant would.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from models.tasks import TASKS, Task
from models.tasks.arrays import Array, Bytes, Floats
from serving.bundle.class_names import channel_names
from serving.bundle.published_codes import FARTHEST_SURFACE, metres_of, per_metre

SHOWN = (
    2,
    98,
)  # percentiles of a map that its colours span: one wrong pixel does not grey the rest
# "edge magnitude, 0 to 0.08 as [-1, 1]": how entries write the unit of a stretched magnitude
STRETCHED = re.compile(r"(?P<unit>[^,]+), 0 to (?P<high>[0-9.]+) as \[-1, 1\]")
# Spread of a network's own numbers (between the percentiles above) below which a map says no more
# than a constant. Ranges: [-1, 1], for curvature deviations of the label, for depth 1 / 11 of e.
LEAST_SPREAD = {"depth": 0.01, "curvature": 0.1}
LEAST_PIXEL_SPREAD = 0.05
LEAST_CODES = 8  # of 255: least spread of a picture's own channels, which a camera's noise fills
ALIKE = 0.02  # mean difference of two pictures, a share of the range, that nobody sees
LEAST_LEAD = 1.5  # how many times an even share the likeliest class has at least


@dataclass(frozen=True)
class Magnitude:
    """A map of one number a pixel. value: [S, S] in `unit`. low, high: the range that colours span.
    full: the range of the task's labels, None where it has no end.
    """

    value: Floats
    unit: str
    low: float
    high: float
    full: tuple[float, float] | None = None


def stretched(entry: Task) -> tuple[str, float] | None:
    """Returns (unit, largest magnitude) of a task whose labels are a magnitude as [-1, 1], else
    None.
    """
    match = STRETCHED.match(entry.unit)
    return (match["unit"], float(match["high"])) if match else None


def magnitude(entry: Task, value: Floats) -> Magnitude:
    """Returns the magnitudes of an answer [S, S, 1] to a task of pixels with one channel, in the
    unit that its figure shows.
    """
    own = np.asarray(value[..., 0], "float64")
    if entry.make == "depth":
        metres = metres_of(own)
        # beyond: windows and the like, which would stretch the scale
        surface = metres[metres < FARTHEST_SURFACE]
        low, high = percentiles(surface if surface.size else metres)
        return Magnitude(metres, "metres", low, high)
    scale = stretched(entry)
    if scale is None:
        low, high = percentiles(own)
        return Magnitude(own, entry.unit, low, high)
    unit, most = scale
    amount = np.maximum((own + 1) / 2, 0) * most  # a network may answer a little less than nothing
    low, high = percentiles(amount)
    return Magnitude(amount, unit, low, high, (0.0, most))


def percentiles(value: Floats) -> tuple[float, float]:
    """Returns the percentiles `SHOWN` of a map [...]."""
    low, high = (float(number) for number in np.percentile(value, SHOWN))
    return low, high


def constant_words(entry: Task, value: Array) -> str:
    """Returns what the answer says everywhere, where it is nearly the same everywhere; "" where it
    is not, and for kinds of which that cannot be said. value: [S, S, C], or logits [K].
    """
    # by the softmax: logits have no range
    if entry.output.kind == "classes":
        share = float(shares_of(value).max())
        even = LEAST_LEAD / entry.output.channels
        return "no class stands out" if share < even else ""
    if entry.output.kind != "pixels" or spread(value) >= least_spread(entry):
        return ""
    return f"nearly the same everywhere{number_words(entry, value)}"


def one_colour_words(photo: Bytes) -> str:
    """Returns words that warn of a picture, uint8 [H, W, 3], of one colour: a black one is answered
    as any other. "" for other pictures.
    """
    if spread(photo) >= LEAST_CODES:
        return ""
    return "the picture is nearly one colour, and shows little to answer about"


def spread(value: Array) -> float:
    """Returns the spread of that channel of a map [S, S, C] that varies most, between the
    percentiles `SHOWN`.
    """
    # the channel that varies most speaks for all: colours may be constant in one of them
    low, high = np.percentile(value.reshape(-1, value.shape[-1]), SHOWN, axis=0)
    return float((high - low).max())


def least_spread(entry: Task) -> float:
    return LEAST_SPREAD.get(entry.make, LEAST_PIXEL_SPREAD)


def number_words(entry: Task, value: Array) -> str:
    """Returns the typical number of a map [S, S, C] as words, such as ": 2.31 metres"; "" for
    colours and directions.
    """
    if entry.make == "curvature":
        one, two = np.median(per_metre(value).reshape(-1, 2), axis=0)
        return f": {one:.2f} and {two:.2f} per metre"
    if entry.output.channels != 1:
        return ""
    amount = magnitude(entry, value)
    middle = f"{float(np.median(amount.value)):.3g}"
    if amount.full is None:
        return f": {middle} {amount.unit}"
    return f": {middle} of at most {amount.full[1]:g}"


def shares_of(logits: Array) -> Floats:
    """Returns [classes], the probabilities of logits."""
    # minus the largest: no exponential overflows, and shares stay the same
    shares = np.exp(logits - logits.max())
    return shares / shares.sum()


def likeliest(name: str, logits: Array, most: int = 5) -> list[tuple[str, float]]:
    """Returns (name, probability) of the likeliest classes of logits [K], the likeliest first."""
    shares = shares_of(logits)
    names = channel_names(name)
    return [(names[i], float(shares[i])) for i in np.argsort(-shares)[:most]]


def alike(name: str, value: Array, other: str, other_value: Array) -> bool:
    """Returns whether two answers, [S, S, 3] in [-1, 1] if they do, paint the picture itself, and
    nearly the same one.
    """
    entries = [TASKS.get(name), TASKS.get(other)]
    if any(entry is None or entry.make != "image" for entry in entries):
        return False
    # labels span [-1, 1]: half the difference is the share of the range
    return float(np.abs(value - other_value).mean() / 2) < ALIKE
