"""Every size and schedule of networks and transfers, in one frozen value. The numbers of the paper
stand in `tfx_pipeline/config.py`.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, field, fields
from pathlib import Path

from models.provenance.address import NO_RESULT
from models.tasks import TASKS

ENCODERS = ("resnet50", "lean")
COUNTS = (
    "representation_channels",
    "head_width",
    "steps",
    "trainers",
    "feeders",
    "batch",
    "tile_size",
    "output_stride",
    "transfer_images",
    "transfer_order",
    "regime_order",
    "transfer_epochs",
    "transfer_batch",
    "stack_members",
)
CHOICES = {
    "encoder": ENCODERS,
    "recipe": ("shared", "published"),
    "schedule": ("cosine", "step"),
    "precision": ("float32", "mixed_bfloat16", "mixed_float16"),
    "higher_orders": ("all_pairs", "published"),
    "learner": ("closed_form", "gradient"),
}


@dataclass(frozen=True)
class NetworkConfig:
    """encoder: "resnet50" (the paper's, stride 16) or "lean" (stride 8, `encoder_widths` a stage).
    representation_channels: of the map that transfers read.

    decoder_widths: lean decoder, one upsampling stage each. head_width: hidden units of vector and
    class heads. steps: optimiser steps of a task network; shares: (task, share of these steps) in
    the "shared" recipe, 1 where a task is not named; augment: mirrored, relit and newly shuffled
    training samples (`augmentation.py`); trainers: networks trained at a time, a process each, on
    as many shares of the cores, and sets of sources measured at a time in closed form, a thread
    each (memory grows with it). batch: samples a step (of one, two or three images); learning_rate:
    Adam, the highest of the schedule; weight_decay: of kernels ("shared": of all variables).
    recipe: "published" (batch, decay in the loss and clipping of each task as released, colours
    rebalanced) or "shared" (one Adam for all, `recipes.py`). schedule: "cosine" to zero, or "step":
    a tenth after step decay_after. precision: "float32", "mixed_bfloat16" or "mixed_float16" (with
    loss scaling); weights are kept, and answers given, in float32. adversarial: train the 13 map
    tasks against a discriminator too, after warm_up steps. checkpoint_seconds: at most so often a
    network in training is saved. feeders: threads that make batches; jit: XLA. tile_size: side of a
    jigsaw tile in pixels. random_features: ReLU features a source in the closed-form readout;
    output_stride: the readout answers maps at 1/output_stride of the image and enlarges them.
    ridges: strengths tried, relative to the mean square of the features. transfer_split: which
    split transfers learn from (the paper: val; task networks learn from train). transfer_images: at
    most so many. transfer_order: most sources of a transfer. higher_orders: "all_pairs", and sets
    of three and more by the published rule (`candidates.py`), or "published", pairs by that rule
    too. regimes: smaller amounts of teaching images, nested in `transfer_images`, that transfers of
    up to `regime_order` sources are measured with too. learner: "closed_form" or "gradient", what
    transfers are measured by. transfer_widths: channels of the small head that a map is then made
    by (`transfer_heads.py`); the target's own decoder if empty. transfer_epochs: most epochs of a
    transfer that is trained by gradient, at `transfer_rate` (of maps) or `vector_rate` (of vectors
    and classes) falling to zero, `transfer_batch` samples a step; regime_epochs: the same of
    smaller regimes, 0: as many; stack_members: transfers that are trained as one at most (memory
    grows with it). policy_epochs: most epochs of the chosen policy's edges, which are trained by
    gradient too and keep the better learner; 0 keeps the closed form, unless transfers were
    measured by gradient: then as many as those took. calibration_targets: targets for which
    `calibration_sources` first-order transfers are also trained by gradient, with two seeds and for
    at most `calibration_epochs`, to see how far the closed form can be trusted; none if 0. seed: of
    everything random.
    """

    encoder: str = "resnet50"
    encoder_widths: tuple[int, ...] = ()
    representation_channels: int = 8
    decoder_widths: tuple[int, ...] = ()
    head_width: int = 2048
    steps: int = 121_300
    shares: tuple[tuple[str, float], ...] = ()
    augment: bool = False
    trainers: int = field(default=1, metadata=NO_RESULT)
    batch: int = 32
    learning_rate: float = 1e-4
    weight_decay: float = 2e-6
    recipe: str = "shared"
    schedule: str = "cosine"
    decay_after: int = 80_000
    precision: str = "float32"
    adversarial: bool = False
    warm_up: int = 25_000
    checkpoint_seconds: float = field(default=300.0, metadata=NO_RESULT)
    feeders: int = field(default=1, metadata=NO_RESULT)
    jit: bool = False
    tile_size: int = 256
    random_features: int = 512
    output_stride: int = 1
    ridges: tuple[float, ...] = (1e-3, 1e-2, 1e-1, 1.0)
    transfer_split: str = "val"
    transfer_images: int = 16_000
    transfer_order: int = 2
    higher_orders: str = "all_pairs"
    regimes: tuple[int, ...] = ()
    regime_order: int = 1
    learner: str = "closed_form"
    transfer_widths: tuple[int, ...] = ()
    transfer_rate: float = 1e-4
    vector_rate: float = 1e-4
    transfer_batch: int = 32
    transfer_epochs: int = 30
    regime_epochs: int = 0
    stack_members: int = 26
    policy_epochs: int = 0
    calibration_targets: int = 0
    calibration_sources: int = 12
    calibration_epochs: int = 60
    seed: int = 0

    @property
    def edge_epochs(self) -> int:
        """most epochs of an edge that is trained by gradient; 0: none is."""
        return self.policy_epochs or (self.transfer_epochs if self.learner == "gradient" else 0)

    def __post_init__(self) -> None:
        for entry in fields(self):
            if isinstance(getattr(self, entry.name), list):  # JSON has no tuples
                object.__setattr__(
                    self,
                    entry.name,
                    tuple(
                        tuple(value) if isinstance(value, list) else value
                        for value in getattr(self, entry.name)
                    ),
                )
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{name} is one of {', '.join(allowed)}; got {getattr(self, name)!r}"
                )
        if self.encoder == "lean" and not (self.encoder_widths and self.decoder_widths):
            raise ValueError(
                "the lean encoder needs encoder_widths and decoder_widths, e.g. (12, 24, 48, "
                "80) and (48, 24, 16)"
            )
        for name in COUNTS:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is at least 1, got {getattr(self, name)}")
        if any(name not in TASKS or not share > 0 for name, share in self.shares):
            raise ValueError(
                f"shares are pairs of a task's name and a positive number, got {self.shares}"
            )
        if not self.ridges or min(self.ridges) <= 0:
            raise ValueError(f"ridges are positive; got {self.ridges}")
        if not all(0 < amount < self.transfer_images for amount in self.regimes):
            raise ValueError(
                "regimes are amounts of images below transfer_images "
                f"({self.transfer_images}); got {self.regimes}"
            )


@functools.cache
def sources_of(*modules: str) -> str:
    """12 hex digits over the sources of modules of this room: part of every ledger address, since
    other code gives other numbers.
    """
    digest = hashlib.sha256()
    for module in modules:
        digest.update((Path(__file__).parent / f"{module}.py").read_bytes())
    return digest.hexdigest()[:12]
