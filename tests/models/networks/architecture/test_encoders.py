"""The paper's encoder is the paper's, to the parameter; both kinds give non-negative maps."""

import numpy as np
import pytest

from models.networks.architecture.encoders import build_encoder
from models.networks.config import NetworkConfig

PAPER = NetworkConfig()
LEAN = NetworkConfig(encoder="lean", encoder_widths=(4, 4, 4, 4), decoder_widths=(4, 4, 4))


def test_the_paper_encoder_has_the_published_parameters_and_map():
    encoder = build_encoder(PAPER, 3, "encoder")
    assert sum(weight.numpy().size for weight in encoder.trainable_weights) == 23_655_504
    assert encoder.compute_output_shape((None, 256, 256, 3)) == (None, 16, 16, 8)


@pytest.mark.parametrize("stages, stride", [(3, 4), (4, 8)])
def test_every_stage_of_a_lean_encoder_but_the_last_halves_the_side(stages, stride):
    config = NetworkConfig(encoder="lean", encoder_widths=(4,) * stages, decoder_widths=(4,))
    shape = build_encoder(config, 1, "encoder").compute_output_shape((None, 32, 32, 1))
    assert shape == (None, 32 // stride, 32 // stride, 8)


def test_representations_are_not_negative():
    images = np.random.default_rng(0).uniform(-1, 1, (2, 16, 16, 3)).astype("float32")
    code = np.asarray(build_encoder(LEAN, 3, "encoder")(images))
    assert code.min() >= 0 and code.max() > 0
