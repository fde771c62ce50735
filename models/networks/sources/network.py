"""A source from outside as a network that is served: pictures to raw codes, as they were encoded
when transfers were measured.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from models.networks.sources.description import DESCRIBED, read_source
from models.networks.sources.encoders import Reduced, features_model

# Folder of such networks beside the transfer networks of a policy.
OUTSIDE = "sources"
# Of an encoded source's folder, beside the file of the encoder: what a network is read from.
PARTS = (DESCRIBED, "source.json", "reduction.npz")


@dataclass(frozen=True)
class OutsideNetwork:
    """A source from outside, which has no task and so no head. encoder: [B, S, S, 3] in [0, 1] ->
    [B, h, w, c].
    """

    encoder: Any
    task: None = None
    head: None = None


def files_of(folder: str | Path) -> list[str]:
    """Returns the names of the files that `load_outside_network` reads."""
    return [*PARTS, read_source(folder).file]


def load_outside_network(folder: str | Path, size: int) -> OutsideNetwork:
    """Loads a network that `encode_outside` wrote, for pictures of the side `size`."""
    folder = Path(folder)
    source = read_source(folder)
    grid = json.loads((folder / "source.json").read_text())["grid"]
    features = features_model(source, folder, size, grid)
    with np.load(folder / "reduction.npz") as file:
        reduced = Reduced(file["mean"], file["components"])
    codes = reduced(features.output)
    return OutsideNetwork(keras.Model(features.input, codes, name=source.name))
