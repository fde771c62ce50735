"""The command line against a real server, as a person would call it."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from serving.__main__ import parser
from serving.client.ask import Question


def command(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "serving", "ask", *words],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_command_saves_figures_and_prints_json(address, folder, tmp_path):
    process = command(
        "--server",
        address,
        "--image",
        str(folder / "room0.png"),
        "--task",
        "normal,depth_zbuffer,class_scene",
        "--out",
        str(tmp_path / "out"),
        "--json",
    )
    facts = json.loads(process.stdout)
    assert not process.stderr, "nothing but what we have to say"
    assert (
        process.returncode == 0
        and set(facts["answers"]) == {"normal", "depth_zbuffer", "class_scene"}
        and facts["answers"]["depth_zbuffer"]["unit"] == "metre"
    )
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "normal.png",
        "depth_zbuffer.png",
        "class_scene.png",
        "sheet.png",
        "answers.json",
    }


def test_the_command_answers_a_folder_with_progress_and_names_what_failed(
    address, folder, tmp_path
):
    process = command(
        "--server",
        address,
        "--folder",
        str(folder),
        "--task",
        "normal",
        "--out",
        str(tmp_path / "out"),
        "--batch",
        "2",
    )
    assert process.returncode == 1 and "4 of 7 pictures answered" in process.stdout
    assert (
        "7/7" in process.stderr
        and "picture/s" in process.stderr
        and "3 failed" in process.stderr
        and "text.jpg: no picture" in process.stderr
        and "skipped, no pictures: 1 files: .hidden.png" in process.stderr
    )
    assert (tmp_path / "out" / "room3" / "normal.png").exists() and not (
        tmp_path / "out" / "cut"
    ).exists()


def test_the_command_ends_in_words_without_a_server(folder):
    picture = str(folder / "room0.png")
    process = command("--server", "127.0.0.1:9", "--image", picture, "--deadline", "1")
    assert process.returncode == 1 and "Traceback" not in process.stderr
    assert "error: UNAVAILABLE" in process.stderr


def imported(*words: str) -> tuple[set[str], subprocess.CompletedProcess]:
    """top-level packages that the command imports."""
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "serving", "ask", *words],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    lines = [line for line in process.stderr.splitlines() if line.startswith("import time:")]
    return {line.split("|")[-1].strip().split(".")[0] for line in lines}, process


def test_a_question_needs_no_tensorflow(address, folder, tmp_path):
    picture = str(folder / "room0.png")
    packages, done = imported("--server", address, "--image", picture, "--out", str(tmp_path))
    assert done.returncode == 0 and (tmp_path / "sheet.png").exists()
    assert not packages & {"tensorflow", "keras", "tensorflow_serving"}
    assert {"grpc", "google", "numpy"} <= packages


@pytest.mark.parametrize(
    "words, said",
    [
        (["--image", "nofile.png"], "nofile.png: no such file"),
        (["--folder", "nofolder"], "nofolder: no such folder"),
        (["--image", __file__, "--task", "normals"], "did you mean normal"),
        (
            ["--folder", "tests", "--out", "tests/../tests"],
            "--out tests/../tests is --folder itself",
        ),
        (["--image", __file__, "--out", __file__], "expected a folder for answers"),
        (["--image", __file__, "--out", f"{__file__}/deep"], f"{__file__} is a file"),
        (["--image", __file__, "--authority", "nofile.pem"], "nofile.pem"),
    ],
)
def test_what_no_server_could_answer_is_refused_before_heavy_imports(words, said):
    packages, done = imported(*words)
    assert done.returncode == 1 and said in done.stderr
    assert not packages & {"tensorflow", "grpc", "cv2", "PIL", "scipy"}


def test_a_task_is_asked_once_however_it_is_written():
    words = ["ask", "--image", __file__, "--task", "normal, depth_zbuffer,,normal "]
    question = Question.from_options(parser().parse_args(words))
    assert question.tasks == ["normal", "depth_zbuffer"]


def test_what_was_changed_in_a_picture_is_said(address, tmp_path):
    deep = np.linspace(5000, 60000, 64 * 64).reshape(64, 64).astype("uint16")
    Image.fromarray(deep).save(tmp_path / "deep.tif")
    words = ["--server", address, "--image", str(tmp_path / "deep.tif"), "--task", "normal"]
    process = command(*words, "--out", str(tmp_path / "out"), "--json")
    assert process.returncode == 0 and "16-bit grey: 0 is shown black" in process.stderr
    assert json.loads(process.stdout)["notes"] == ["16-bit grey: 0 is shown black, 65535 white"]
    figure = np.asarray(Image.open(tmp_path / "out" / "normal.png"))
    shown = figure[-320:, :320]
    assert np.ptp(shown[..., 0].astype(int)) > 150, "no white sheet"


def test_what_is_not_looked_at_and_what_shows_nothing_is_said(address, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (96, 64)).save(tmp_path / "in" / f"{name}.png")
    words = ["--server", address, "--folder", str(tmp_path / "in"), "--task", "normal"]
    process = command(*words, "--out", str(tmp_path / "out"), "--json")
    middle, empty = json.loads(process.stdout.splitlines()[0])["notes"]
    assert middle == "only the middle 64 x 64 of 96 x 64 pixels is looked at"
    assert "nearly one colour" in empty
    lines = [line for line in process.stderr.splitlines() if line.startswith("note: ")]
    assert len(lines) == 2 and lines[0].startswith("note: 2 pictures, ")
