"""Sides are those of the networks; what is not reached is said with what is."""

import dataclasses

import keras
import pytest
from tiny_store import TINY

from models.networks.architecture.encoders import build_encoder
from models.networks.architecture.heads import build_head, paper_decoder
from models.networks.architecture.sides import answer_side, grid_side, nearest_sides, reaches_labels
from models.networks.config import NetworkConfig
from models.tasks import TASKS

MAPS = {1: TASKS["depth_zbuffer"], 4: TASKS["colorization"]}


@pytest.mark.parametrize(
    ("encoder_widths", "decoder_widths"), [((2,) * 4, (2,) * 3), ((2,) * 2, (2,)), ((2,), (2, 2))]
)
def test_sides_of_lean_networks_are_those_that_keras_gives(encoder_widths, decoder_widths):
    config = dataclasses.replace(TINY, encoder_widths=encoder_widths, decoder_widths=decoder_widths)
    encoder = build_encoder(config, 3, "encoder")
    for size in (8, 20, 32, 33, 36, 37, 52, 100):
        shape = encoder.compute_output_shape((None, size, size, 3))[1:]
        assert grid_side(config, size) == shape[0]
        for scale, task in MAPS.items():
            head = build_head(task, config, shape, 1, size)
            assert answer_side(config, size, scale) == head.output_shape[1]


def test_sides_of_the_papers_networks_are_those_that_keras_gives():
    config = NetworkConfig()
    encoder = build_encoder(config, 3, "encoder")
    for size in (256, 100):
        side = encoder.compute_output_shape((None, size, size, 3))[1]
        assert grid_side(config, size) == side
        for scale, task in MAPS.items():
            maps = paper_decoder(keras.Input((side, side, 1)), task)
            assert answer_side(config, size, scale) == maps.shape[1]


def test_the_nearest_sides_are_reached():
    assert reaches_labels(TINY, 32) and not reaches_labels(TINY, 33)
    assert nearest_sides(TINY, 100) == [96, 104]
    assert nearest_sides(TINY, 3) == [4]
