"""At paper size the networks are the paper's, to the parameter; answers have the shape the
dictionary says.
"""

import keras
import numpy as np
import pytest

from models.networks.architecture.heads import build_head
from models.networks.config import NetworkConfig
from models.tasks import TASKS

RNG = np.random.default_rng(0)

PAPER = NetworkConfig()
LEAN = NetworkConfig(
    encoder="lean",
    encoder_widths=(4, 4, 4, 4),
    decoder_widths=(4, 4, 4),
    head_width=8,
    tile_size=16,
)


def trainable(model: keras.Model) -> int:
    return sum(int(weight.numpy().size) for weight in model.trainable_weights)


@pytest.mark.parametrize(
    "name, parameters",
    [
        ("depth_zbuffer", 16_453_009),
        ("normal", 16_453_299),
        ("segment_semantic", 16_455_329),
        ("segment_unsup2d", 16_462_144),
        ("colorization", 25_527_865),
        ("class_object", 6_247_400),
        ("class_scene", 4_327_487),
        ("vanishing_point", 4_216_841),
        ("point_matching", 1_049_602),
        ("jigsaw", 42_156_132),
        ("room_layout", 4_216_841),
        ("fixated_pose", 8_404_998),
        ("nonfixated_pose", 12_603_398),
    ],
)
def test_the_paper_heads_have_the_published_parameters(name, parameters):
    images = 9 if TASKS[name].input == "tiles" else TASKS[name].images
    assert trainable(build_head(TASKS[name], PAPER, (16, 16, 8), images, 256)) == parameters


def test_egomotion_has_two_heads_of_three_layers_on_two_images_each():
    """The table's 7,348,230 a head is what three images' codes would take (6,144 inputs); by its
    own words a head reads two (4,096).
    """

    def layers(inputs):
        return inputs * 1024 + 1024 + 1024 * 1024 + 1024 + 1024 * 6 + 6

    assert layers(3 * 2048) == 7_348_230
    assert trainable(
        build_head(TASKS["egomotion"], PAPER, (16, 16, 8), 3, 256, composing=True)
    ) == 2 * layers(2 * 2048)


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if task.trained])
def test_a_lean_head_answers_in_the_shape_of_its_task(name):
    task = TASKS[name]
    images = 9 if task.input == "tiles" else task.images
    side = 2 if task.input == "tiles" else 8
    head = build_head(task, LEAN, (side, side, 8), images, 64)
    assert head.output_shape[1:] == task.output.shape(64)


@pytest.mark.parametrize("width", [1, 2, 4, 8, 16])
def test_a_lean_decoder_answers_at_the_size_of_the_image_from_any_map(width):
    head = build_head(TASKS["normal"], LEAN, (width, width, 8), 1, 16)
    assert head.output_shape[1:] == (16, 16, 3)


def test_the_pixels_that_a_wide_answer_makes_of_one_begin_alike():
    head = build_head(TASKS["segment_unsup25d"], LEAN, (4, 4, 8), 1, 16)
    answer = np.asarray(head(RNG.normal(size=(2, 4, 4, 8)).astype("float32")))
    blocks = answer.reshape(2, 8, 2, 8, 2, -1)
    np.testing.assert_allclose(blocks - blocks[:, :, :1, :, :1], 0, atol=1e-6)
    assert answer.std() > 0.01
