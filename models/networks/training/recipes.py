"""How each task network is trained: batch, weight decay, clipping, adversarial share, and the
learning rate over time, as data.

Source: the released configurations (specification, sections 2.4 and 2.5).
"""

from __future__ import annotations

from dataclasses import dataclass

import keras

from models.networks.config import NetworkConfig
from models.tasks import Task

# Published batches as shares of 32, weight decays as multiples of 2e-6; what is not named has 1.
BATCHES = {"fixated_pose": 1 / 2, "nonfixated_pose": 1 / 4, "egomotion": 1 / 4, "jigsaw": 1 / 8}
DECAYS = {"class_scene": 5.0, "principal_curvature": 0.5}
CLIPPED = ("room_layout", "vanishing_point")
CONSTANT_RATE = ("principal_curvature",)  # its configuration names no schedule
NOISE, DEPTH_NOISE = 0.1, 0.03
SOFT_RATE = 0.5  # of networks that answer with probabilities, which are not learned standardised
RISING = 0.1  # share of a cosine schedule in which the rate rises


@dataclass(frozen=True)
class Recipe:
    """steps: of the optimiser. batch: samples a step. weight_decay: of kernels. coupled: added to
    the gradient (decay in the loss) instead of decoupled (AdamW). clip_variable: largest norm of
    one variable's gradient, clip_global: of all together; None for no clipping. norm_share: omega,
    the task's own loss beside the adversarial term; 1 without one. instance_noise: deviation of the
    noise on what the discriminator sees, at first.
    """

    steps: int
    batch: int
    weight_decay: float
    coupled: bool = False
    clip_variable: float | None = None
    clip_global: float | None = None
    norm_share: float = 1.0
    instance_noise: float = NOISE


def recipe(task: Task, config: NetworkConfig) -> Recipe:
    """the recipe of a task: "published", or "shared" by all tasks (short schedules)."""
    share = (
        1.0
        if not (config.adversarial and adversarial(task))
        else 0.99
        if task.input == "lightness"
        else 0.996
    )
    noise = DEPTH_NOISE if task.make == "depth" else NOISE
    if config.recipe == "published":
        batch = max(1, round(config.batch * BATCHES.get(task.name, 1)))
        clip = 1.0 if task.name in CLIPPED else None
        return Recipe(
            config.steps,
            batch,
            config.weight_decay * DECAYS.get(task.name, 1),
            True,
            clip,
            None,
            share,
            noise,
        )
    steps = max(1, round(config.steps * dict(config.shares).get(task.name, 1)))
    return Recipe(steps, config.batch, config.weight_decay, False, None, 5.0, share, noise)


def adversarial(task: Task) -> bool:
    """is it one of the 13 tasks that the paper trains against a discriminator?"""
    return task.output.kind == "pixels" or task.input == "lightness"


def learning_rate(task: Task, config: NetworkConfig):
    """a Keras schedule: up from a tenth, then cosine to zero (half as high for probabilities); or a
    tenth after step `decay_after`.
    """
    if config.schedule == "cosine":
        rate, steps = (
            config.learning_rate * (SOFT_RATE if task.loss == "soft_cross_entropy" else 1),
            recipe(task, config).steps,
        )
        rising = round(steps * RISING)
        return keras.optimizers.schedules.CosineDecay(
            rate / 10, steps - rising, warmup_target=rate, warmup_steps=rising
        )
    if task.name in CONSTANT_RATE:
        return config.learning_rate
    return keras.optimizers.schedules.PiecewiseConstantDecay(
        [config.decay_after], [config.learning_rate, config.learning_rate / 10]
    )
