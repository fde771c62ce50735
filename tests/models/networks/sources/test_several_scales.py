"""Maps of several layers on one grid weigh alike, and a control that is drawn anew has maps of
their size.
"""

import keras
import numpy as np
import pytest

from models.networks.sources.description import OutsideSource
from models.networks.sources.register import drawn_anew
from models.networks.sources.several_scales import made_up_pictures, several_scales

SIDE = 32


@pytest.fixture(scope="module")
def encoder():
    """maps of 16 and 8 cells a side, the second of a thousand times the size."""
    keras.utils.set_random_seed(0)
    pictures = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Conv2D(4, 3, 2, "same", activation="relu", name="first")(pictures)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Conv2D(6, 3, 2, "same", name="second")(x)
    model = keras.Model(pictures, x)
    model.get_layer("second").kernel.assign(model.get_layer("second").kernel * 1000)
    return several_scales(model, ("first", "second"), 8, made_up_pictures(4, SIDE))


def sizes(model, pictures):
    maps = np.asarray(model.predict_on_batch(pictures))
    assert maps.shape[1:] == (8, 8, 10)
    return [float(np.sqrt((part**2).mean())) for part in (maps[..., :4], maps[..., 4:])]


def test_every_layer_weighs_alike(encoder):
    np.testing.assert_allclose(sizes(encoder, made_up_pictures(4, SIDE)), 1, rtol=1e-3)


def test_a_control_takes_its_own_statistics(encoder, tmp_path):
    encoder.save(tmp_path / "encoder.keras")
    source = OutsideSource("hed", "keras", "encoder.keras", "", size=SIDE)
    control = drawn_anew(tmp_path / "encoder.keras", source, 3)
    side_set = sizes(control, made_up_pictures(16, SIDE, 3))
    assert all(0.5 < size < 3 for size in side_set)
    assert control.get_layer("norm").momentum == encoder.get_layer("norm").momentum
    assert not np.allclose(control.get_layer("norm").moving_variance, 1)


def test_maps_that_do_not_fit_the_grid_are_refused(encoder):
    model = keras.Model(encoder.inputs, encoder.get_layer("first").output)
    with pytest.raises(ValueError, match="16 cells"):
        several_scales(model, ("first",), 7, made_up_pictures(1, SIDE))
