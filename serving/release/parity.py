"""Checks whether a server's answers are the training graph's: floats within a tolerance, pixel maps
code by code, from bytes and from floats.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.tasks import TASKS
from models.tasks.arrays import Array, Bytes, Floats
from serving.bundle.assets import EXTRA, PARITY
from serving.bundle.forms import code_of, codes
from serving.bundle.published_codes import LOG_LEVELS
from serving.client.client import Client

TOLERANCE = 2e-3  # largest difference over the answer's spread
# share of codes that may differ by more than one (an id: that may differ at all)
WRONG_PIXELS = 1e-3


@dataclass(frozen=True)
class Difference:
    """How far a server's answer to one task is from the stored one. floats: largest difference over
    the spread of the stored answer, from bytes; images: the same from float images; pixels: share
    of map codes that differ by more than one (None: no map with a code to compare).
    """

    task: str
    floats: float
    images: float
    pixels: float | None

    @property
    def reason(self) -> str:
        """Why an answer is not near enough, in words; "" if it is."""
        # "not <=": NaN is no agreement either
        if not self.floats <= TOLERANCE:
            return (
                f"{self.task} differs from the Keras networks by {self.floats:.1e} of its spread, "
                f"more than {TOLERANCE:.0e}"
            )
        if not self.images <= TOLERANCE:
            return (
                f"{self.task} asked with float images differs from the Keras networks by "
                f"{self.images:.1e} of its spread, more than {TOLERANCE:.0e}"
            )
        if self.pixels is not None and not self.pixels <= WRONG_PIXELS:
            return (
                f"the PNG map of {self.task} differs from the Keras networks' in "
                f"{self.pixels:.2%} of its pixels, more than {WRONG_PIXELS:.1%}"
            )
        return ""


def differences(client: Client, bundle: str | Path) -> list[Difference]:
    """Returns the differences from the Keras networks, of every task whose answers to the probe
    images lie in the bundle. client: of a server on it. Raises FileNotFoundError without stored
    answers.
    """
    # the file stays open while it is asked: values are read one after the other
    with np.load(Path(bundle) / EXTRA / PARITY) as stored:
        return [
            difference(client, key.removeprefix("answer_"), stored["probe"], stored[key])
            for key in stored.files
            if key != "probe"
        ]


def difference(client: Client, name: str, probe: Bytes, expected: Floats) -> Difference:
    """Returns the difference for one task. probe: [3, S, S, 3] uint8; expected: the Keras networks'
    answer to it.
    """
    from models.examples.published import encode_png

    count = TASKS[name].images
    png = [encode_png(image) for image in probe]
    floats = probe.astype("float32") / 255
    map_output = comparable_map(client, name)
    answers = client.predict(
        name,
        {"image_bytes": png if count == 1 else [png[:count]]},
        [name, *([map_output] if map_output else [])],
    )
    # floats are asked for apart: decoding must not hide a fault of the graph, nor the other way
    # about
    views = floats if count == 1 else floats[None, :count]
    from_images = client.predict(f"{name}_images", {"images": views}, [name])[name]
    pixels = None
    if map_output:
        maps = np.stack([decoded(data) for data in answers[map_output]])
        # the codes of the Keras answer are made here, by the function that the graph holds
        pixels = wrong_share(name, maps, np.asarray(codes(TASKS[name], expected)))
    return Difference(
        name, distance(answers[name], expected), distance(from_images, expected), pixels
    )


def comparable_map(client: Client, name: str) -> str | None:
    """Returns the PNG output of `name`; None where none is served or its codes are only for looking
    at.
    """
    output = f"{name}_png_bytes"
    code = code_of(TASKS[name])
    is_served = output in client.signatures()[name].outputs
    # directions depend on the solver: their pictures may be turned
    return output if is_served and code is not None and code.kind != "directions" else None


def distance(answer: Array, expected: Array) -> float:
    """Returns the largest difference of an answer [...] from the expected one, over the spread of
    that; infinite for another shape or a value that is no number.
    """
    if answer.shape != expected.shape or not np.isfinite(answer).all():
        return float("inf")
    # over the spread of the answer: units differ; a thousandth more keeps constant answers
    # comparable
    return float(np.abs(answer - expected).max() / (np.ptp(expected) + 1e-3))


def wrong_share(name: str, answer: Array, expected: Array) -> float:
    """Returns the share of pixels of maps [..., C] whose code is off by more than one, or for depth
    by more than the float tolerance allows at that distance. Raises ValueError for a task without
    codes.
    """
    if answer.shape != expected.shape:
        return 1.0
    code = code_of(TASKS[name])
    if code is None:
        raise ValueError(f"expected a task whose maps have codes, got {name}")
    # a value between two codes may round either way
    allowed: Array | float = 1.0
    if code.kind == "ids":
        allowed = 0.0
    elif code.kind == "depth":  # stored as a logarithm: an error grows with the distance
        allowed = 1 + TOLERANCE * LOG_LEVELS * expected
    return float((np.abs(answer.astype("float64") - expected) > allowed).any(-1).mean())


def decoded(data: bytes) -> Array:
    """Returns the pixels [H, W, c] of a PNG of 8 or 16 bits."""
    value = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    # OpenCV's channels are blue, green, red
    return value[..., None] if value.ndim == 2 else value[..., ::-1]
