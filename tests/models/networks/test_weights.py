"""Weights are written and read as Keras does it, without a layer made for every layer."""

import keras
import numpy as np
import pytest
from keras.src.saving import saving_lib

from models.networks.weights import load_weights, remember_attributes, save_weights


def network(seed: int) -> keras.Model:
    """convolution, normalisation with running means, a model inside, dropout with its state."""
    keras.utils.set_random_seed(seed)
    inner = keras.Sequential([keras.layers.Dense(3), keras.layers.Dropout(0.5)])
    given = keras.Input((8, 8, 2))
    value = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3)(given))
    return keras.Model(given, inner(value))


@pytest.fixture
def as_keras_has_it(monkeypatch):
    """Keras without what an earlier test has put into it."""
    own = saving_lib.get_attr_skipset
    monkeypatch.setattr(saving_lib, "get_attr_skipset", getattr(own, "__wrapped__", own))


def equal(first: keras.Model, second: keras.Model) -> bool:
    return all(map(np.array_equal, first.get_weights(), second.get_weights()))


def test_keras_reads_what_we_write_and_we_read_what_keras_writes(as_keras_has_it, tmp_path):
    first, second, third = map(network, (1, 2, 3))
    assert not equal(first, second)
    first.save_weights(tmp_path / "keras.weights.h5")
    load_weights(second, tmp_path / "keras.weights.h5")
    assert equal(first, second)
    save_weights(second, tmp_path / "ours.weights.h5")
    # as another process would, that knows nothing of ours
    saving_lib.get_attr_skipset = saving_lib.get_attr_skipset.__wrapped__
    third.load_weights(tmp_path / "ours.weights.h5")
    assert equal(first, third)


@pytest.mark.parametrize("kind", ["Layer", "Functional", "Sequential"])
def test_the_attributes_that_are_remembered_are_those_that_keras_finds(as_keras_has_it, kind):
    attributes = set(saving_lib.get_attr_skipset(kind))
    remember_attributes()
    assert saving_lib.get_attr_skipset(kind) == attributes
    assert saving_lib.get_attr_skipset(kind) is saving_lib.get_attr_skipset(kind)


def test_no_layer_is_made_for_a_layer_that_is_read(as_keras_has_it, monkeypatch, tmp_path):
    model = network(1)
    save_weights(model, tmp_path / "a.weights.h5")
    made = []
    monkeypatch.setattr(keras.Layer, "__new__", counted(keras.Layer.__new__, made))
    load_weights(model, tmp_path / "a.weights.h5")
    assert made == []


def counted(new, made: list):
    def wrapper(kind, *arguments, **keywords):
        made.append(kind)
        return new(kind, *arguments, **keywords)

    return wrapper
