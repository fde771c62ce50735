"""How each task network is trained: batch, weight decay, clipping, adversarial share, and the
learning rate over time, as data.

Source: the released configurations (`taskbank/experiments/final/<task>/config.py`). What one of
them says of its own task alone is a field of the task's entry (`PublishedRecipe`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from models.networks.config import NetworkConfig
from models.tasks import Task

# Of kernels of dense heads (vectors and classes), as a multiple of 2e-6: 1e-4, the default of the
# released heads.
DENSE_DECAY = 50.0
# Deviation of the noise on what the discriminator sees, at first; of depth it is less.
NOISE = 0.1
DEPTH_NOISE = 0.03
# The task's own share of the loss beside the adversarial term (omega); of colours it is less.
NORM_SHARE = 0.996
COLOUR_NORM_SHARE = 0.99
SOFT_RATE = 0.5  # of networks that answer with probabilities, which are not learned standardised
RISING = 0.1  # share of a cosine schedule in which the rate rises


@dataclass(frozen=True)
class Recipe:
    """How one task network is trained."""

    # Steps of the optimiser.
    steps: int
    # Samples a step.
    batch: int
    # A step: of kernels if `coupled`, of every variable if not.
    weight_decay: float
    # Of the head's kernels, if `coupled`.
    head_decay: float
    # Is the decay part of the gradient (in the loss), or beside it (AdamW)?
    coupled: bool = False
    # Largest norm of one variable's gradient; None: no clipping.
    clip_variable: float | None = None
    # Largest norm of all gradients together; None: no clipping.
    clip_global: float | None = None
    # Is the loss of a map of classes divided by how many pixels have a weight (as slim does), in
    # place of the sum of their weights?
    counted: bool = False
    # Omega, the share of the task's own loss beside the adversarial term; 1: there is none.
    norm_share: float = 1.0
    # Deviation of the noise on what the discriminator sees, at first; the answer's units.
    instance_noise: float = NOISE


def recipe(task: Task, config: NetworkConfig) -> Recipe:
    """Returns the recipe of a task: "published", or "shared" by all tasks (short schedules)."""
    noise = DEPTH_NOISE if task.make == "depth" else NOISE
    if config.recipe == "published":
        published = task.published_recipe
        decay = config.weight_decay * published.decay
        alike = task.output.dense or published.head_decays_alike
        return Recipe(
            # as many epochs as the others: steps = 30 epochs x samples / batch
            steps=round(config.steps / published.batch),
            batch=max(1, round(config.batch * published.batch)),
            weight_decay=decay,
            head_decay=decay if alike else config.weight_decay * DENSE_DECAY,
            coupled=True,
            counted=task.output.kind == "pixel_classes",
            clip_variable=1.0 if published.clipped else None,
            norm_share=norm_share(task, config),
            instance_noise=noise,
        )
    return Recipe(
        steps=max(1, round(config.steps * dict(config.shares).get(task.name, 1))),
        batch=config.batch,
        weight_decay=config.weight_decay,
        head_decay=config.weight_decay,
        clip_global=5.0,
        norm_share=norm_share(task, config),
        instance_noise=noise,
    )


def norm_share(task: Task, config: NetworkConfig) -> float:
    """Returns omega of a task; 1 where it has no adversary."""
    if not (config.adversarial and adversarial(task)):
        return 1.0
    return COLOUR_NORM_SHARE if task.input == "lightness" else NORM_SHARE


def adversarial(task: Task) -> bool:
    """Returns whether it is one of the 13 tasks that the paper trains against a discriminator."""
    return task.output.facts.adversarial or task.input == "lightness"


def learning_rate(task: Task, config: NetworkConfig) -> Any:
    """Returns a Keras schedule: up from a tenth, then cosine to zero (half as high for
    probabilities); or a tenth after step `decay_after`. Returns a constant float if the rate never
    changes.
    """
    if config.schedule == "cosine":
        return cosine(task, config)
    if task.published_recipe.constant_rate:
        return config.learning_rate
    return keras.optimizers.schedules.PiecewiseConstantDecay(
        [config.decay_after], [config.learning_rate, config.learning_rate / 10]
    )


def cosine(task: Task, config: NetworkConfig) -> Any:
    """Returns a Keras schedule over the steps of the task's recipe."""
    soft = task.loss == "soft_cross_entropy"
    rate = config.learning_rate * (SOFT_RATE if soft else 1)
    steps = recipe(task, config).steps
    rising = round(steps * RISING)
    # Keras' warm-up begins at the initial rate
    return keras.optimizers.schedules.CosineDecay(
        rate / 10, steps - rising, warmup_target=rate, warmup_steps=rising
    )
