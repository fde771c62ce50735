"""At paper size the networks are the paper's, to the parameter; answers have the shape the dictionary says."""

import keras
import pytest

from models.networks.encoders import build_encoder
from models.networks.heads import build_head
from models.networks.plan import NetworkConfig
from models.tasks import TASKS

PAPER = NetworkConfig()
LEAN = NetworkConfig(encoder="lean", encoder_widths=(4, 4, 4, 4), decoder_widths=(4, 4, 4), head_width=8, tile_size=16)


def trainable(model: keras.Model) -> int:
    return sum(int(weight.numpy().size) for weight in model.trainable_weights)


def test_the_paper_encoder_has_the_published_parameters_and_map():
    encoder = build_encoder(PAPER, 3, "encoder")
    assert trainable(encoder) == 23_655_504
    assert encoder.compute_output_shape((None, 256, 256, 3)) == (None, 16, 16, 8)


@pytest.mark.parametrize(
    "name, parameters",
    [
        ("depth_zbuffer", 16_453_009),
        ("normal", 16_453_299),
        ("segment_semantic", 16_455_329),
        ("segment_unsup2d", 16_462_144),
        ("colorization", 25_527_865),
        ("class_object", 6_247_400),
        ("room_layout", 4_216_841),
        ("fixated_pose", 8_404_998),
        ("nonfixated_pose", 12_603_398),
    ],
)
def test_the_paper_heads_have_the_published_parameters(name, parameters):
    assert trainable(build_head(TASKS[name], PAPER, (16, 16, 8), TASKS[name].images, 256)) == parameters


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if task.trained])
def test_a_lean_head_answers_in_the_shape_of_its_task(name):
    task = TASKS[name]
    images = 9 if task.input == "tiles" else task.images
    side = 2 if task.input == "tiles" else 8
    head = build_head(task, LEAN, (side, side, 8), images, 64)
    assert head.output_shape[1:] == task.output.shape(64)
