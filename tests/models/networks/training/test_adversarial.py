"""The adversarial term: each player learns from its own loss, in its own turn, and the
discriminator is the published one.
"""

import dataclasses

import keras
import numpy as np
import pytest
from tiny_store import TINY, TinyStore

from models.networks.task_networks.train import few_steps, train_task, trainer
from models.networks.training.adversarial import build_discriminator
from models.networks.training.batches import Batches
from models.networks.training.recipes import adversarial, learning_rate, recipe
from models.tasks import TASKS

CONFIG = dataclasses.replace(
    TINY, recipe="published", schedule="step", adversarial=True, warm_up=2, steps=6
)


def test_the_discriminator_has_the_published_parameters():
    assert (
        build_discriminator(6).count_params() - 2 * (128 + 256 + 512) == 3_140_801
    )  # "about 3.14 M", without running averages
    assert build_discriminator(4).compute_output_shape((None, 256, 256, 4)) == (None, 4, 4, 1)


def test_thirteen_tasks_have_an_adversary():
    assert sum(adversarial(task) for task in TASKS.values()) == 13


class Turns(keras.callbacks.Callback):
    """how far each player's weights move at each step."""

    def __init__(self) -> None:
        super().__init__()
        self.moved = []

    def snapshot(self):
        model = self.model
        return [
            np.concatenate([np.ravel(v) for v in part.trainable_variables])
            for part in (model.encoder, model.head, model.discriminator)
        ]

    def on_train_begin(self, logs=None):
        self.last = self.snapshot()

    def on_train_batch_end(self, batch, logs=None):
        now = self.snapshot()
        self.moved.append([float(np.abs(a - b).max()) for a, b in zip(now, self.last)])
        self.last = now


@pytest.mark.parametrize(("name", "steps"), [("normal", 6), ("colorization", 4)])
def test_the_players_take_turns_after_the_warm_up(name, steps, tmp_path):
    """six steps are a traced program, four are run one by one."""
    assert few_steps(dataclasses.replace(CONFIG, steps=4)) and not few_steps(CONFIG)
    turns, config = Turns(), dataclasses.replace(CONFIG, steps=steps)
    assert np.isfinite(
        train_task(TinyStore(), tmp_path / name, TASKS[name], config, callbacks=[turns])["loss"]
    )
    moved = np.array(turns.moved) > 0
    generator, rival = [True, True, False], [False, False, True]
    expected = [generator, generator, generator, rival, generator, rival]
    assert moved.tolist() == expected[:steps]


def test_no_gradient_reaches_the_wrong_player():
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients are taken with TensorFlow's tape here")
    _, model = trainer(TASKS["normal"], dataclasses.replace(CONFIG, warm_up=0), 32)
    batches = Batches(TinyStore(), TASKS["normal"], CONFIG)
    x, y, mask = batches[0]
    batches.close()
    with tf.GradientTape(persistent=True) as tape:
        fooled, judged = model.duel(x, tf.constant(y), model(x, training=True))
    for loss, own, other in (
        (fooled, model.encoder, model.discriminator),
        (judged, model.discriminator, model.encoder),
    ):
        assert all(gradient is None for gradient in tape.gradient(loss, other.trainable_variables))
        assert any(
            np.abs(gradient).max() > 0 for gradient in tape.gradient(loss, own.trainable_variables)
        )


def test_recipes_are_the_published_ones():
    paper = dataclasses.replace(CONFIG, batch=32, weight_decay=2e-6)
    batches = {
        name: recipe(task, paper).batch
        for name, task in TASKS.items()
        if recipe(task, paper).batch != 32
    }
    assert batches == {"fixated_pose": 16, "nonfixated_pose": 8, "egomotion": 8, "jigsaw": 4}
    assert recipe(TASKS["class_scene"], paper).weight_decay == pytest.approx(1e-5)
    assert recipe(TASKS["principal_curvature"], paper).weight_decay == pytest.approx(1e-6)
    assert [name for name, task in TASKS.items() if recipe(task, paper).clip_variable] == [
        "room_layout",
        "vanishing_point",
    ]
    assert (
        recipe(TASKS["colorization"], paper).norm_share == 0.99
        and recipe(TASKS["normal"], paper).norm_share == 0.996
    )
    assert recipe(TASKS["depth_zbuffer"], paper).instance_noise == 0.03


def test_the_rate_falls_to_a_tenth_after_step_80000():
    config = dataclasses.replace(CONFIG, learning_rate=1e-4)
    rate = learning_rate(TASKS["normal"], config)
    assert [float(rate(step)) for step in (0, 80_000, 80_001)] == pytest.approx([1e-4, 1e-4, 1e-5])
    assert learning_rate(TASKS["principal_curvature"], config) == 1e-4
