"""What is saved: files that are whole, one sheet, numbers in units."""

import json

import numpy as np
import pytest
from client_answers import PHOTO, made_up_answer

from models.tasks import TASKS, target_names
from serving.client.answers import SHEET_WIDTH, description, same_pictures, save_answers, sheet


def test_answers_are_saved_as_files(tmp_path):
    names = ("normal", "class_scene", "fixated_pose", "vanishing_point")
    saved = save_answers({name: made_up_answer(name) for name in names}, tmp_path, PHOTO)
    assert [path.name for path in saved] == [
        "normal.png",
        "class_scene.png",
        "vanishing_point.png",
        "sheet.png",
        "answers.json",
    ]
    assert set(json.loads((tmp_path / "answers.json").read_text())) == set(names)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_pictures_that_are_the_same_stand_once_on_the_sheet(tmp_path):
    """autoencoding and denoising of one source answer alike; both files are there."""
    one = made_up_answer("autoencoding")
    same = {"autoencoding": one, "normal": made_up_answer("normal"), "denoising": one + 0.001}
    assert same_pictures(same) == {"autoencoding": ["denoising"]}
    other = {**same, "denoising": -one}
    assert same_pictures(other) == {}
    sizes = []
    for number, answers in enumerate((same, other)):
        paths = save_answers(answers, tmp_path / str(number), PHOTO)
        assert {path.name for path in paths} >= {"autoencoding.png", "denoising.png"}
        sizes.append((tmp_path / str(number) / "sheet.png").stat().st_size)
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize("name", target_names())
def test_every_target_is_described_without_codes(name):
    value = made_up_answer(name)
    words = description(name, value, value if TASKS[name].whitened else None)
    assert words["title"] == TASKS[name].title
    if TASKS[name].output.kind == "pixels" and TASKS[name].output.channels != 3:
        assert "[-1, 1]" not in words["unit"] and "code" not in words["unit"]
        assert words["low"] <= words["middle"] <= words["high"]


def test_numbers_that_mean_nothing_one_by_one_are_not_told():
    words = description("segment_unsup2d", made_up_answer("segment_unsup2d"))
    assert words["segments"] >= 1 and "low" not in words
    normals = np.zeros((4, 4, 3))
    normals[:3, :, 2] = -1
    normals[3, :, 0] = 0.9
    words = description("normal", normals)
    assert "low" not in words
    assert words["shares"] == {"faces the camera": 0.75, "faces right": 0.25}


def test_magnitudes_are_in_their_own_range():
    words = description("edge_texture", np.full((4, 4, 1), -0.5))
    assert words["unit"] == "magnitude" and words["middle"] == pytest.approx(0.02)
    assert words["note"] == "nearly the same everywhere: 0.02 of at most 0.08"


def test_depth_is_in_metres():
    words = description("depth_zbuffer", np.full((4, 4, 1), np.log1p(1024) / np.log(65536)))
    assert words["unit"] == "metre" and words["middle"] == pytest.approx(2, abs=1e-3)


def test_a_sheet_holds_every_figure_in_rows():
    figures = [np.full((350, 700, 3), shade, "uint8") for shade in (10, 20, 30, 40)]
    page = sheet(figures)
    assert page.shape[1] <= SHEET_WIDTH and set(np.unique(page)) >= {10, 20, 30, 40}
    for shade in (10, 20, 30, 40):
        assert (page[..., 0] == shade).sum() == 175 * 350
