"""Are a server's answers the training graph's? Floats within a tolerance, pixel maps code by code,
from bytes and from floats.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.tasks import TASKS
from serving.bundle.forms import code_of, codes

TOLERANCE = 2e-3  # largest difference over the answer's spread
WRONG_PIXELS = (
    1e-3  # share of codes that may differ by more than one (an id: that may differ at all)
)


@dataclass(frozen=True)
class Difference:
    """Of one task. floats: largest difference over the spread of the stored answer, from bytes;
    images: the same from float images; pixels: share of map codes that differ by more than one
    (None: no map with a code to compare).
    """

    task: str
    floats: float
    images: float
    pixels: float | None

    @property
    def reason(self) -> str:
        """why not, in words; empty if it is near enough."""
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


def differences(client, bundle: str | Path) -> list[Difference]:
    """of every task whose answers to the probe images lie in the bundle. client: of a server on it.
    Raises FileNotFoundError without stored answers.
    """
    with np.load(Path(bundle) / "assets.extra" / "parity.npz") as stored:
        return [
            difference(client, key.removeprefix("answer_"), stored["probe"], stored[key])
            for key in stored.files
            if key != "probe"
        ]


def difference(client, name: str, probe: np.ndarray, wanted: np.ndarray) -> Difference:
    from models.examples.published import encode_png

    count, offered = TASKS[name].images, client.signatures()[name].outputs
    png = [encode_png(image) for image in probe]
    floats = probe.astype("float32") / 255
    map_output = (
        f"{name}_png_bytes"
        if f"{name}_png_bytes" in offered and code_of(TASKS[name]).kind != "directions"
        else None
    )
    served = client.predict(
        name,
        {"image_bytes": png if count == 1 else [png[:count]]},
        [name, *([map_output] if map_output else [])],
    )
    again = client.predict(
        f"{name}_images", {"images": floats if count == 1 else floats[None, :count]}, [name]
    )[name]
    pixels = None
    if map_output:
        pixels = wrong_share(
            name,
            np.stack([decoded(data) for data in served[map_output]]),
            np.asarray(codes(TASKS[name], wanted)),
        )
    return Difference(name, distance(served[name], wanted), distance(again, wanted), pixels)


def distance(served: np.ndarray, wanted: np.ndarray) -> float:
    """infinite for another shape or a value that is no number."""
    if served.shape != wanted.shape or not np.isfinite(served).all():
        return float("inf")
    return float(np.abs(served - wanted).max() / (np.ptp(wanted) + 1e-3))


def wrong_share(name: str, served: np.ndarray, wanted: np.ndarray) -> float:
    """share of pixels with a code that is off: by more than one, or for depth by more than the
    float tolerance allows at that distance.
    """
    if served.shape != wanted.shape:
        return 1.0
    code = code_of(TASKS[name])
    allowed = {"ids": 0.0, "depth": 1 + TOLERANCE * 11.1 * wanted}.get(
        code.kind, 1.0
    )  # 11.1: natural logarithm of 65536, depth is stored as one
    return float((np.abs(served.astype("float64") - wanted) > allowed).any(-1).mean())


def decoded(data: bytes) -> np.ndarray:
    """[H, W, c] of a PNG of 8 or 16 bits."""
    import cv2

    value = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return value[..., None] if value.ndim == 2 else value[..., ::-1]
