"""Every size and schedule of networks and transfers, in one frozen value. The numbers of the paper stand in `tfx_pipeline/config.py`."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, fields
from pathlib import Path

ENCODERS = ("resnet50", "lean")


@dataclass(frozen=True)
class NetworkConfig:
    """encoder: "resnet50" (the paper's, stride 16) or "lean" (stride 8, `encoder_widths` a stage). representation_channels: of the map that transfers read.

    decoder_widths: lean decoder, one upsampling stage each. head_width: hidden units of vector and class heads. steps: optimiser steps of a task
    network; batch: samples a step (multi-image tasks divide it by their images); learning_rate: Adam, cosine decay to zero; weight_decay: decoupled.
    tile_size: side of a jigsaw tile in pixels. random_features: ReLU features a source in the closed-form readout; output_stride: the readout
    answers maps at 1/output_stride of the image and enlarges them. ridges: strengths tried, relative to the mean square of the features.
    transfer_split: which split transfers learn from (the paper: val; task networks learn from train). transfer_images: at most so many.
    transfer_order: 1 or 2, all subsets of that many sources are measured. calibration_targets: targets for which `calibration_sources` first-order transfers
    are also trained by gradient, with two seeds and for at most `calibration_epochs`, to see how far the closed form can be trusted;
    none if 0. seed: of everything random.
    """

    encoder: str = "resnet50"
    encoder_widths: tuple[int, ...] = ()
    representation_channels: int = 8
    decoder_widths: tuple[int, ...] = ()
    head_width: int = 2048
    steps: int = 121_300
    batch: int = 32
    learning_rate: float = 1e-4
    weight_decay: float = 2e-6
    tile_size: int = 256
    random_features: int = 512
    output_stride: int = 1
    ridges: tuple[float, ...] = (1e-3, 1e-2, 1e-1, 1.0)
    transfer_split: str = "val"
    transfer_images: int = 16_000
    transfer_order: int = 2
    calibration_targets: int = 0
    calibration_sources: int = 12
    calibration_epochs: int = 60
    seed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            if isinstance(getattr(self, field.name), list):  # JSON has no tuples
                object.__setattr__(self, field.name, tuple(getattr(self, field.name)))
        if self.encoder not in ENCODERS:
            raise ValueError(f"encoder is one of {', '.join(ENCODERS)}; got {self.encoder!r}")
        if self.encoder == "lean" and not (self.encoder_widths and self.decoder_widths):
            raise ValueError("the lean encoder needs encoder_widths and decoder_widths, e.g. (12, 24, 48, 80) and (48, 24, 16)")
        for name in ("representation_channels", "head_width", "steps", "batch", "tile_size", "output_stride", "transfer_images"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is at least 1, got {getattr(self, name)}")
        if self.transfer_order not in (1, 2) or not self.ridges or min(self.ridges) <= 0:
            raise ValueError(f"transfer_order is 1 or 2 and ridges are positive; got {self.transfer_order}, {self.ridges}")


@functools.cache
def sources_of(*modules: str) -> str:
    """12 hex digits over the sources of modules of this room: part of every ledger address, since other code gives other numbers."""
    digest = hashlib.sha256()
    for module in modules:
        digest.update((Path(__file__).parent / f"{module}.py").read_bytes())
    return digest.hexdigest()[:12]
