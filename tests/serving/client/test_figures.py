"""Figures hold what they claim: depths in metres, segments that the embedding makes, classes with
their names.
"""

import io
import json

import numpy as np
import pytest
from PIL import Image
from synthetic import view

from models.examples.published import encode_png
from models.tasks import TASKS, target_names
from models.tasks.targets import target
from serving.bundle.class_names import class_names
from serving.client.answers import said, save_answers
from serving.client.drawing import SIGNED, coloured, palette
from serving.client.figures import (
    SIDE,
    figure,
    likeliest,
    metres_of,
    per_metre,
    photo_of,
    segments_of,
)

PHOTO = encode_png(view(0).rgb)


def answer(name: str) -> np.ndarray:
    """a made-up answer to any target task, in the form a network gives."""
    entry, rng = TASKS[name], np.random.default_rng(0)
    value = target(entry, [view(i) for i in range(entry.images)], rng)[0]
    if entry.output.kind == "pixel_classes":
        return np.eye(entry.output.channels, dtype="float32")[value[..., 0].astype(int)]
    return (
        rng.normal(size=entry.output.shape(32)).astype("float32")
        if entry.output.kind in ("embedding", "classes")
        else value
    )


@pytest.mark.parametrize("name", target_names())
def test_every_target_gives_a_figure_or_numbers(name):
    made = figure(name, answer(name), photo_of(PHOTO))
    if TASKS[name].output.kind == "vector":
        assert (
            made is None
            and len(said(name, answer(name), None)["numbers"]) == TASKS[name].output.channels
        )
    else:
        assert (
            made.dtype == "uint8"
            and made.shape[0] > SIDE
            and made.shape[1] > 1.5 * SIDE
            and len(np.unique(made.reshape(-1, 3), axis=0)) > 5
        )


def test_depth_answers_are_read_in_metres():
    np.testing.assert_allclose(
        metres_of(np.log1p(np.array([512.0, 1536.0])) / np.log(65536)), [1, 3], rtol=1e-6
    )
    made = said("depth_zbuffer", np.full((4, 4, 1), np.log1p(1024) / np.log(65536)), None)
    assert made["unit"] == "metre" and abs(made["middle"] - 2) < 1e-3


def test_windows_do_not_stretch_the_scale_of_depth():
    value = np.tile(np.log1p(np.linspace(512, 1024, 32)) / np.log(65536), (32, 1))[..., None]
    with_window = value.copy()
    with_window[:8, :8] = 1.0
    plain, seen = (
        figure("depth_zbuffer", value, photo_of(PHOTO)),
        figure("depth_zbuffer", with_window, photo_of(PHOTO)),
    )
    np.testing.assert_array_equal(plain[-SIDE:, -88:], seen[-SIDE:, -88:])


def test_curvature_follows_the_published_code():
    np.testing.assert_allclose(
        per_metre((np.array([[127.0, 127.0]]) - [123.572, 120.1]) / [31.922, 21.658]), 0, atol=1e-9
    )


def test_signed_scales_are_white_at_zero():
    assert (
        (coloured(np.zeros((1, 1)), -2, 2, "signed") > 235).all()
        and SIGNED[0, 2] > SIGNED[0, 0]
        and SIGNED[-1, 0] > SIGNED[-1, 2]
    )


def test_segments_are_found_again():
    ids = np.kron(np.arange(4).reshape(2, 2), np.ones((8, 8), int))
    centres = np.random.default_rng(0).normal(0, 5, (4, 6))
    found = segments_of(centres[ids] + np.random.default_rng(1).normal(0, 0.05, (16, 16, 6)))
    assert len({(a, b) for a, b in zip(ids.ravel(), found.ravel())}) == 4


def test_likeliest_classes_are_named_with_shares_that_fall():
    logits = np.zeros(63)
    logits[3], logits[7] = 5.0, 4.0
    found = likeliest("class_scene", logits)
    assert [word for word, _ in found[:2]] == [
        class_names("class_scene")[3],
        class_names("class_scene")[7],
    ]
    assert [share for _, share in found] == sorted((share for _, share in found), reverse=True)


def test_a_palette_has_no_two_colours_alike():
    assert len(np.unique(palette(17), axis=0)) == 17


def test_photos_are_cut_as_the_graph_cuts_them():
    buffer, wide = io.BytesIO(), np.zeros((20, 60, 3), "uint8")
    wide[:, 20:40] = 255
    Image.fromarray(wide).save(buffer, "PNG")
    assert (photo_of(buffer.getvalue()) == 255).all()


def test_answers_are_saved_as_files(tmp_path):
    saved = save_answers(
        {name: answer(name) for name in ("normal", "class_scene", "fixated_pose")}, tmp_path, PHOTO
    )
    assert [path.name for path in saved] == [
        "normal.png",
        "class_scene.png",
        "sheet.png",
        "answers.json",
    ]
    assert set(json.loads((tmp_path / "answers.json").read_text())) == {
        "normal",
        "class_scene",
        "fixated_pose",
    }
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
