"""Every size and schedule of networks and transfers, in one frozen value. The numbers of the paper
stand in `tfx_pipeline/config.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from models.provenance.address import NO_RESULT
from models.tasks import TASKS

ENCODERS = ("resnet50", "lean")
COUNTS = (
    "representation_channels",
    "head_width",
    "steps",
    "trainers",
    "devices",
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
    "scratch_batch",
    "random_features",
    "calibration_sources",
    "calibration_epochs",
)
# Of these 0 has a meaning: none, at once, or as the comment of the field says.
FROM_ZERO = (
    "weight_decay",
    "decay_after",
    "warm_up",
    "checkpoint_seconds",
    "scratch_steps",
    "regime_epochs",
    "policy_epochs",
    "calibration_targets",
    "seed",
)
RATES = ("learning_rate", "transfer_rate", "vector_rate")
WIDTHS = ("encoder_widths", "decoder_widths", "transfer_widths")
CHOICES = {
    "encoder": ENCODERS,
    "recipe": ("shared", "published"),
    "schedule": ("cosine", "step"),
    "precision": ("float32", "mixed_bfloat16", "mixed_float16"),
    # never the test split: it judges what was learned
    "transfer_split": ("val", "train"),
    "higher_orders": ("all_pairs", "published"),
    "learner": ("closed_form", "gradient"),
}


@dataclass(frozen=True)
class NetworkConfig:
    """Raises ValueError where its fields contradict each other. Lists, as JSON gives them, become
    tuples.

    Three kinds of learning read it: task networks (trained on pixels), and transfers by either
    learner, in closed form (a solved readout) or by gradient (a trained head). Groups of fields say
    whose they are.
    """

    # The network itself: task networks, and the heads that transfers train by gradient.
    # "resnet50": the paper's, stride 16. "lean": every stage but the last halves the side.
    encoder: str = "resnet50"
    # Lean encoder: channels of each stage.
    encoder_widths: tuple[int, ...] = ()
    # Channels of the map that every transfer reads.
    representation_channels: int = 8
    # Lean decoder: channels of each upsampling stage.
    decoder_widths: tuple[int, ...] = ()
    # Hidden units of the heads of vectors and classes.
    head_width: int = 2048

    # How task networks are trained.
    # Optimiser steps of one network.
    steps: int = 121_300
    # (task, share of `steps`) under the "shared" recipe; 1 for a task that is not named.
    shares: tuple[tuple[str, float], ...] = ()
    # Samples mirrored, relit and newly shuffled (`training/augmentation.py`); the paper's are not.
    augment: bool = False
    # Networks trained at a time, a process each, on as many shares of the cores. In closed form:
    # sets of sources measured at a time, a thread each. Memory grows with it.
    trainers: int = field(default=1, metadata=NO_RESULT)
    # Devices (GPUs) that share every step of one network, or stack of transfers, trained by
    # gradient; of them as many as divide the batch (`training/devices.py`). No result: the losses
    # are those of one device to rounding.
    devices: int = field(default=1, metadata=NO_RESULT)
    # Samples a step, of one, two or three images each.
    batch: int = 32
    # Adam's: the highest of the schedule.
    learning_rate: float = 1e-4
    # A step: of kernels in the loss ("published"), of all variables beside it ("shared").
    weight_decay: float = 2e-6
    # "published": batch, decay and clipping of each task as released, colours rebalanced.
    # "shared": one for all tasks (`training/recipes.py`).
    recipe: str = "shared"
    # "cosine": falls to zero. "step": falls to a tenth after `decay_after` steps.
    schedule: str = "cosine"
    # Steps; read by the "step" schedule alone.
    decay_after: int = 80_000
    # What layers compute in; weights are kept, and answers given, in float32. "mixed_float16"
    # scales the loss.
    precision: str = "float32"
    # Are the 13 map tasks trained against a discriminator too?
    adversarial: bool = False
    # Steps before the discriminator's first turn.
    warm_up: int = 25_000
    # Seconds, at least, between two checkpoints of a network in training.
    checkpoint_seconds: float = field(default=300.0, metadata=NO_RESULT)
    # Who make batches, of each network in training: a thread if it is one, else processes.
    feeders: int = field(default=1, metadata=NO_RESULT)
    # Is a training step compiled by XLA?
    jit: bool = False
    # Shares of the train split, each below 1, on which every target's own network is trained anew
    # (`task_networks/label_shares.py`): each takes as many steps as their networks do.
    supervised_shares: tuple[float, ...] = ()
    # Side of a jigsaw tile as the encoder sees it, pixels.
    tile_size: int = 256

    # What both learners of transfers read.
    # The split that transfers learn from. The paper: validation; task networks learn from train.
    transfer_split: str = "val"
    # Views that teach a transfer, at most.
    transfer_images: int = 16_000
    # Sources of a transfer, at most.
    transfer_order: int = 2
    # "all_pairs": every pair, larger sets by the published rule (`transfers/candidates.py`).
    # "published": pairs by that rule too.
    higher_orders: str = "all_pairs"
    # Smaller amounts of teaching views, nested in `transfer_images`, measured beside it.
    regimes: tuple[int, ...] = ()
    # Sources of a transfer in these smaller regimes, at most.
    regime_order: int = 1
    # Optimiser steps of the target's own network from scratch on a regime's data, the control
    # beside transfers (`transfers/scratch.py`); all else as task networks are trained. 0: none is
    # trained, and no gain is known; a run of the pipeline, which counts what labels save against
    # it, takes 1 or more.
    scratch_steps: int = 15_000
    # In smaller regimes too?
    scratch_regimes: bool = True
    # Samples a step.
    scratch_batch: int = 32
    # Its channels, and hidden units, as a share of the task network's; 1 for resnet50.
    scratch_width: float = 1.0
    # "closed_form" or "gradient": what measures transfers.
    learner: str = "closed_form"
    # Maps are answered at 1/output_stride of the image's side and enlarged by repetition: in
    # closed form always, by gradient where `transfer_widths` are given.
    output_stride: int = 1

    # What only the closed form reads.
    # Random ReLU features of each source.
    random_features: int = 512
    # Strengths tried, relative to the mean square of the features.
    ridges: tuple[float, ...] = (1e-3, 1e-2, 1e-1, 1.0)

    # What only transfers by gradient read.
    # Channels of the small head of maps (`architecture/transfer_heads.py`); empty: the target's
    # own decoder, as in the paper.
    transfer_widths: tuple[int, ...] = ()
    # The released study's transfer function (two streams of convolutions) before the target's own
    # decoder; not before the small head of maps.
    transfer_function: bool = False
    # Adam's, of maps; falls to zero as a cosine.
    transfer_rate: float = 1e-4
    # Adam's, of vectors and classes; falls to zero as a cosine.
    vector_rate: float = 1e-4
    # Samples a step.
    transfer_batch: int = 32
    # Epochs of a transfer, at most.
    transfer_epochs: int = 30
    # Epochs in smaller regimes, at most; 0: `transfer_epochs`.
    regime_epochs: int = 0
    # Transfers trained as one, at most. Memory grows with it.
    stack_members: int = 26

    # Where both learners meet.
    # Epochs, at most, of the chosen policy's edges, which are also trained by gradient and keep
    # the better learner. 0: the closed form alone, or `transfer_epochs` where that learner was
    # chosen to measure by gradient (`edge_epochs`).
    policy_epochs: int = 0
    # Targets for which some first-order transfers are trained by gradient too, to see how far the
    # closed form can be trusted; 0: none.
    calibration_targets: int = 0
    # Transfers of each of these targets, at most; two seeds each.
    calibration_sources: int = 12
    # Epochs of each, at most.
    calibration_epochs: int = 60

    # Of everything random, in task networks and transfers.
    seed: int = 0

    @property
    def edge_epochs(self) -> int:
        """Returns the most epochs of an edge that is trained by gradient; 0: none is."""
        if self.policy_epochs or self.learner != "gradient":
            return self.policy_epochs
        return self.transfer_epochs

    def __post_init__(self) -> None:
        for entry in fields(self):
            object.__setattr__(self, entry.name, without_lists(getattr(self, entry.name)))
        check_choices(self)
        check_counts(self)
        check_numbers(self)
        check_lean_widths(self)
        check_shares(self)
        check_supervised_shares(self)
        check_ridges(self)
        check_regimes(self)
        check_scratch(self)


def without_lists(value: Any) -> Any:
    """Returns lists, and lists inside them, as tuples, which JSON does not have; anything else as
    it is.
    """
    return tuple(without_lists(part) for part in value) if isinstance(value, list) else value


def check_choices(config: NetworkConfig) -> None:
    for name, allowed in CHOICES.items():
        value = getattr(config, name)
        if value not in allowed:
            raise ValueError(f"{name} is one of {', '.join(allowed)}; got {value!r}")


def check_counts(config: NetworkConfig) -> None:
    for name in COUNTS:
        value = getattr(config, name)
        if value < 1:
            raise ValueError(f"{name} is at least 1, got {value}")


def check_numbers(config: NetworkConfig) -> None:
    for name in FROM_ZERO:
        value = getattr(config, name)
        # written so that NaN, of which every comparison is false, is refused too
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} is a number of at least 0, got {value}")
    for name in RATES:
        value = getattr(config, name)
        if not 0 < value < math.inf:
            raise ValueError(f"{name} is a number above 0, got {value}")
    for name in (*WIDTHS, "regimes"):
        values = getattr(config, name)
        # bool is an int to Python
        if not all(type(value) is int for value in values):
            raise ValueError(f"{name} are whole numbers, got {values}")
    for name in WIDTHS:
        widths = getattr(config, name)
        if not all(width >= 1 for width in widths):
            raise ValueError(f"{name} are numbers of channels of at least 1, got {widths}")


def check_lean_widths(config: NetworkConfig) -> None:
    if config.encoder != "lean":
        return
    if not (config.encoder_widths and config.decoder_widths):
        raise ValueError(
            "the lean encoder needs encoder_widths and decoder_widths, e.g. (12, 24, 48, "
            "80) and (48, 24, 16); got "
            f"{config.encoder_widths} and {config.decoder_widths}"
        )


def check_shares(config: NetworkConfig) -> None:
    for entry in config.shares:
        # JSON may hold anything in their place
        pair = isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str)
        if not pair or entry[0] not in TASKS or not is_share(entry[1]):
            raise ValueError(
                "shares are pairs of a task's name and a positive number, such as "
                f'[["depth_zbuffer", 2]], got {entry!r}; tasks: {", ".join(TASKS)}'
            )


def check_supervised_shares(config: NetworkConfig) -> None:
    shares = config.supervised_shares
    if not all(is_share(share) and share < 1 for share in shares) or len({*shares}) < len(shares):
        raise ValueError(
            "supervised_shares are shares of the train split, different ones between 0 and 1 such "
            f"as (0.125, 0.25, 0.5); got {shares}"
        )


def is_share(value: object) -> bool:
    """Returns whether a value is a positive number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def check_ridges(config: NetworkConfig) -> None:
    if not config.ridges or not all(0 < ridge < math.inf for ridge in config.ridges):
        raise ValueError(f"ridges are one or more positive numbers; got {config.ridges}")


def check_regimes(config: NetworkConfig) -> None:
    if not all(0 < amount < config.transfer_images for amount in config.regimes):
        raise ValueError(
            "regimes are amounts of images below transfer_images "
            f"({config.transfer_images}); got {config.regimes}"
        )


def check_scratch(config: NetworkConfig) -> None:
    if config.scratch_steps < 0:
        raise ValueError(f"scratch_steps is 0 or more, got {config.scratch_steps}")
    narrow = config.scratch_width < 1
    if not 0 < config.scratch_width <= 1 or (narrow and config.encoder != "lean"):
        raise ValueError(
            "scratch_width is a share in (0, 1], and 1 unless the encoder is lean; got "
            f"{config.scratch_width} with {config.encoder}"
        )
