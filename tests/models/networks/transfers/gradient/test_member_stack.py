"""A member of a stack learns exactly what it would learn alone."""

from collections.abc import Callable

import keras
import numpy as np
import pytest

from models.networks.losses.losses import LOSSES
from models.networks.transfers.gradient import member_stack
from models.networks.transfers.gradient.member_stack import MemberAdam, MemberStack

Make = Callable[[], keras.Model]
RNG = np.random.default_rng(0)
MAPS = RNG.normal(size=(8, 3, 4, 4, 2)).astype("float32")
TARGET, MASK = RNG.normal(size=(8, 4, 4, 1)).astype("float32"), np.ones((8, 4, 4, 1), "float32")


def template() -> keras.Model:
    layers = keras.layers
    # No bias before the batch norm, as in the decoders: its gradient is rounding alone, which Adam
    # scales up to whole steps.
    flat = layers.Conv2D(4, 3, padding="same", use_bias=False)
    return keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            flat,
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(1, 1),
        ]
    )


def dense_template() -> keras.Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            layers.Flatten(),
            layers.Dense(5, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.2),
            layers.Dense(16),
            layers.Reshape((4, 4, 1)),
        ]
    )


def curves(slots: list[int], seeds: list[int], steps: int = 4, make: Make = template) -> np.ndarray:
    """[step, member] mean losses after each step."""
    stack = MemberStack(make(), np.array(slots)[:, None], LOSSES["l2"], seeds)
    stack.compile(optimizer=MemberAdam(1e-2, member_clipnorm=0.1))
    stack.optimizer.build(stack.trainable_variables)
    made = []
    for _ in range(steps):
        stack.fit(
            (MAPS, TARGET, MASK), np.zeros(8), batch_size=8, epochs=1, shuffle=False, verbose=0
        )
        # by a program too: without one the members of dense layers are traced at every call
        made.append(stack.predict_on_batch((MAPS, TARGET, MASK)).mean(0))
    return np.stack(made)


@pytest.mark.parametrize("make", [template, dense_template])
def test_a_member_s_curve_does_not_depend_on_who_shares_the_stack(make):
    together = curves([0, 1, 2], [5, 6, 7], make=make)
    for member in range(3):
        np.testing.assert_allclose(
            curves([member], [5 + member], make=make)[:, 0], together[:, member], rtol=1e-5
        )


@pytest.mark.parametrize("make", [template, dense_template])
def test_a_member_s_curve_equals_stock_keras(make):
    model = make()  # built before the seed is set: building draws from it
    keras.utils.set_random_seed(6)
    alone = keras.models.clone_model(model)
    alone.compile(optimizer=keras.optimizers.Adam(1e-2, clipnorm=0.1), loss="mse")
    made = []
    for _ in range(4):
        alone.fit(MAPS[:, 1], TARGET, batch_size=8, epochs=1, shuffle=False, verbose=0)
        made.append(float(np.mean((np.asarray(alone(MAPS[:, 1])) - TARGET) ** 2)))
    np.testing.assert_allclose(curves([0, 1], [5, 6], make=make)[:, 1], made, rtol=1e-5)


def test_dense_members_are_multiplied_in_one_loopless_program(monkeypatch):
    def no_loop(*arguments):
        raise AssertionError("members of dense layers alone were looped over")

    monkeypatch.setattr(member_stack.ops, "map", no_loop)
    assert np.isfinite(curves([0, 1], [5, 6], steps=1, make=dense_template)).all()
    with pytest.raises(AssertionError, match="looped over"):
        curves([0, 1], [5, 6], steps=1)


def test_one_seed_a_member():
    with pytest.raises(ValueError, match="one seed a member"):
        MemberStack(template(), np.zeros((2, 1)), LOSSES["l2"], [1])
