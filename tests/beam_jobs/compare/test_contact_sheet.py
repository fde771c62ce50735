"""A contact sheet shows views side by side, labels below them, and says what it cannot show."""

import cv2
import numpy as np
import pytest

from beam_jobs.__main__ import main
from beam_jobs.compare.contact_sheet import sheet


@pytest.fixture
def data(tmp_path):
    """three views of 8 pixels: red, green, blue; depth rising to the right, one pixel missing."""
    for view in range(3):
        rgb = np.zeros((8, 8, 3), "uint8")
        rgb[..., view] = 255
        for label, image in (
            ("rgb", rgb[..., ::-1]),
            ("depth_zbuffer", np.tile(np.arange(8, dtype="uint16") * 100, (8, 1))),
        ):
            folder = tmp_path / "house" / label
            folder.mkdir(parents=True, exist_ok=True)
            if label != "rgb":
                image[0, 0] = 65535
            cv2.imwrite(str(folder / f"point_0_view_{view}_domain_{label}.png"), image)
    return tmp_path


def test_views_stand_side_by_side_and_labels_below(data):
    image = sheet(data, ["rgb", "depth_zbuffer"], 3, 2)
    assert image.shape == (4 * 8, 2 * 8, 3)
    assert (
        image[0, 0].tolist() == [255, 0, 0]
        and image[0, 8].tolist() == [0, 255, 0]
        and image[16, 0].tolist() == [0, 0, 255]
    )
    assert not image[16:24, 8:].any(), "no fourth view"
    depth = image[8:16, :8, 0].astype(int)
    assert depth[0, 0] == 0 and (np.diff(depth[1]) >= 0).all() and depth[1, 7] == 255


def test_the_command_writes_a_picture(data):
    assert (
        main(["sheet", "--data", str(data), "--out", str(data / "sheet.png"), "--views", "2"]) == 0
    )
    assert cv2.imread(str(data / "sheet.png")).shape == (8, 48, 3)


def test_what_cannot_be_shown_is_named(data, tmp_path, capsys):
    with pytest.raises(ValueError, match="no pictures of class_scene"):
        sheet(data, ["class_scene"], 3, 2)
    assert main(["sheet", "--data", str(tmp_path / "nowhere"), "--out", str(data / "x.png")]) == 1
    assert "make a data set first" in capsys.readouterr().err
